// Shows an SVG that the server drew (explorer/views/svg.py), how to read it, and a button that saves its data.
// Colours and font are those of the page.
export default function (component) {
  const { data, parentElement } = component;
  const figure = parentElement.querySelector(".chart");
  const [drawing, caption, reading, button] = ["div", "figcaption", "span", "button"].map((tag) =>
    figure.querySelector(tag),
  );
  if (drawing.svg !== data.svg) {
    drawing.innerHTML = data.svg;
    drawing.svg = data.svg;
  }
  if (!drawing.observer) {
    drawing.observer = new ResizeObserver(() => makeScrollable(drawing));
    drawing.observer.observe(drawing);
  }
  reading.textContent = data.reading;
  caption.hidden = !data.reading;
  button.hidden = !data.csv;
  button.title = data.file ?? ""; // tells the buttons of a page apart
  button.onclick = () => save(data.file, data.csv);
}

// A chart that is wider than a phone scrolls with the keyboard too.
function makeScrollable(drawing) {
  if (drawing.scrollWidth > drawing.clientWidth) drawing.setAttribute("tabindex", "0");
  else drawing.removeAttribute("tabindex");
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
