// A picture of a network that can be moved, zoomed, asked and saved. Streamlit calls the default export again on each
// change of data or theme: handlers are assigned, never stacked, and what the person sees stays where it is. Nothing is
// cleaned up, as Streamlit may do so after a newer call: all of it hangs on the element, and goes with it.
//
// data: name, svg, dot, alt, hover {node id: lines of text}, chosen (node id or null), height and tallest (pixels; the
// view is as high as the picture needs between them), opens (whether a box can be opened and closed where it stands),
// narrow (whether the picture is the one for a narrow view, null if there is only one), tokens {role: colour in the SVG}.

const SVG = "http://www.w3.org/2000/svg"
const LARGEST_FIT = 1.5 // pixels per point: a small picture is not blown up beyond this
const READABLE = 0.6 // pixels per point: below this a box just opened is shown instead of the whole picture
const NARROW = 1000 // pixels of a view that is called narrow
const [LEAST, MOST, STEP] = [0.1, 8, 1.25]
const DRAG = 4 // pixels of movement that make a click a drag
const MARGIN = 6
const PNG_SIDE = 6000 // pixels; beyond it browsers refuse a canvas
const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap"]
const KEPT_OF_TEXT = ["fill", "font-family", "font-size", "font-weight", "text-anchor"]
const views = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  const view = views.get(parentElement) ?? open(parentElement)
  const before = view.data
  view.data = data
  view.choose = (id) => {
    data.chosen = id
    mark(view)
    setTriggerValue("choose", id)
  }
  view.open = (id) => {
    view.opened = id
    setTriggerValue("open", id)
  }
  view.tellWidth = (narrow) => setStateValue("narrow", narrow)
  label(view)
  if (before?.svg !== data.svg) show(view, before)
  mark(view)
}

// ── the picture ────────────────────────────────────────────────────────────────────────────────────────────────────

function open(parent) {
  const find = (name) => parent.querySelector(name)
  const view = {
    pane: find(".pane"), tip: find(".tip"), alt: find("#alt"), opens: find("#opens"), root: find(".diagram"),
    svg: null, width: 0, height: 0, x: 0, y: 0, scale: 1, fitted: true, guarded: false, drag: null, opened: null, told: null,
  }
  const { pane } = view
  pane.onwheel = (event) => wheel(view, event)
  pane.onpointerdown = (event) => grab(view, event)
  pane.onpointermove = (event) => (view.drag ? pull(view, event) : hover(view, event))
  pane.onpointerup = pane.onpointercancel = (event) => release(view, event)
  pane.onpointerleave = () => (view.tip.hidden = true)
  pane.onclick = (event) => event.detail === 0 && choice(event) && view.choose(choice(event).id) // a screen reader's
  pane.ondblclick = (event) => view.data.opens && choice(event) && view.open(choice(event).id)
  pane.onkeydown = (event) => press(view, event)
  pane.onfocus = () => (view.tip.hidden = true)
  pane.addEventListener("focusin", (event) => focus(view, event)) // once: this function runs once per pane
  pane.addEventListener("focusout", () => (view.tip.hidden = true))
  for (const button of parent.querySelectorAll("[data-act]")) button.onclick = () => act(view, button.dataset.act)
  view.resized = new ResizeObserver(() => settle(view))
  view.resized.observe(pane)
  views.set(parent, view)
  return view
}

function show(view, before) {
  const held = view.svg?.contains(deepFocus(view)) ? deepFocus(view).id : null
  const svg = parse(view.data.svg)
  colour(svg, view.data.tokens)
  const nodes = new Map([...svg.querySelectorAll(".node, .cluster")].map((node) => [node.id, node]))
  for (const [id, text] of Object.entries(view.data.hover)) {
    const node = nodes.get(id)
    if (!node) continue
    node.classList.add("choice")
    node.setAttribute("tabindex", "0")
    node.setAttribute("role", "button")
    node.setAttribute("aria-label", text.replaceAll("\n", ", "))
    if (node.matches(".node")) node.parentElement.append(node) // the order of the numbers is that of reading and of Tab
  }
  const box = svg.viewBox.baseVal
  view.width = box.width
  view.height = box.height
  view.svg = svg
  view.pane.replaceChildren(svg)
  view.guarded = false
  view.fitted ||= before?.name !== view.data.name
  settle(view)
  if (view.opened) showOpened(view)
  if (held) find(view, held)?.focus({ preventScroll: true })
}

function parse(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement
  const svg = document.importNode(parsed, true)
  svg.removeAttribute("width")
  svg.removeAttribute("height")
  svg.setAttribute("role", "presentation")
  return svg
}

