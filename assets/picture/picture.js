// Shows an SVG that the server drew (explorer/views/svg.py), how to read it, and its data to take away.
// It takes colour and font from the page around it.
export default function (component) {
  const { data, parentElement } = component;
  const figure = parentElement.querySelector(".picture");
  const [place, caption, how, button] = ["div", "figcaption", "span", "button"].map((tag) => figure.querySelector(tag));
  if (place.shown !== data.svg) {
    place.innerHTML = data.svg;
    place.shown = data.svg;
  }
  how.textContent = data.how;
  caption.hidden = !data.how;
  button.hidden = !data.csv;
  button.title = data.file ?? ""; // tells the buttons of a page apart
  button.onclick = () => save(data.file, data.csv);
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
