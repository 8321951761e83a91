// A diagram that can be moved, zoomed, queried and saved. shared_code.py calls show again on each change of data or
// theme: handlers are assigned, never added twice, and zoom and position stay. Nothing is cleaned up, because
// Streamlit may clean up after a newer call has begun: all state belongs to the element and goes with it.
//
// data: name, svg, dot, alt, hover {node id: lines of text}, selected (node id or null), height and maxHeight (pixels;
// the view takes the height that the diagram needs between them), expandable (whether a box can be opened and closed in
// place), limits (pixels: widths below which there is another diagram), narrow (those of them that this one is for),
// tokens {role: colour in the SVG}.
// constants: font (CSS: @font-face rules with the fonts inside).

const SVG = "http://www.w3.org/2000/svg"
const FONT = '"Explorer Sans"'
const MAX_FIT = 1.5 // pixels per point: a small diagram is not enlarged beyond this
const READABLE = 0.6 // pixels per point: below this, a box just opened is shown instead of the whole diagram
const PHONE = 500 // pixels: a view of less width is only as high as its diagram
const [MIN_SCALE, MAX_SCALE, STEP] = [0.1, 8, 1.25]
const DRAG = 4 // pixels of movement that make a click a drag
const MARGIN = 6
const PNG_SIDE = 6000 // pixels; beyond it browsers refuse a canvas
const SHAPES = "path, polygon, polyline, ellipse, text"
const SHAPE_STYLE = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap"]
const TEXT_STYLE = ["fill", "font-size", "font-weight", "text-anchor"]
const views = new WeakMap()

function show(component, constants) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  const view = views.get(parentElement) ?? create(parentElement)
  view.data = data
  view.font = constants.font
  view.select = (id) => {
    data.selected = id
    markSelected(view)
    setTriggerValue("select", id)
  }
  view.expand = (id) => {
    view.expanded = id
    setTriggerValue("expand", id)
  }
  view.reportWidth = (narrow) => setStateValue("narrow", narrow)
  writeLabels(view)
  // The first diagram waits for the font: texts fit their boxes in no other.
  if (view.fontLoaded) update(view)
  else loadFont(view.font).finally(() => {
    view.fontLoaded = true
    update(view)
  })
}

// A font in a shadow tree counts for nothing, so it goes into the document.
async function loadFont(css) {
  if (!document.getElementById("diagram-font")) {
    const style = document.createElement("style")
    style.id = "diagram-font"
    style.textContent = css
    document.head.append(style)
  }
  await Promise.all(["", "bold "].map((weight) => document.fonts.load(`${weight}14px ${FONT}`)))
}

// ── the diagram ────────────────────────────────────────────────────────────────────────────────────────────────────

function create(parent) {
  const find = (name) => parent.querySelector(name)
  const view = {
    pane: find(".pane"), tip: find(".tip"), alt: find("#alt"), expandHelp: find("#expand-help"), root: find(".diagram"),
    svg: null, drawn: null, width: 0, height: 0, x: 0, y: 0, scale: 1, fitted: true, textsChecked: false, drag: null,
    expanded: null, reported: null, fontLoaded: false,
  }
  const { pane } = view
  pane.onwheel = (event) => onWheel(view, event)
  pane.onpointerdown = (event) => startDrag(view, event)
  pane.onpointermove = (event) => (view.drag ? drag(view, event) : hover(view, event))
  pane.onpointerup = pane.onpointercancel = (event) => endDrag(view, event)
  pane.onpointerleave = () => (view.tip.hidden = true)
  // A click without a pointer comes from a screen reader.
  pane.onclick = (event) => event.detail === 0 && selectable(event) && view.select(selectable(event).id)
  pane.ondblclick = (event) => view.data.expandable && selectable(event) && view.expand(selectable(event).id)
  pane.onkeydown = (event) => onKey(view, event)
  pane.onfocus = () => (view.tip.hidden = true)
  pane.addEventListener("focusin", (event) => onFocus(view, event)) // once: this function runs once per pane
  pane.addEventListener("focusout", () => (view.tip.hidden = true))
  for (const button of parent.querySelectorAll("[data-action]")) button.onclick = () => act(view, button.dataset.action)
  view.observer = new ResizeObserver(() => layOut(view))
  view.observer.observe(pane)
  views.set(parent, view)
  return view
}