function colour(svg, tokens) {
  for (const element of svg.querySelectorAll("path, polygon, polyline, ellipse, text")) {
    const text = element.tagName === "text"
    for (const [role, value] of Object.entries(tokens)) {
      const written = role === "ink" || role === "muted"
      if (element.getAttribute("fill") === value && text === written) {
        element.classList.add(`${text ? "text" : "fill"}-${role}`)
      }
      if (element.getAttribute("stroke") === value && role === "line") element.classList.add("stroke-line")
    }
  }
}

// Where this browser has no font of Helvetica's widths, text is pressed into what the layout gave it.
function guard(view) {
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
  view.guarded = true
}

function label(view) {
  view.pane.setAttribute("aria-label", view.data.name.replaceAll("_", " "))
  view.alt.textContent = view.data.alt
  view.opens.hidden = !view.data.opens
}

function mark(view) {
  for (const node of view.svg.querySelectorAll(".choice")) {
    const chosen = node.id === view.data.chosen
    node.classList.toggle("chosen", chosen)
    node.setAttribute("aria-pressed", String(chosen))
  }
}

function find(view, id) {
  return [...view.svg.querySelectorAll(".choice")].find((node) => node.id === id)
}

function deepFocus(view) {
  return view.pane.getRootNode().activeElement
}

// ── moving and zooming: the visible part is the viewBox, from (x, y), in points; scale is pixels per point ──────────

function settle(view) {
  if (!view.svg || !view.pane.clientWidth) return // in a tab that is not open
  stretch(view)
  if (!view.guarded) guard(view)
  if (view.fitted) fit(view)
  else place(view)
}

function stretch(view) {
  const { height, tallest, narrow } = view.data
  const wide = view.pane.clientWidth
  const tools = view.root.clientHeight - view.pane.clientHeight
  const needed = view.height * Math.min(wide / view.width, 1) + 2 * MARGIN + tools
  view.root.style.height = `${Math.min(Math.max(needed, height), tallest)}px`
  const now = wide < NARROW
  if (narrow === null || narrow === now) view.told = null
  else if (view.told !== now) view.tellWidth((view.told = now)) // once, however often the size changes meanwhile
}

function place(view) {
  const { clientWidth: wide, clientHeight: high } = view.pane
  view.svg.setAttribute("viewBox", `${view.x} ${view.y} ${wide / view.scale} ${high / view.scale}`)
  view.pane.dataset.scale = view.scale.toFixed(4)
  view.tip.hidden = true
}

function fit(view) {
  const wide = view.pane.clientWidth - 2 * MARGIN
  const high = view.pane.clientHeight - 2 * MARGIN
  if (wide <= 0 || high <= 0) return
  view.scale = Math.min(wide / view.width, high / view.height, LARGEST_FIT)
  view.x = (view.width - view.pane.clientWidth / view.scale) / 2
  view.y = -MARGIN / view.scale // from the top, so that two pictures side by side can be compared
  view.fitted = true
  place(view)
}

function zoom(view, factor, px = view.pane.clientWidth / 2, py = view.pane.clientHeight / 2) {
  const scale = Math.min(Math.max(view.scale * factor, LEAST), MOST)
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

// A box that was just opened is shown large where the whole picture would be too small to read.
function showOpened(view) {
  const node = find(view, view.opened)
  view.opened = null
  if (!node || !view.fitted || view.scale >= READABLE) return
  const [from, to] = [node.getBoundingClientRect(), view.pane.getBoundingClientRect()]
  const [wide, high] = [from.width / view.scale, from.height / view.scale]
  view.x += (from.left + from.width / 2 - to.left - to.width / 2) / view.scale
  view.y += (from.top + from.height / 2 - to.top - to.height / 2) / view.scale
  zoom(view, Math.min((to.width - 2 * MARGIN) / wide, (to.height - 2 * MARGIN) / high, 1) / view.scale)
}

function reveal(view, node) {
  const pane = view.pane.getBoundingClientRect()
  const box = node.getBoundingClientRect()
  const dx = Math.max(box.right - pane.right + MARGIN, 0) || Math.min(box.left - pane.left - MARGIN, 0)
  const dy = Math.max(box.bottom - pane.bottom + MARGIN, 0) || Math.min(box.top - pane.top - MARGIN, 0)
  if (dx || dy) pan(view, dx, dy)
}

// ── hands ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function wheel(view, event) {
  if (!event.ctrlKey && !event.metaKey) return // the page scrolls
  event.preventDefault()
  const pane = view.pane.getBoundingClientRect()
  zoom(view, Math.exp(-event.deltaY * 0.002), event.clientX - pane.left, event.clientY - pane.top)
}

function grab(view, event) {
  if (event.button !== 0) return
  view.drag = { x: event.clientX, y: event.clientY, moved: false, node: choice(event) }
}

