// Shows an SVG made on the server (explorer/views/map_images.py) and reports which part the user selects. A selectable
// part has data-choice. One part at a time is in the Tab order; the arrow keys move to the nearest part in their
// direction.
//
// data: svg, selected (the ids of the marked parts).
const drawn = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".selectable")
  if (drawn.get(root) !== data.svg) {
    const focusedId = root.contains(focused(root)) ? focused(root).dataset.choice : null
    root.innerHTML = data.svg
    drawn.set(root, data.svg)
    for (const part of parts(root)) part.setAttribute("role", "button")
    if (focusedId) find(root, focusedId)?.focus({ preventScroll: true })
  }
  mark(root, data.selected)
  const select = (part) => {
    makeTabStop(root, part)
    setTriggerValue("select", part.dataset.choice)
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
  root.onfocusin = (event) => partOf(event) && makeTabStop(root, partOf(event))
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
