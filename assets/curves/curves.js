// Draws panels of lines (explorer/views/curves.py) over a shared horizontal axis. New points keep the elements, the zoom
// (drag along a chart; double-click or the button resets it) and the lines hidden with the legend.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 12, LABELS = 72, TOP = 8, BOTTOM = 36, LABEL_HEIGHT = 12;
const views = new WeakMap();

// Pixels of the screen for one unit of a chart: more than 1 where the page enlarges its texts, for a projector.
const unitPx = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view || view.name !== data.name) {
    view = { name: data.name, root: parentElement.querySelector(".curves"), hidden: new Set(), zoom: null, panels: [] };
    view.root.replaceChildren();
    view.reset = element("button", "reset", "Reset zoom");
    view.reset.onclick = () => zoomTo(view, null);
    views.set(parentElement, view);
    new ResizeObserver(() => draw(view)).observe(view.root);
  }
  view.data = data;
  view.root.classList.toggle("wide-first", data.wideFirst);
  while (view.panels.length > data.panels.length) view.panels.pop().figure.remove();
  data.panels.forEach((panel, at) => { view.panels[at] ??= createPanel(view, at); updateLegend(view, at, panel); });
  view.root.append(view.reset);
  draw(view);
}

function element(tag, name = "", text = "") {
  const created = document.createElement(tag);
  created.className = name;
  created.textContent = text;
  return created;
}

function shape(tag, attributes, text = "") {
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.textContent = text;
  return created;
}

function createPanel(view, at) {
  const panel = { figure: element("figure"), caption: element("figcaption"), svg: shape("svg", { role: "img" }), names: "" };
  panel.tooltip = element("div", "tooltip");
  panel.tooltip.hidden = true;
  panel.figure.append(panel.caption, panel.svg, panel.tooltip);
  view.root.append(panel.figure);
  const xOf = (event) => (event.clientX - panel.svg.getBoundingClientRect().left) / unitPx();
  panel.svg.onpointerdown = (event) => { panel.dragStart = panel.scale?.toX(xOf(event)) ?? null; };
  panel.svg.onpointermove = (event) => hover(view, at, xOf(event));
  panel.svg.onpointerup = (event) => finishDrag(view, panel, xOf(event));
  panel.svg.onpointerleave = () => { panel.dragStart = panel.pointer = null; draw(view); };
  panel.svg.ondblclick = () => zoomTo(view, null);
  return panel;
}

// The title and a button per line. They are created again only when their names change, so that the focus stays.
function updateLegend(view, at, { title, lines }) {
  const panel = view.panels[at], named = lines.filter((line) => !line.is_faint);
  const names = JSON.stringify([title, named.map((line) => [line.name, line.colour, line.dash])]);
  if (panel.names === names) return;
  panel.names = names;
  panel.caption.replaceChildren(element("b", "", title));
  for (const line of named) {
    const button = element("button"), key = `${title}/${line.name}`, sample = shape("svg", { width: 18, height: 8 });
    sample.style.cssText = "width:18px;height:8px;cursor:pointer";
    sample.append(shape("line", { x1: 0, x2: 18, y1: 4, y2: 4, stroke: line.colour, "stroke-width": 3, "stroke-dasharray": line.dash }));
    button.append(sample, line.name);
    button.setAttribute("aria-pressed", String(!view.hidden.has(key)));
    button.onclick = () => {
      if (!view.hidden.delete(key)) view.hidden.add(key);
      button.setAttribute("aria-pressed", String(!view.hidden.has(key)));
      draw(view);
    };
    panel.caption.append(button);
  }
}

function zoomTo(view, range) {
  view.zoom = range;
  draw(view);
}

function finishDrag(view, panel, x) {
  const from = panel.dragStart, to = panel.scale?.toX(x);
  panel.dragStart = null;
  if (from === null || from === undefined || to === undefined) return;
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  if (panel.scale.x(high) - panel.scale.x(low) > 8) zoomTo(view, [low, high]);
}

function hover(view, at, x) {
  const panel = view.panels[at];
  panel.pointer = panel.scale ? panel.scale.toX(x) : null;
  drawPanel(view, at);
}

function draw(view) {
  view.reset.hidden = view.zoom === null;
  view.panels.forEach((_, at) => drawPanel(view, at));
}