function pull(view, event) {
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

function release(view, event) {
  const { drag } = view
  view.drag = null
  view.pane.classList.remove("dragging")
  if (drag && !drag.moved && drag.node && event.type === "pointerup") view.choose(drag.node.id)
}

function press(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const side = 60
  const keys = {
    "+": () => zoom(view, STEP), "=": () => zoom(view, STEP), "-": () => zoom(view, 1 / STEP), "0": () => fit(view),
    ArrowLeft: () => pan(view, -side, 0), ArrowRight: () => pan(view, side, 0),
    ArrowUp: () => pan(view, 0, -side), ArrowDown: () => pan(view, 0, side),
    Escape: () => (view.tip.hidden = true),
  }
  const node = choice(event)
  const opens = event.shiftKey && view.data.opens
  if (node) keys.Enter = keys[" "] = () => (opens ? view.open(node.id) : view.choose(node.id))
  if (!keys[event.key]) return
  event.preventDefault()
  keys[event.key]()
}

function choice(event) {
  return event.target.closest?.(".choice") ?? null
}

// ── numbers of a box ───────────────────────────────────────────────────────────────────────────────────────────────

function hover(view, event) {
  const node = choice(event)
  if (!node) return void (view.tip.hidden = true)
  const root = view.root.getBoundingClientRect()
  tell(view, node, event.clientX - root.left + 14, event.clientY - root.top + 16)
}

function focus(view, event) {
  const node = choice(event)
  if (!node) return
  reveal(view, node)
  if (!node.matches(":focus-visible")) return
  const [root, box] = [view.root.getBoundingClientRect(), node.getBoundingClientRect()]
  tell(view, node, box.left - root.left, box.bottom - root.top + 6)
}

function tell(view, node, x, y) {
  const { tip, root } = view
  tip.textContent = view.data.hover[node.id]
  tip.hidden = false
  const left = Math.max(0, Math.min(x, root.clientWidth - tip.offsetWidth))
  const top = y + tip.offsetHeight > root.clientHeight ? Math.max(0, y - tip.offsetHeight - 28) : y
  tip.style.transform = `translate(${left}px, ${top}px)`
}

// ── downloads ──────────────────────────────────────────────────────────────────────────────────────────────────────

function act(view, what) {
  const actions = {
    in: () => zoom(view, STEP), out: () => zoom(view, 1 / STEP), fit: () => fit(view),
    svg: () => save(view, "svg", new Blob([whole(view)], { type: "image/svg+xml" })),
    png: () => png(view),
    dot: () => save(view, "gv", new Blob([view.data.dot], { type: "text/vnd.graphviz" })),
  }
  actions[what]()
}

// The whole picture as text that needs no style sheet: what the eye sees is written into each element.
function whole(view) {
  const chosen = view.svg.querySelector(".chosen")
  chosen?.classList.remove("chosen")
  const copy = view.svg.cloneNode(true)
  const [seen, kept] = [view.svg, copy].map((svg) => svg.querySelectorAll("path, polygon, polyline, ellipse, text"))
  seen.forEach((element, index) => {
    const style = getComputedStyle(element)
    const names = element.tagName === "text" ? KEPT_OF_TEXT : KEPT
    for (const name of names) kept[index].setAttribute(name, plain(style.getPropertyValue(name)))
    kept[index].removeAttribute("class")
  })
  chosen?.classList.add("chosen")
  for (const node of copy.querySelectorAll("[tabindex]")) {
    for (const name of ["tabindex", "role", "aria-label", "aria-pressed"]) node.removeAttribute(name)
  }
  const ground = document.createElementNS(SVG, "rect")
  ground.setAttribute("width", view.width)
  ground.setAttribute("height", view.height)
  ground.setAttribute("fill", getComputedStyle(view.pane).backgroundColor)
  copy.prepend(ground)
  copy.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`)
  copy.setAttribute("width", view.width)
  copy.setAttribute("height", view.height)
  copy.removeAttribute("role")
  return new XMLSerializer().serializeToString(copy)
}

// Other programs do not know the notation in which a browser gives a mixed colour.
function plain(value) {
  const mixed = /^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(value)
  return mixed ? `rgb(${mixed.slice(1).map((part) => Math.round(part * 255)).join(", ")})` : value
}

function png(view) {
  const sharp = Math.min(3, PNG_SIDE / Math.max(view.width, view.height))
  const image = new Image()
  const source = URL.createObjectURL(new Blob([whole(view)], { type: "image/svg+xml" }))
  image.onload = () => {
    const canvas = document.createElement("canvas")
    canvas.width = Math.round(view.width * sharp)
    canvas.height = Math.round(view.height * sharp)
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
    URL.revokeObjectURL(source)
    canvas.toBlob((blob) => save(view, "png", blob), "image/png")
  }
  image.src = source
}

function save(view, ending, blob) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = `${view.data.name.replace(/[^\w.-]+/g, "_")}.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
