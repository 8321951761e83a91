// Shows an SVG made on the server (explorer/views/map_images.py, module_maps.py) and reports which part the user
// selects. A selectable part has data-choice. One part at a time is in the Tab order; the arrow keys move to the nearest
// part in their direction.
//
// Parts may be linked: under the pointer or the focus, a part lights up with the lines whose data-link has its id, the
// parts (data-map) at their other ends, and its own texts (data-of); its name is in the line of text below the drawing.
//
// data: svg, selected (the ids of the marked parts), limits (pixels: widths below which there is another drawing),
// narrow (those of them that this one is for), reveal (the class of the element that shows the selected part, which is
// scrolled into view).
const REVEAL_MS = 30_000 // for which the element that shows a selected part may grow, on a busy server
const LOOK_MS = 50 // between two looks at its height
const drawn = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  const root = parentElement.querySelector(".selectable")
  reportWidth(root, data, (narrow) => setStateValue("narrow", narrow))
  if (!drawn.has(root)) watchFocus(root)
  if (drawn.get(root) !== data.svg) {
    const focusedId = root.contains(focused(root)) ? focused(root).dataset.choice : null
    root.innerHTML = data.svg
    drawn.set(root, data.svg)
    for (const part of parts(root)) part.setAttribute("role", "button")
    if (focusedId) find(root, focusedId)?.focus({ preventScroll: true })
  }
  mark(root, data.selected)
  light(root, atRest(root))
  const select = (part) => {
    makeTabStop(root, part)
    setTriggerValue("select", part.dataset.choice)
    if (data.reveal) reveal(root.ownerDocument, data.reveal)
  }
  root.onclick = (event) => partOf(event) && select(partOf(event))
  root.onkeydown = (event) => {
    const from = partOf(event)
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return
    const direction = DIRECTIONS[event.key]
    if (direction) (nearest(root, from, direction) ?? from).focus()
    else if (event.key === "Enter" || event.key === " ") select(from)
    else return
    event.preventDefault()
  }
  root.onpointerover = (event) => light(root, partOf(event) ?? atRest(root))
  root.onpointerleave = () => light(root, atRest(root))
}

// Once: no property of an element takes these events.
function watchFocus(root) {
  root.addEventListener("focusin", (event) => {
    if (!partOf(event)) return
    makeTabStop(root, partOf(event))
    light(root, partOf(event))
  })
  root.addEventListener("focusout", () => light(root, atRest(root)))
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function partOf(event) {
  return event.target.closest?.("[data-choice]") ?? null
}

function parts(root) {
  return [...root.querySelectorAll("[data-choice]")]
}

function find(root, id) {
  return parts(root).find((part) => part.dataset.choice === id)
}

function focused(root) {
  return root.getRootNode().activeElement
}

function mark(root, selected) {
  const all = parts(root)
  for (const part of all) {
    const isSelected = selected.includes(part.dataset.choice)
    part.classList.toggle("selected", isSelected)
    part.setAttribute("aria-pressed", String(isSelected))
  }
  const first = all.find((part) => part.classList.contains("selected")) ?? all[0]
  if (!first) return
  makeTabStop(root, root.contains(focused(root)) ? (focused(root).closest("[data-choice]") ?? first) : first)
}

function makeTabStop(root, tabStop) {
  for (const part of parts(root)) part.setAttribute("tabindex", part === tabStop ? "0" : "-1")
}

// Distance across the direction counts three times, so that an arrow key leaves a row only at its end.
function nearest(root, from, [dx, dy]) {
  const centre = (part) => {
    const box = part.getBoundingClientRect()
    return [box.left + box.width / 2, box.top + box.height / 2]
  }
  const [x, y] = centre(from)
  let best = null
  let least = Infinity
  for (const part of parts(root)) {
    const [partX, partY] = centre(part)
    const ahead = (partX - x) * dx + (partY - y) * dy
    if (part === from || ahead < 2) continue
    const distance = ahead + 3 * Math.abs((partX - x) * dy + (partY - y) * dx)
    if (distance < least) [best, least] = [part, distance]
  }
  return best
}

// ── linked parts ────────────────────────────────────────────────────────────────────────────────────────────────────

function atRest(root) {
  const focusedPart = root.querySelector("[data-choice]:focus-visible")
  return focusedPart ?? root.querySelector("[data-choice].selected")
}

function light(root, part) {
  const links = [...root.querySelectorAll("[data-link]")]
  if (!links.length) return
  const id = part?.dataset.choice
  const lit = new Set([id])
  for (const link of links) {
    const ends = link.dataset.link.split(" ")
    link.classList.toggle("lit", ends.includes(id))
    if (ends.includes(id)) ends.forEach((end) => lit.add(end))
  }
  for (const one of root.querySelectorAll("[data-map]")) one.classList.toggle("lit", lit.has(one.dataset.map))
  for (const text of root.querySelectorAll("[data-of]")) text.classList.toggle("lit", text.dataset.of === id)
  root.classList.toggle("lighting", Boolean(id))
  const readout = root.querySelector(".readout")
  if (readout) readout.textContent = part?.getAttribute("aria-label") ?? readout.dataset.hint
}

// Scrolls to what shows the selected part, as soon as it is there and whenever it grows, which takes as long as the
// server's answer. A reader who scrolls is left alone.
function reveal(page, name) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches
  let until = performance.now() + REVEAL_MS
  let height = 0
  const stop = () => { until = 0 }
  for (const kind of ["wheel", "touchmove"]) page.addEventListener(kind, stop, { once: true, passive: true })
  const look = () => {
    const element = page.querySelector(`.${name}`)
    if (element && element.clientHeight !== height) {
      height = element.clientHeight
      element.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" })
    }
    if (performance.now() < until) setTimeout(look, LOOK_MS)
  }
  look()
}

function reportWidth(root, { narrow, limits }, report) {
  Object.assign(root, { narrow, limits, report })
  if (!limits.length || root.observer) return
  root.observer = new ResizeObserver(() => {
    const found = root.limits.filter((limit) => root.clientWidth < limit)
    if (!root.clientWidth || String(found) === String(root.narrow)) root.reported = null
    else if (root.reported !== String(found)) { // once per change
      root.reported = String(found)
      root.report(found)
    }
  })
  root.observer.observe(root)
}