function drawPanel(view, at) {
  const panel = view.panels[at], { title, lines, unit, has_end_labels: labelled } = view.data.panels[at];
  const width = Math.round(panel.figure.clientWidth / unitPx()), height = view.data.height;
  if (width < 80) return;
  panel.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  panel.svg.setAttribute("height", height * unitPx());
  panel.svg.setAttribute("aria-label", `${title}. ${lines.filter((l) => !l.is_faint && l.points.length).map(
    (l) => `${l.name}: ${pointText(l.points.at(-1), unit)}`).join(", ") || "no points yet"}`);
  const visible = lines.filter((line) => !view.hidden.has(`${title}/${line.name}`));
  const range = view.zoom ?? wholeRange(view.data.panels);
  const inside = visible.map((line) => pointsIn(line.points, range, unit));
  const scale = panel.scale = createScale(range, valueRange(inside, unit), unit, width, height, labelled ? LABELS : RIGHT);
  const parts = [...axes(scale, unit, view.data.axis, width, height)];
  visible.forEach((line, n) => parts.push(...lineParts(line, inside[n], scale)));
  if (labelled) parts.push(...endLabels(visible, inside, scale, height));
  if (!inside.some((points) => points.length)) {
    parts.push(shape("text", { x: LEFT + 12, y: height / 2 }, view.data.empty));
  }
  if (panel.dragStart != null && panel.pointer != null) {
    const [a, b] = [scale.x(panel.dragStart), scale.x(panel.pointer)].sort((p, q) => p - q);
    parts.push(shape("rect", { class: "brush", x: a, y: TOP, width: b - a, height: height - TOP - BOTTOM }));
  }
  panel.tooltip.hidden = true;
  if (panel.pointer != null && panel.dragStart == null) showTooltip(view, panel, visible, inside, scale, unit, parts, width, height);
  panel.svg.replaceChildren(...parts);
}

function wholeRange(panels) {
  const xs = panels.flatMap((panel) => panel.lines.flatMap((line) => line.points.length ? [line.points.at(-1)[0]] : []));
  return [0, Math.max(...xs, 1)];
}

function pointsIn(points, [low, high], unit) {
  return points.filter(([x, y]) => x >= low && x <= high && Number.isFinite(y) && (unit !== "log" || y > 0));
}

function valueRange(inside, unit) {
  const ys = inside.flat().flatMap(([, ...ys]) => ys); // with the bounds of intervals
  if (!ys.length) return unit === "log" ? [0.1, 10] : [0, 1];
  const low = ys.reduce((a, b) => Math.min(a, b)), high = ys.reduce((a, b) => Math.max(a, b));
  if (unit === "log") return [low * 0.8, high * 1.25];
  const pad = 0.06 * (high - low || Math.abs(high) || 1);
  return [Math.max(0, low - pad), unit === "fraction" ? Math.min(1, high + pad) : high + pad];
}

function createScale([x0, x1], [y0, y1], unit, width, height, right) {
  const [inner, tall] = [width - LEFT - right, height - TOP - BOTTOM], f = unit === "log" ? Math.log : (y) => y;
  const [low, high] = [f(y0), f(y1)];
  return {
    xs: [x0, x1], ys: [y0, y1], end: width - right,
    x: (x) => LEFT + (inner * (x - x0)) / (x1 - x0 || 1),
    y: (y) => TOP + tall * (1 - (f(y) - low) / (high - low || 1)),
    toX: (pixel) => x0 + ((Math.min(Math.max(pixel, LEFT), LEFT + inner) - LEFT) / inner) * (x1 - x0),
  };
}

function axes(scale, unit, axis, width, height) {
  const parts = [], floor = height - BOTTOM;
  for (const y of unit === "log" ? powers(scale.ys) : steps(scale.ys, 5)) {
    parts.push(shape("line", { class: "grid", x1: LEFT, x2: scale.end, y1: scale.y(y), y2: scale.y(y) }));
    parts.push(shape("text", { x: LEFT - 7, y: scale.y(y) + 4, "text-anchor": "end" }, valueText(y, unit)));
  }
  for (const x of steps(scale.xs, Math.max(2, Math.floor(width / 110)))) {
    parts.push(shape("line", { class: "grid", x1: scale.x(x), x2: scale.x(x), y1: TOP, y2: floor }));
    parts.push(shape("text", { x: scale.x(x), y: floor + 16, "text-anchor": "middle" }, short(x)));
  }
  parts.push(shape("text", { x: (LEFT + scale.end) / 2, y: height - 4, "text-anchor": "middle" }, axis));
  return parts;
}

