// Shows the maps around one output value (explorer/views/unit_maps.py, explorer/views/sliding_window.py). The pointer moves the window over the input map
// at once; a click or an arrow key selects the position, and the server answers with its arithmetic. The window can also
// slide by itself over the input while the output map fills; where it stops, that position is selected.
//
// data: svg (HTML with the maps), status (the arithmetic in words, for a screen reader).
const views = new WeakMap()
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }
const SVG = "http://www.w3.org/2000/svg"
const [LEAST_MS, MOST_MS, POSITION_MS] = [4_000, 12_000, 150] // of the whole way, and of one position

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const view = views.get(parentElement) ?? create(parentElement)
  view.select = ([row, column]) => setTriggerValue("position", `${row}:${column}`)
  if (view.svg !== data.svg) draw(view, data.svg)
  if (view.status.textContent !== data.status) view.status.textContent = data.status
}

function create(parent) {
  const root = parent.querySelector(".position-maps")
  const [drawing, controls] = root.querySelectorAll("div")
  const view = { drawing, controls, status: root.querySelector("[role=status]"), play: controls.querySelector("button"),
    slider: controls.querySelector("input"), map: null, playing: false, svg: null }
  view.play.onclick = () => (view.playing ? selectHere(view) : slide(view))
  view.slider.oninput = () => {
    setPlaying(view, false)
    fillTo(view, Number(view.slider.value))
  }
  view.slider.onchange = () => selectHere(view)
  views.set(parent, view)
  return view
}

function draw(view, svg) {
  const { drawing } = view
  const hadFocus = drawing.contains(drawing.getRootNode().activeElement)
  setPlaying(view, false)
  drawing.innerHTML = svg
  drawing.classList.remove("moved")
  view.svg = svg
  const map = (view.map = drawing.querySelector(".output-map"))
  view.controls.hidden = !map || !drawing.querySelector(".window") || !Number(map.dataset.stride) || positions(map) < 2
  if (!map) return
  map.setAttribute("tabindex", "0")
  map.setAttribute("role", "application")
  ;[map.dataset.drawnRow, map.dataset.drawnColumn] = selected(map)
  map.onpointermove = (event) => !view.playing && show(view, positionOf(event, map))
  map.onpointerleave = () => !view.playing && show(view, selected(map))
  map.onclick = (event) => view.select(positionOf(event, map))
  map.onkeydown = (event) => onKey(view, event)
  view.play.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches
  view.slider.max = positions(map) - 1
  setSlider(view, selected(map))
  if (hadFocus) map.focus({ preventScroll: true })
}

function onKey(view, event) {
  const { map } = view
  const arrow = ARROWS[event.key]
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === " " && !view.controls.hidden && !view.play.hidden) view.play.click()
  else if (arrow) {
    const next = within(map, selected(map).map((at, axis) => at + arrow[axis]))
    map.dataset.row = next[0]
    map.dataset.column = next[1]
    show(view, next)
    view.select(next)
  } else return
  event.preventDefault()
}

function selected(map) {
  return [Number(map.dataset.row), Number(map.dataset.column)]
}

function positions(map) {
  return Number(map.dataset.rows) * Number(map.dataset.columns)
}

function within(map, [row, column]) {
  const clip = (value, count) => Math.min(Math.max(value, 0), count - 1)
  return [clip(row, Number(map.dataset.rows)), clip(column, Number(map.dataset.columns))]
}

function positionOf(event, map) {
  const picture = map.querySelector("image, .cells").getBoundingClientRect()
  const share = (value, start, length, count) => Math.floor(((value - start) / length) * count)
  return within(map, [
    share(event.clientY, picture.top, picture.height, Number(map.dataset.rows)),
    share(event.clientX, picture.left, picture.width, Number(map.dataset.columns)),
  ])
}

// Moves the frame from where it was drawn to a position, and the window in the input map with it.
function show({ drawing, map }, [row, column]) {
  const down = row - Number(map.dataset.drawnRow)
  const across = column - Number(map.dataset.drawnColumn)
  const shift = (part, step) => part?.setAttribute("transform", `translate(${across * step} ${down * step})`)
  shift(map.querySelector(".here"), Number(map.dataset.scale))
  const input = drawing.querySelector(".input-map")
  const stride = Number(map.dataset.stride)
  drawing.classList.toggle("moved", down !== 0 || across !== 0) // the receptive field is that of the selected position
  if (input && stride) shift(input.querySelector(".window"), stride * Number(input.dataset.scale))
}

// ── the sliding window ─────────────────────────────────────────────────────────────────────────────────────────────

function slide(view) {
  const count = positions(view.map)
  const perPosition = Math.min(Math.max(count * POSITION_MS, LEAST_MS), MOST_MS) / count
  const first = (Number(view.slider.value) + 1) % count // from where it stopped, at the end again from the start
  const drawnMap = view.map
  let started = null
  setPlaying(view, true)
  const step = (now) => {
    if (!view.playing || view.map !== drawnMap || !drawnMap.isConnected) return
    started ??= now
    const place = first + Math.floor((now - started) / perPosition)
    fillTo(view, Math.min(place, count - 1))
    if (place < count - 1) requestAnimationFrame(step)
    else selectHere(view)
  }
  requestAnimationFrame(step)
}

function setPlaying(view, playing) {
  view.playing = playing
  view.play.textContent = playing ? "Pause" : "Slide"
  if (!playing) for (const veil of view.drawing.querySelectorAll(".veil")) veil.remove()
}

function selectHere(view) {
  setPlaying(view, false)
  view.select(placeOf(view))
}

function placeOf({ map, slider }) {
  const columns = Number(map.dataset.columns)
  return [Math.floor(Number(slider.value) / columns), Number(slider.value) % columns]
}

function setSlider(view, [row, column]) {
  const { map, slider } = view
  slider.value = row * Number(map.dataset.columns) + column
  slider.setAttribute("aria-valuetext", `row ${row}, column ${column}`)
}

// Shows the window at a position in reading order; a veil hides the outputs that come after it.
function fillTo(view, place) {
  const { map, slider } = view
  slider.value = place
  const [row, column] = placeOf(view)
  setSlider(view, [row, column])
  show(view, [row, column])
  const [scale, columns, rows] = [map.dataset.scale, map.dataset.columns, map.dataset.rows].map(Number)
  const parts = [
    [(column + 1) * scale, row * scale, (columns - column - 1) * scale, scale],
    [0, (row + 1) * scale, columns * scale, (rows - row - 1) * scale],
  ].map(([x, y, width, height]) => [x, y, width && width + 1, height && height + 1]) // over the edge of the image
  const veils = [...map.querySelectorAll(".veil")]
  parts.forEach(([x, y, width, height], at) => {
    const veil = veils[at] ?? map.insertBefore(document.createElementNS(SVG, "rect"), map.querySelector(".here"))
    veil.setAttribute("class", "veil")
    for (const [name, value] of Object.entries({ x, y, width, height })) veil.setAttribute(name, Math.max(0, value))
  })
}
