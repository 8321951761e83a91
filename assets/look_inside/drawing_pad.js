// A drawing pad for mouse, touch and keyboard. After each stroke it sends the drawing to the server as a PNG, white on
// black. The strokes stay here, so that they can be undone; the server stores the PNG.
const pads = new WeakMap()
const STROKE_WIDTH = 22 // pixels of 280: about two at 28×28
const STEP = 10 // pixels per arrow key

export default function (component) {
  const { parentElement, setStateValue } = component
  const canvas = parentElement.querySelector("canvas")
  const pad = pads.get(canvas) ?? { strokes: [], pen: { x: 140, y: 140 }, down: false, active: null }
  pads.set(canvas, pad)
  pad.canvas = canvas
  pad.status = parentElement.querySelector(".status")
  pad.send = () => setStateValue("png", pad.strokes.length ? toPng(pad) : "")
  canvas.onpointerdown = (event) => begin(pad, event)
  canvas.onpointermove = (event) => extend(pad, event)
  canvas.onpointerup = canvas.onpointercancel = () => end(pad)
  canvas.onkeydown = (event) => press(pad, event)
  canvas.onblur = () => pad.down && lift(pad)
  for (const button of parentElement.querySelectorAll("[data-action]")) {
    button.onclick = () => (button.dataset.action === "undo" ? undo(pad) : clear(pad))
  }
  draw(pad)
}

function position(pad, event) {
  const box = pad.canvas.getBoundingClientRect()
  const scale = pad.canvas.width / box.width
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale }
}

function begin(pad, event) {
  if (event.button !== 0 || pad.active !== null) return
  pad.canvas.setPointerCapture(event.pointerId)
  pad.active = event.pointerId
  pad.strokes.push([position(pad, event)])
  draw(pad)
}

function extend(pad, event) {
  if (pad.active !== event.pointerId) return
  for (const point of event.getCoalescedEvents?.() ?? [event]) pad.strokes.at(-1).push(position(pad, point))
  draw(pad)
}

function end(pad) {
  if (pad.active === null) return
  pad.active = null
  pad.send()
}

function undo(pad) {
  pad.strokes.pop()
  draw(pad)
  pad.send()
}

function clear(pad) {
  pad.strokes = []
  draw(pad)
  pad.send()
}

// ── keyboard ───────────────────────────────────────────────────────────────────────────────────────────────────────

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function press(pad, event) {
  const move = MOVES[event.key]
  if (move) movePen(pad, move)
  else if (event.key === " ") pad.down ? lift(pad) : lower(pad)
  else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo(pad)
  else if (event.key === "Delete" || event.key === "Backspace") clear(pad)
  else return
  event.preventDefault()
}

function movePen(pad, [dx, dy]) {
  const { width, height } = pad.canvas
  pad.pen = {
    x: Math.min(Math.max(pad.pen.x + dx * STEP, 0), width),
    y: Math.min(Math.max(pad.pen.y + dy * STEP, 0), height),
  }
  if (pad.down) pad.strokes.at(-1).push(pad.pen)
  draw(pad)
}

function lower(pad) {
  pad.down = true
  pad.strokes.push([pad.pen])
  draw(pad)
}

function lift(pad) {
  pad.down = false
  draw(pad)
  pad.send()
}

// ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function paint(pad, context) {
  context.fillStyle = "black"
  context.fillRect(0, 0, pad.canvas.width, pad.canvas.height)
  context.strokeStyle = context.fillStyle = "white"
  context.lineWidth = STROKE_WIDTH
  context.lineCap = context.lineJoin = "round"
  for (const [first, ...rest] of pad.strokes) {
    context.beginPath()
    context.moveTo(first.x, first.y)
    for (const { x, y } of rest.length ? rest : [{ x: first.x + 0.1, y: first.y }]) context.lineTo(x, y)
    context.stroke()
  }
}

function draw(pad) {
  const context = pad.canvas.getContext("2d")
  paint(pad, context)
  const hasKeyboardFocus = pad.canvas.matches(":focus-visible")
  if (hasKeyboardFocus) {
    context.strokeStyle = pad.down ? "#7357d6" : "#8b98ab"
    context.lineWidth = 3
    context.strokeRect(pad.pen.x - 8, pad.pen.y - 8, 16, 16)
  }
  pad.status.textContent = hasKeyboardFocus ? `Pen ${pad.down ? "down" : "up"}` : ""
}

// The drawing without the mark of the pen.
function toPng(pad) {
  const copy = document.createElement("canvas")
  copy.width = pad.canvas.width
  copy.height = pad.canvas.height
  paint(pad, copy.getContext("2d"))
  return copy.toDataURL("image/png").split(",")[1]
}