function lineParts(line, points, scale) {
  if (!points.length) return [];
  const at = points.map(([x, y]) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`).join(" ");
  const parts = [...band(line, points, scale), shape("polyline", { points: at, fill: "none", stroke: line.colour, "stroke-width": line.width,
    "stroke-dasharray": line.dash, "stroke-linejoin": "round", "stroke-opacity": line.is_faint ? 0.45 : 1 })];
  for (const [x, , low, high] of points.filter((point) => point.length > 2 && !line.has_band)) {
    const at = scale.x(x);
    parts.push(shape("path", { class: "interval", stroke: line.colour,
      d: `M${at - 4} ${scale.y(low)}h8M${at} ${scale.y(low)}V${scale.y(high)}M${at - 4} ${scale.y(high)}h8` }));
  }
  if (line.has_markers) {
    parts.push(...points.map(([x, y]) => shape("circle", { cx: scale.x(x), cy: scale.y(y), r: line.is_faint ? 2 : 3, fill: line.colour,
      "fill-opacity": line.is_faint ? 0.6 : 1 })));
  }
  return parts;
}

// The intervals of a line as an area around it; a single one as a bar.
function band(line, points, scale) {
  const known = line.has_band ? points.filter((point) => point.length > 2) : [];
  if (!known.length) return [];
  const edge = (bound) => known.map((point) => `${scale.x(point[0]).toFixed(1)},${scale.y(point[bound]).toFixed(1)}`);
  return [shape("polygon", { class: "band", points: [...edge(2), ...edge(3).reverse()].join(" "), fill: line.colour, stroke: line.colour })];
}

// The name of each line beside its last point, pushed apart where they would overlap, with a line from one to the other.
function endLabels(lines, inside, scale, height) {
  const labels = lines.map((line, n) => ({ line, last: inside[n].at(-1) })).filter(({ last }) => last)
    .map(({ line, last }) => ({ line, x: scale.x(last[0]), from: scale.y(last[1]), y: scale.y(last[1]) })).sort((a, b) => a.y - b.y);
  labels.forEach((label, n) => { label.y = Math.max(label.y, n ? labels[n - 1].y + LABEL_HEIGHT : TOP + 4); });
  let floor = height - BOTTOM + 2;
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, floor);
    floor = label.y - LABEL_HEIGHT;
  }
  return labels.flatMap(({ line, x, from, y }) => [
    shape("line", { x1: x, y1: from, x2: scale.end + 9, y2: y, stroke: line.colour, "stroke-opacity": 0.5 }),
    shape("text", { class: "end-label", x: scale.end + 11, y: y + 4 }, line.name),
  ]);
}

// The values of all lines at the point nearest to the pointer, in a box beside it.
function showTooltip(view, panel, lines, inside, scale, unit, parts, width, height) {
  const near = inside.map((points) => nearest(points, panel.pointer));
  const rows = lines.map((line, n) => [line, near[n]]).filter(([line, point]) => point && !line.is_faint);
  if (!rows.length) return;
  const x = scale.x(nearest(rows.map(([, point]) => point), panel.pointer)[0]);
  parts.push(shape("line", { class: "cross", x1: x, x2: x, y1: TOP, y2: height - BOTTOM }));
  panel.tooltip.replaceChildren(element("div", "", `${short(rows[0][1][0])} ${view.data.axis}`), ...rows.map(([line, point]) => {
    const row = element("div"), dot = element("i");
    dot.style.background = line.colour;
    row.append(dot, `${line.name}: ${pointText(point, unit)}`);
    return row;
  }));
  panel.tooltip.hidden = false;
  panel.tooltip.style.top = `${panel.caption.offsetHeight + TOP * unitPx()}px`;
  const beyond = x > width / 2;
  panel.tooltip.style.left = beyond ? "auto" : `${(x + 12) * unitPx()}px`;
  panel.tooltip.style.right = beyond ? `${(width - x + 12) * unitPx()}px` : "auto";
}

function nearest(points, x) {
  return points.reduce((best, point) => (best && Math.abs(best[0] - x) <= Math.abs(point[0] - x) ? best : point), null);
}

function steps([low, high], count) {
  const rough = (high - low) / count, size = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n >= rough * 0.999) ?? size;
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high * (1 + 1e-9); n++) found.push(n * step || 0);
  return found;
}

function powers([low, high]) {
  const found = [], sparse = Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    found.push(...sparse.map((n) => n * 10 ** power).filter((y) => y >= low && y <= high));
  }
  return found;
}

function pointText([, y, low, high], unit) {
  return low === undefined ? valueText(y, unit) : `${valueText(y, unit)} (${valueText(low, unit)} to ${valueText(high, unit)})`;
}

function valueText(y, unit) {
  return unit === "fraction" ? `${Number((100 * y).toPrecision(3))} %` : String(Number(y.toPrecision(3)));
}

function short(x) {
  for (const [size, unit] of [[1e12, " T"], [1e9, " G"], [1e6, " M"]]) if (x >= size) return `${Number((x / size).toPrecision(3))}${unit}`;
  return x.toLocaleString("en", { maximumFractionDigits: x < 10 ? 1 : 0 });
}
