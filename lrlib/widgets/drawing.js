// What all live figures share: elements, a frame with ticks, a slider, and the look. Comes before each module.
const SVG = "http://www.w3.org/2000/svg";
const SLIDER_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

// Names of classes must not be Bootstrap's, which gives `.mark` a colour of its own.
const CSS = `
.lr-live { max-width: 760px; margin: 0 auto; color: inherit; font-size: 14px; line-height: 1.4; }
.lr-live p { margin: 0 0 .3rem; }
.lr-live-title { font-weight: 600; }
.lr-live-panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: .25rem 1rem; }
.lr-live-panels svg { display: block; width: 100%; max-width: 460px; height: auto; margin: 0 auto; }
.lr-live text { fill: currentColor; font-size: 12px; }
.lr-live .name { font-weight: 600; }
.lr-live .grid { stroke: currentColor; stroke-opacity: .13; }
.lr-live .frame { fill: none; stroke: currentColor; stroke-opacity: .4; }
.lr-live .region { fill: #35618f; fill-opacity: .07; fill-rule: evenodd; stroke: currentColor; stroke-opacity: .28; }
.lr-live .sign { fill: none; stroke: currentColor; stroke-width: 2; }
.lr-live .star { fill: currentColor; stroke: none; }
.lr-live .saddle { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; }
.lr-live .others { fill: none; stroke: currentColor; stroke-opacity: .14; }
.lr-live-key .others { stroke-opacity: .4; }
.lr-live .run { fill: none; stroke: var(--ink); stroke: color-mix(in oklab, var(--ink) 78%, currentColor); stroke-linejoin: round; }
.lr-live .dots { fill: none; stroke: var(--ink); stroke: color-mix(in oklab, var(--ink) 78%, currentColor); stroke-linecap: round; }
.lr-live-key { display: flex; flex-wrap: wrap; gap: 0 1.2rem; }
.lr-live-key svg { width: 34px; height: 10px; margin-right: .4rem; }
.lr-live-sliders { display: grid; grid-template-columns: auto minmax(7rem, 1fr) auto; gap: .2rem .7rem; align-items: center; margin: .4rem 0; }
.lr-live-sliders label { display: contents; }
.lr-live-sliders input { width: 100%; height: 28px; margin: 0; accent-color: #1f6fb2; accent-color: color-mix(in oklab, #1f6fb2 80%, currentColor); cursor: pointer; }
.lr-live-sliders output { min-width: var(--widest); font-weight: 600; font-variant-numeric: tabular-nums; }
`;

function element(tag, attributes = {}, parent = null, text = null) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

function shape(tag, attributes, parent, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

// A frame with ticks and names; `inside` clips what is drawn in it. X and Y place shares of the axes.
function panel(parent, { width, height, left, right, top, bottom }, x, y, { name, xName }) {
  const w = width - left - right, h = height - top - bottom;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, parent);
  const X = (share) => share * w, Y = (share) => h - share * h;
  const back = shape("svg", { x: left, y: top, width: w, height: h }, svg);
  const axes = shape("g", { transform: `translate(${left},${top})` }, svg);
  for (const [v, label] of x.ticks) {
    shape("path", { class: "grid", d: `M${X(v)},0V${h}` }, axes);
    const last = X(v) > w - 12; // would be cut at the edge
    shape("text", { x: last ? w + 12 : X(v), y: h + 15, "text-anchor": last ? "end" : "middle" }, axes, label);
  }
  for (const [v, label] of y.ticks) {
    shape("path", { class: "grid", d: `M0,${Y(v)}H${w}` }, axes);
    shape("text", { x: -6, y: Y(v) + 4, "text-anchor": "end" }, axes, label);
  }
  shape("rect", { class: "frame", width: w, height: h }, axes);
  shape("text", { class: "name", x: 0, y: -7 }, axes, name);
  shape("text", { x: w, y: h + 30, "text-anchor": "end" }, axes, xName);
  const inside = shape("svg", { x: left, y: top, width: w, height: h }, svg);
  const note = shape("text", { x: w, y: -7, "text-anchor": "end" }, axes);
  return { svg, back, inside, note, X, Y, w, h, left, below: top + h + 30 };
}

const line = (points) => (points.length ? "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L") : "");

function slider(parent, { name, values }, changed) {
  const row = element("label", {}, parent);
  element("span", {}, row, name);
  const input = element("input", { type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": name }, row);
  const widest = Math.max(...values.map((v) => v.length));
  const output = element("output", { "aria-live": "off", style: `--widest: ${widest}ch` }, row); // the slider itself speaks its value
  input.addEventListener("input", () => changed(Number(input.value)));
  for (const type of ["keydown", "keyup", "keypress"]) {
    input.addEventListener(type, (event) => { if (SLIDER_KEYS.has(event.key)) event.stopPropagation(); }); // JupyterLab would take it
  }
  return (index) => {
    input.value = index;
    input.setAttribute("aria-valuetext", values[index]);
    output.textContent = values[index];
  };
}
