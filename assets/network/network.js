// The network as a strip of boxes above its table. A box and its row light each other up. shared_code.py calls
// show again on each change: handlers are assigned once per element, and all state belongs to the element.
//
// data: html (explorer/views/network_strip.py), hints {box id: lines of text}, rows (box ids in the table's order),
// selected (box id or null), table (CSS selector of the table).

const views = new WeakMap()

function show(component) {
  const { data, parentElement, setTriggerValue } = component
  const view = views.get(parentElement) ?? create(parentElement)
  view.data = data
  view.select = (id) => {
    data.selected = id
    markSelected(view)
    setTriggerValue("select", id)
  }
  if (view.html !== data.html) {
    view.html = data.html
    view.boxes.innerHTML = data.html
    leave(view)
  }
  markSelected(view)
}

function create(parent) {
  const find = (name) => parent.querySelector(name)
  const view = { root: find(".network"), boxes: find(".boxes"), tip: find(".tip"), current: null }
  const { boxes } = view
  boxes.onpointermove = (event) => point(view, boxOf(event))
  boxes.onpointerleave = () => leave(view)
  boxes.onclick = (event) => boxOf(event) && view.select(boxOf(event).id)
  boxes.onkeydown = (event) => onKey(view, event)
  boxes.onfocus = () => boxes.matches(":focus-visible") && step(view, 0)
  boxes.onblur = () => leave(view)
  const onMove = (event) => {
    if (boxes.isConnected) pointFromTable(view, event)
    else document.removeEventListener("pointermove", onMove)
  }
  document.addEventListener("pointermove", onMove)
  views.set(parent, view)
  return view
}

const boxOf = (event) => event.target.closest?.(".box") ?? null
const all = (view) => [...view.boxes.querySelectorAll(".box")]

function markSelected(view) {
  for (const box of all(view)) box.setAttribute("aria-selected", String(box.id === view.data.selected))
}

// ── pointing: at a box, at a row ───────────────────────────────────────────────────────────────────────────────────

function point(view, box) {
  if (!box) return leave(view)
  showTip(view, box, view.data.hints[box.id], ["above"]) // below it would cover the row
  lightRow(view, view.data.rows.indexOf(box.id))
}

function leave(view) {
  view.tip.hidden = true
  lightRow(view, -1)
}

// The grid is a canvas, so its rows are found by their place: the header and all rows are equally high.
function pointFromTable(view, event) {
  const canvas = event.target.closest?.(view.data.table)?.querySelector("canvas")
  let row = -1
  if (canvas) {
    const area = canvas.getBoundingClientRect()
    row = Math.floor(((event.clientY - area.top) / area.height) * (view.data.rows.length + 1)) - 1
  }
  const id = view.data.rows[row]
  if (view.hot === id) return
  view.hot = id
  for (const box of all(view)) box.classList.toggle("hot", box.id === id)
}

function lightRow(view, row) {
  const table = document.querySelector(view.data.table)
  if (!table) return
  table.classList.toggle("has-lit-row", row >= 0)
  table.style.setProperty("--row", row + 1)
  table.style.setProperty("--rows", view.data.rows.length + 1)
}

// ── keyboard: the strip is one stop of the Tab key, arrow keys go from box to box ────────────────────────────────────

function onKey(view, event) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e9, End: 1e9 }
  if (event.key in steps) step(view, steps[event.key])
  else if (event.key === "Enter" || event.key === " ") view.select(view.current)
  else if (event.key === "Escape") leave(view)
  else return
  event.preventDefault()
}

function step(view, by) {
  const boxes = all(view)
  const from = boxes.findIndex((box) => box.id === (view.current ?? view.data.selected))
  const box = boxes[Math.min(Math.max(Math.max(from, 0) + by, 0), boxes.length - 1)]
  view.current = box.id
  for (const other of boxes) other.classList.toggle("current", other === box)
  view.boxes.setAttribute("aria-activedescendant", box.id)
  point(view, box)
}
