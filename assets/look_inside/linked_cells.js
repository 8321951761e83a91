// Shows a window, its kernel and their products (explorer/views/unit_charts.py). A cell under the pointer is marked in
// all three, and its product is written below. The grids are one stop of the Tab key; arrow keys go from cell to cell.
//
// data: html. A cell has data-cell ("row:column") and data-product (its product in words). The row of a window without
// products has data-hint.
const drawn = new WeakMap()
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }

export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".linked-cells")
  if (drawn.get(root) === data.html) return
  drawn.set(root, data.html)
  const grids = root.querySelector("div")
  const product = root.querySelector("p")
  grids.innerHTML = data.html
  product.hidden = !data.html
  if (!data.html) return grids.removeAttribute("tabindex")
  grids.setAttribute("tabindex", "0")
  const show = (place) => {
    for (const cell of grids.querySelectorAll(".lit")) cell.classList.remove("lit")
    const cells = place ? grids.querySelectorAll(`[data-cell="${place}"]`) : []
    for (const cell of cells) cell.classList.add("lit")
    grids.dataset.place = cells.length ? place : ""
    product.textContent = cells[0]?.dataset.product ?? grids.firstElementChild?.dataset.hint ?? product.dataset.hint
  }
  show(null)
  grids.onpointermove = (event) => show(event.target.closest?.("[data-cell]")?.dataset.cell)
  grids.onpointerleave = () => show(null)
  grids.onfocus = () => grids.matches(":focus-visible") && show("0:0")
  grids.onblur = () => show(null)
  grids.onkeydown = (event) => {
    const arrow = ARROWS[event.key]
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const next = (grids.dataset.place || "0:0").split(":").map((at, axis) => Number(at) + arrow[axis])
    if (grids.querySelector(`[data-cell="${next.join(":")}"]`)) show(next.join(":"))
  }
}