function update(view) {
  if (view.drawn?.svg !== view.data.svg) draw(view)
  view.drawn = view.data
  markSelected(view)
}

function draw(view) {
  const active = view.pane.getRootNode().activeElement
  const focused = view.svg?.contains(active) ? active.id : null
  const svg = parse(view.data.svg)
  addThemeClasses(svg, view.data.tokens)
  const nodes = new Map([...svg.querySelectorAll(".node, .cluster")].map((node) => [node.id, node]))
  for (const [id, text] of Object.entries(view.data.hover)) {
    const node = nodes.get(id)
    if (!node) continue
    node.classList.add("selectable")
    node.setAttribute("tabindex", "0")
    node.setAttribute("role", "button")
    node.setAttribute("aria-label", text.replaceAll("\n", ", "))
    if (node.matches(".node")) node.parentElement.append(node) // hover is in reading order, so Tab follows it
  }
  const box = svg.viewBox.baseVal
  view.width = box.width
  view.height = box.height
  view.svg = svg
  view.pane.replaceChildren(svg)
  view.textsChecked = false
  view.fitted ||= view.drawn?.name !== view.data.name
  layOut(view)
  if (view.expanded) showExpanded(view)
  if (focused) find(view, focused)?.focus({ preventScroll: true })
}

function parse(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement
  const svg = document.importNode(parsed, true)
  svg.removeAttribute("width")
  svg.removeAttribute("height")
  svg.setAttribute("role", "presentation")
  return svg
}

function addThemeClasses(svg, tokens) {
  for (const element of svg.querySelectorAll(SHAPES)) {
    const isText = element.tagName === "text"
    for (const [role, value] of Object.entries(tokens)) {
      const isTextRole = role === "ink" || role === "muted"
      if (element.getAttribute("fill") === value && isText === isTextRole) {
        element.classList.add(`${isText ? "text" : "fill"}-${role}`)
      }
      if (element.getAttribute("stroke") === value && role === "line") element.classList.add("stroke-line")
    }
  }
}

// Where the browser could not load the font, text that leaves its box is compressed to fit.
function compressTexts(view) {
  for (const node of view.svg.querySelectorAll(".node")) {
    const frame = node.querySelector("path, polygon")?.getBBox()
    if (!frame) continue
    for (const text of node.querySelectorAll("text")) {
      const box = text.getBBox()
      const over = Math.max(frame.x + 2 - box.x, box.x + box.width - (frame.x + frame.width - 2), 0)
      if (over === 0) continue
      text.setAttribute("textLength", Math.max(box.width - 2 * over, 1))
      text.setAttribute("lengthAdjust", "spacingAndGlyphs")
    }
  }
  view.textsChecked = true
}

function writeLabels(view) {
  view.pane.setAttribute("aria-label", view.data.name.replaceAll("_", " "))
  view.alt.textContent = view.data.alt
  view.expandHelp.hidden = !view.data.expandable
}

function markSelected(view) {
  for (const node of view.svg?.querySelectorAll(".selectable") ?? []) {
    const selected = node.id === view.data.selected
    node.classList.toggle("selected", selected)
    node.setAttribute("aria-pressed", String(selected))
  }
}

function find(view, id) {
  return [...view.svg.querySelectorAll(".selectable")].find((node) => node.id === id)
}

// ── moving and zooming: the visible part is the viewBox, from (x, y), in points; scale is pixels per point ──────────

function layOut(view) {
  if (!view.svg || !view.pane.clientWidth) return // in a tab that is not open
  setHeight(view)
  if (!view.textsChecked) compressTexts(view)
  if (view.fitted) fit(view)
  else place(view)
}

function setHeight(view) {
  const { height, maxHeight, narrow, limits } = view.data
  const width = view.pane.clientWidth
  const tools = view.root.clientHeight - view.pane.clientHeight
  const needed = view.height * Math.min(width / view.width, 1) + 2 * MARGIN + tools
  const least = width < PHONE ? 0 : height
  view.root.style.height = `${Math.min(Math.max(needed, least), maxHeight)}px`
  const found = limits.filter((limit) => width < limit)
  if (String(found) === String(narrow)) view.reported = null
  else if (view.reported !== String(found)) { // once per change
    view.reported = String(found)
    view.reportWidth(found)
  }
}

