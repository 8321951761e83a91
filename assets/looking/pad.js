// A drawing pad. After each stroke the picture goes to the server as a PNG, white on black. Mouse, touch and keyboard.
// Strokes are kept here, so that they can be taken back; the server keeps the picture.
const pads = new WeakMap()
const WIDE = 22 // pixels of a stroke, of 280: at 28×28 about two
const STEP = 10 // pixels that an arrow key moves the pen

export default function (component) {
  const { parentElement, setStateValue } = component
  const canvas = parentElement.querySelector("canvas")
  const pad = pads.get(canvas) ?? { strokes: [], pen: { x: 140, y: 140 }, down: false, active: null }
  pads.set(canvas, pad)
  pad.canvas = canvas
  pad.said = parentElement.querySelector(".said")
  pad.send = () => setStateValue("picture", pad.strokes.length ? flat(pad) : "")
  canvas.onpointerdown = (event) => begin(pad, event)
  canvas.onpointermove = (event) => go(pad, event)
  canvas.onpointerup = canvas.onpointercancel = () => end(pad)
  canvas.onkeydown = (event) => press(pad, event)
  canvas.onblur = () => pad.down && lift(pad)
  for (const button of parentElement.querySelectorAll("[data-act]")) {
    button.onclick = () => (button.dataset.act === "undo" ? undo(pad) : clear(pad))
  }
  draw(pad)
}

function at(pad, event) {
  const box = pad.canvas.getBoundingClientRect()
  const sharp = pad.canvas.width / box.width
  return { x: (event.clientX - box.left) * sharp, y: (event.clientY - box.top) * sharp }
}

function begin(pad, event) {
  if (event.button !== 0 || pad.active !== null) return
  pad.canvas.setPointerCapture(event.pointerId)
  pad.active = event.pointerId
  pad.strokes.push([at(pad, event)])
  draw(pad)
}

function go(pad, event) {
  if (pad.active !== event.pointerId) return
  for (const one of event.getCoalescedEvents?.() ?? [event]) pad.strokes.at(-1).push(at(pad, one))
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
  if (move) walk(pad, move)
  else if (event.key === " ") pad.down ? lift(pad) : lower(pad)
  else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo(pad)
  else if (event.key === "Delete" || event.key === "Backspace") clear(pad)
  else return
  event.preventDefault()
}

function walk(pad, [dx, dy]) {
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

// ── the picture ────────────────────────────────────────────────────────────────────────────────────────────────────

function paint(pad, context) {
  context.fillStyle = "black"
  context.fillRect(0, 0, pad.canvas.width, pad.canvas.height)
  context.strokeStyle = context.fillStyle = "white"
  context.lineWidth = WIDE
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
  const byKeys = pad.canvas.matches(":focus-visible")
  if (byKeys) {
    context.strokeStyle = pad.down ? "#e69f00" : "#8b98ab"
    context.lineWidth = 3
    context.strokeRect(pad.pen.x - 8, pad.pen.y - 8, 16, 16)
  }
  pad.said.textContent = byKeys ? `Pen ${pad.down ? "down" : "up"}` : ""
}

// The picture without the mark of the pen.
function flat(pad) {
  const sheet = document.createElement("canvas")
  sheet.width = pad.canvas.width
  sheet.height = pad.canvas.height
  paint(pad, sheet.getContext("2d"))
  return sheet.toDataURL("image/png").split(",")[1]
}
