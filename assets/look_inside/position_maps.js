// Shows the maps around one output value (explorer/views/one_number.py). The pointer moves the window over the input map
// at once; a click or an arrow key selects the position, and the server answers with its arithmetic.
//
// data: svg (HTML with the maps), status (the arithmetic in words, for a screen reader).
const drawn = new WeakMap()
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".position-maps")
  const drawing = root.querySelector("div")
  const status = root.querySelector("[role=status]")
  if (drawn.get(root) !== data.svg) {
    const hadFocus = drawing.contains(root.getRootNode().activeElement)
    drawing.innerHTML = data.svg
    drawn.set(root, data.svg)
    const map = drawing.querySelector(".output-map")
    map?.setAttribute("tabindex", "0")
    map?.setAttribute("role", "application")
    if (map) [map.dataset.drawnRow, map.dataset.drawnColumn] = selected(map)
    if (hadFocus) map?.focus({ preventScroll: true })
  }
  if (status.textContent !== data.status) status.textContent = data.status
  const map = drawing.querySelector(".output-map")
  if (!map) return
  const select = ([row, column]) => setTriggerValue("position", `${row}:${column}`)
  map.onpointermove = (event) => show(drawing, map, positionOf(event, map))
  map.onpointerleave = () => show(drawing, map, selected(map))
  map.onclick = (event) => select(positionOf(event, map))
  map.onkeydown = (event) => {
    const arrow = ARROWS[event.key]
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const next = within(map, selected(map).map((at, axis) => at + arrow[axis]))
    map.dataset.row = next[0]
    map.dataset.column = next[1]
    show(drawing, map, next)
    select(next)
  }
}

function selected(map) {
  return [Number(map.dataset.row), Number(map.dataset.column)]
}

function within(map, [row, column]) {
  const clip = (value, count) => Math.min(Math.max(value, 0), count - 1)
  return [clip(row, Number(map.dataset.rows)), clip(column, Number(map.dataset.columns))]
}

function positionOf(event, map) {
  const picture = map.querySelector("image").getBoundingClientRect()
  const share = (value, start, length, count) => Math.floor(((value - start) / length) * count)
  return within(map, [
    share(event.clientY, picture.top, picture.height, Number(map.dataset.rows)),
    share(event.clientX, picture.left, picture.width, Number(map.dataset.columns)),
  ])
}

// Moves the frame from where it was drawn to a position, and the window in the input map with it.
function show(drawing, map, [row, column]) {
  const down = row - Number(map.dataset.drawnRow)
  const across = column - Number(map.dataset.drawnColumn)
  const shift = (part, step) => part?.setAttribute("transform", `translate(${across * step} ${down * step})`)
  shift(map.querySelector(".here"), Number(map.dataset.scale))
  const input = drawing.querySelector(".input-map")
  const stride = Number(map.dataset.stride)
  if (input && stride) shift(input.querySelector(".window"), stride * Number(input.dataset.scale))
}
