// Shows an SVG that the server drew (explorer/views/svg.py), how to read it, and a button that saves its data.
// Colours and font are those of the page.
//
// data: svg, narrow (the drawing for a phone, null if there is only one), reading, file and csv (null for no data).
const PHONE = 600; // pixels: a page of less width shows the narrow drawing

export default function (component) {
  const { data, parentElement } = component;
  const figure = parentElement.querySelector(".chart");
  const [drawing, caption, reading, button] = ["div", "figcaption", "span", "button"].map((tag) =>
    figure.querySelector(tag),
  );
  drawing.data = data;
  draw(drawing);
  if (!drawing.observer) {
    drawing.observer = new ResizeObserver(() => {
      draw(drawing);
      makeScrollable(drawing);
    });
    drawing.observer.observe(drawing);
  }
  reading.textContent = data.reading;
  caption.hidden = !data.reading;
  button.hidden = !data.csv;
  button.title = data.file ?? ""; // tells the buttons of a page apart
  button.onclick = () => save(data.file, data.csv);
}

function draw(drawing) {
  const { svg, narrow } = drawing.data;
  const chosen = narrow && document.documentElement.clientWidth < PHONE ? narrow : svg;
  if (drawing.drawn === chosen) return;
  drawing.innerHTML = chosen;
  drawing.drawn = chosen;
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