function place(view) {
  const { clientWidth: width, clientHeight: height } = view.pane
  view.svg.setAttribute("viewBox", `${view.x} ${view.y} ${width / view.scale} ${height / view.scale}`)
  view.pane.dataset.scale = view.scale.toFixed(4)
  view.tip.hidden = true
}

function fit(view) {
  const width = view.pane.clientWidth - 2 * MARGIN
  const height = view.pane.clientHeight - 2 * MARGIN
  if (width <= 0 || height <= 0) return
  view.scale = Math.min(width / view.width, height / view.height, MAX_FIT)
  view.x = (view.width - view.pane.clientWidth / view.scale) / 2
  view.y = -MARGIN / view.scale // from the top, so that two diagrams side by side can be compared
  view.fitted = true
  place(view)
}

function zoom(view, factor, px = view.pane.clientWidth / 2, py = view.pane.clientHeight / 2) {
  const scale = Math.min(Math.max(view.scale * factor, MIN_SCALE), MAX_SCALE)
  view.x += px / view.scale - px / scale
  view.y += py / view.scale - py / scale
  view.scale = scale
  view.fitted = false
  place(view)
}

function pan(view, dx, dy) {
  view.x += dx / view.scale
  view.y += dy / view.scale
  view.fitted = false
  place(view)
}

// A module that was just opened fills the view where the whole diagram would be too small to read.
function showExpanded(view) {
  const node = find(view, view.expanded)
  view.expanded = null
  if (!node || !view.fitted || view.scale >= READABLE) return
  const [box, pane] = [node.getBoundingClientRect(), view.pane.getBoundingClientRect()]
  const [width, height] = [box.width / view.scale, box.height / view.scale]
  view.x += (box.left + box.width / 2 - pane.left - pane.width / 2) / view.scale
  view.y += (box.top + box.height / 2 - pane.top - pane.height / 2) / view.scale
  zoom(view, Math.min((pane.width - 2 * MARGIN) / width, (pane.height - 2 * MARGIN) / height, 1) / view.scale)
}

function scrollIntoView(view, node) {
  const pane = view.pane.getBoundingClientRect()
  const box = node.getBoundingClientRect()
  const dx = Math.max(box.right - pane.right + MARGIN, 0) || Math.min(box.left - pane.left - MARGIN, 0)
  const dy = Math.max(box.bottom - pane.bottom + MARGIN, 0) || Math.min(box.top - pane.top - MARGIN, 0)
  if (dx || dy) pan(view, dx, dy)
}

// ── pointer and keyboard ───────────────────────────────────────────────────────────────────────────────────────────

function onWheel(view, event) {
  if (!event.ctrlKey && !event.metaKey) return // the page scrolls
  event.preventDefault()
  const pane = view.pane.getBoundingClientRect()
  zoom(view, Math.exp(-event.deltaY * 0.002), event.clientX - pane.left, event.clientY - pane.top)
}

function startDrag(view, event) {
  if (event.button !== 0) return
  view.drag = { x: event.clientX, y: event.clientY, moved: false, node: selectable(event) }
}

function drag(view, event) {
  const { drag } = view
  const [dx, dy] = [drag.x - event.clientX, drag.y - event.clientY]
  if (!drag.moved && Math.hypot(dx, dy) < DRAG) return
  if (!drag.moved) view.pane.setPointerCapture(event.pointerId)
  drag.moved = true
  view.pane.classList.add("dragging")
  pan(view, dx, dy)
  drag.x = event.clientX
  drag.y = event.clientY
}

function endDrag(view, event) {
  const { drag } = view
  view.drag = null
  view.pane.classList.remove("dragging")
  if (!drag || drag.moved || !drag.node || event.type !== "pointerup") return
  view.chosen = drag.node // its numbers are beside the diagram now: no tooltip over the boxes below it
  view.tip.hidden = true
  view.select(drag.node.id)
}

function onKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const distance = 60
  const actions = {
    "+": () => zoom(view, STEP), "=": () => zoom(view, STEP), "-": () => zoom(view, 1 / STEP), "0": () => fit(view),
    ArrowLeft: () => pan(view, -distance, 0), ArrowRight: () => pan(view, distance, 0),
    ArrowUp: () => pan(view, 0, -distance), ArrowDown: () => pan(view, 0, distance),
    Escape: () => (view.tip.hidden = true),
  }
  const node = selectable(event)
  const expands = event.shiftKey && view.data.expandable
  if (node) actions.Enter = actions[" "] = () => (expands ? view.expand(node.id) : view.select(node.id))
  if (!actions[event.key]) return
  event.preventDefault()
  actions[event.key]()
}

function selectable(event) {
  return event.target.closest?.(".selectable") ?? null
}

// ── the tooltip with the numbers of a box ──────────────────────────────────────────────────────────────────────────

function hover(view, event) {
  const node = selectable(event)
  if (node !== view.chosen) view.chosen = null
  if (node && node !== view.chosen) showHint(view, node)
  else view.tip.hidden = true
}

function onFocus(view, event) {
  const node = selectable(event)
  if (!node) return
  scrollIntoView(view, node)
  if (node.matches(":focus-visible")) showHint(view, node)
}

function showHint(view, node) {
  showTip(view, node, view.data.hover[node.id], ["below", "above", "right", "left"])
}

// ── downloads ──────────────────────────────────────────────────────────────────────────────────────────────────────

function act(view, action) {
  const actions = {
    in: () => zoom(view, STEP), out: () => zoom(view, 1 / STEP), fit: () => fit(view),
    svg: () => save(view, "svg", new Blob([standaloneSvg(view)], { type: "image/svg+xml" })),
    png: () => savePng(view),
    dot: () => save(view, "gv", new Blob([view.data.dot], { type: "text/vnd.graphviz" })),
  }
  actions[action]()
}

// The whole diagram as text that needs nothing else: the font is inside, and each element has its computed colours.
function standaloneSvg(view) {
  const selected = view.svg.querySelector(".selected")
  selected?.classList.remove("selected")
  const copy = view.svg.cloneNode(true)
  const [shown, copied] = [view.svg, copy].map((svg) => svg.querySelectorAll(SHAPES))
  shown.forEach((element, index) => {
    const style = getComputedStyle(element)
    const names = element.tagName === "text" ? TEXT_STYLE : SHAPE_STYLE
    for (const name of names) copied[index].setAttribute(name, plainColour(style.getPropertyValue(name)))
    copied[index].removeAttribute("class")
  })
  selected?.classList.add("selected")
  for (const node of copy.querySelectorAll("[tabindex]")) {
    for (const name of ["tabindex", "role", "aria-label", "aria-pressed"]) node.removeAttribute(name)
  }
  const background = document.createElementNS(SVG, "rect")
  background.setAttribute("width", view.width)
  background.setAttribute("height", view.height)
  background.setAttribute("fill", getComputedStyle(view.pane).backgroundColor)
  const font = document.createElementNS(SVG, "style")
  font.textContent = view.font
  copy.prepend(font, background)
  copy.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`)
  copy.setAttribute("width", view.width)
  copy.setAttribute("height", view.height)
  copy.removeAttribute("role")
  return new XMLSerializer().serializeToString(copy)
}

// Other programs do not know the notation in which a browser gives a mixed colour.
function plainColour(value) {
  const mixed = /^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(value)
  return mixed ? `rgb(${mixed.slice(1).map((part) => Math.round(part * 255)).join(", ")})` : value
}

async function savePng(view) {
  const sharpness = Math.min(3, PNG_SIDE / Math.max(view.width, view.height))
  const image = new Image()
  const source = URL.createObjectURL(new Blob([standaloneSvg(view)], { type: "image/svg+xml" }))
  image.src = source
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = Math.round(view.width * sharpness)
  canvas.height = Math.round(view.height * sharpness)
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  URL.revokeObjectURL(source)
  canvas.toBlob((blob) => save(view, "png", blob), "image/png")
}

function save(view, ending, blob) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = `${view.data.name.replace(/[^\w.-]+/g, "_")}.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
