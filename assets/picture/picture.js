// Shows an SVG that the server drew (explorer/views/svg.py). It takes colour and font from the page around it.
export default function (component) {
  const { data, parentElement } = component;
  const place = parentElement.querySelector(".picture");
  if (place.dataset.shown !== data.svg) {
    place.innerHTML = data.svg;
    place.dataset.shown = data.svg;
  }
}
