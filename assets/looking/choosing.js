// Shows an SVG that the server drew (explorer/views/map_images.py) and tells which of its parts was chosen. A part that can
// be chosen has data-choice. One part takes part in Tab; the arrow keys lead to the nearest part in their direction.
//
// data: svg, chosen (the ids of the parts that are marked).
const shown = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const place = parentElement.querySelector(".choosing")
  if (shown.get(place) !== data.svg) {
    const held = place.contains(focused(place)) ? focused(place).dataset.choice : null
    place.innerHTML = data.svg
    shown.set(place, data.svg)
    for (const part of parts(place)) part.setAttribute("role", "button")
    if (held) find(place, held)?.focus({ preventScroll: true })
  }
  mark(place, data.chosen)
  const choose = (part) => {
    reach(place, part)
    setTriggerValue("choose", part.dataset.choice)
  }
  place.onclick = (event) => part(event) && choose(part(event))
  place.onkeydown = (event) => {
    const from = part(event)
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return
    const direction = DIRECTIONS[event.key]
    if (direction) (nearest(place, from, direction) ?? from).focus()
    else if (event.key === "Enter" || event.key === " ") choose(from)
    else return
    event.preventDefault()
  }
  place.onfocusin = (event) => part(event) && reach(place, part(event))
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function part(event) {
  return event.target.closest?.("[data-choice]") ?? null
}

function parts(place) {
  return [...place.querySelectorAll("[data-choice]")]
}

function find(place, id) {
  return parts(place).find((one) => one.dataset.choice === id)
}

function focused(place) {
  return place.getRootNode().activeElement
}

function mark(place, chosen) {
  const all = parts(place)
  for (const one of all) {
    const marked = chosen.includes(one.dataset.choice)
    one.classList.toggle("chosen", marked)
    one.setAttribute("aria-pressed", String(marked))
  }
  const first = all.find((one) => one.classList.contains("chosen")) ?? all[0]
  if (first) reach(place, place.contains(focused(place)) ? (focused(place).closest("[data-choice]") ?? first) : first)
}

// Make a part the one that Tab leads to.
function reach(place, reached) {
  for (const one of parts(place)) one.setAttribute("tabindex", one === reached ? "0" : "-1")
}

// What lies furthest ahead sideways counts three times: a row is left only where it ends.
function nearest(place, from, [dx, dy]) {
  const middle = (one) => {
    const box = one.getBoundingClientRect()
    return [box.left + box.width / 2, box.top + box.height / 2]
  }
  const [x, y] = middle(from)
  let best = null
  let least = Infinity
  for (const one of parts(place)) {
    const [toX, toY] = middle(one)
    const ahead = (toX - x) * dx + (toY - y) * dy
    if (one === from || ahead < 2) continue
    const distance = ahead + 3 * Math.abs((toX - x) * dy + (toY - y) * dx)
    if (distance < least) [best, least] = [one, distance]
  }
  return best
}
