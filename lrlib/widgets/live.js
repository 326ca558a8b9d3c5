// A live figure: looks up the run at the slider's position and draws it. Nothing is computed here but pixels.
const SVG = "http://www.w3.org/2000/svg";
const SLIDER_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);
const FAR = 1e4; // pixels: browsers draw wrongly what lies much further outside the frame

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
.lr-live .mark { fill: none; stroke: currentColor; stroke-width: 2; }
.lr-live .others { stroke-opacity: .13; }
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

// Three significant digits, in the words of lrlib/plots/wording.py.
function number(value) {
  if (!Number.isFinite(value)) return "infinity";
  if (value !== 0 && Math.abs(value) < 1e-12) return value > 0 ? "below 1e-12" : "above -1e-12";
  const [mantissa, power] = value.toExponential(2).split("e").map(Number);
  return power >= -4 && power < 3 ? String(Number(value.toPrecision(3))) : `${mantissa}e${power}`;
}

// Position of a value on an axis, as a fraction of its length.
function along({ log, limits: [low, high] }) {
  if (!log) return (v) => (v - low) / (high - low);
  const first = Math.log(low), extent = Math.log(high) - first;
  return (v) => (v > 0 ? (Math.log(v) - first) / extent : v === 0 ? -0.1 : NaN);
}

// A frame with ticks and names; `inside` clips what is drawn in it.
function panel(parent, { width, height, left, right, top, bottom }, x, y, { name, xName }) {
  const w = width - left - right, h = height - top - bottom;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, parent);
  const fx = along(x), fy = along(y);
  const X = (v) => Math.max(-FAR, Math.min(FAR, fx(v) * w)), Y = (v) => Math.max(-FAR, Math.min(FAR, h - fy(v) * h));
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

function floats(bytes) {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength); // aligned
  return new Float32Array(copy);
}

// The numbers of one run: lane `lane` of `lanes`.
function lookUp(data, arrays, lane, lanes) {
  const column = (name, size = 1) => {
    const [begin, rows] = arrays[name];
    return Array.from({ length: rows }, (_, r) => {
      const at = begin + (r * lanes + lane) * size;
      return size === 1 ? data[at] : [data[at], data[at + 1]];
    });
  };
  const [begin, records] = arrays.step;
  const rates = column("lr");
  return {
    step: Array.from(data.subarray(begin, begin + records)),
    loss: column("loss"),
    lr: rates.length === 1 ? Array(records - 1).fill(rates[0]) : rates,
    lost: data[arrays.lost[0] + lane],
    path: arrays.path ? column("path", 2) : null,
  };
}

function outcome(run) {
  if (run.lost >= 0) return `diverged at step ${run.lost}`;
  const final = run.loss.at(-1), grew = final > run.loss[0];
  return `final loss ${number(final)} after ${run.step.at(-1)} steps${grew ? ", more than at the start" : ""}`;
}

const line = (points) => (points.length ? "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L") : "");

function drawPath(at, run, style) {
  const { X, Y, w, h } = at;
  const within = ([x, y], margin) => x >= -margin * w && x <= (1 + margin) * w && y >= -margin * h && y <= (1 + margin) * h;
  let points = run.path.map(([x, y]) => [X(x), Y(y)]);
  const outside = !points.every((p) => within(p, 0));
  const gone = run.lost >= 0 ? points.findIndex((p) => !within(p, 1)) : -1; // what follows would only fill the frame
  if (gone >= 0) points = points.slice(0, gone + 1);
  shape("path", { class: "run", "stroke-width": 1.6, d: line(points), ...style }, at.inside);
  const dots = points.filter((p) => within(p, 0)).map(([x, y]) => `M${x.toFixed(1)},${y.toFixed(1)}h0`);
  shape("path", { class: "dots", "stroke-width": points.length > 80 ? 4 : 5.5, d: dots.join(""), style: style.style }, at.inside);
  return outside;
}

function lossPoints({ X, Y }, { step, loss }) {
  const end = loss.findIndex((v) => !Number.isFinite(v));
  return (end < 0 ? loss : loss.slice(0, end + 1)).map((v, r) => [X(step[r]), Number.isFinite(v) ? Y(v) : -FAR]);
}

function drawLoss(at, run, style, row) {
  shape("path", { class: "run", "stroke-width": 2, d: line(lossPoints(at, run)), ...style }, at.inside);
  if (run.lost < 0) return;
  const x = at.X(run.lost), near = x > at.w - 130;
  shape("path", { class: "mark", d: `M${x - 5},${5 + 18 * row}l10,10m0,-10l-10,10` }, at.inside);
  shape("text", { x: near ? x - 11 : x + 11, y: 14 + 18 * row, "text-anchor": near ? "end" : "start" }, at.inside, `diverged at step ${run.lost}`);
}

function drawRates(at, run, style) {
  const { X, Y } = at;
  const d = run.lr.map((v, r) => `${r ? "V" : `M${X(0)},`}${Y(v).toFixed(1)}H${X(run.step[r + 1]).toFixed(1)}`).join("");
  shape("path", { class: "run", "stroke-width": 2, d, ...style }, at.inside);
}

const plus = (x, y, r) => `M${x - r},${y}h${2 * r}m${-r},${-r}v${2 * r}`;
const square = (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;

function drawMarks({ inside, X, Y }, minima, starts) {
  for (const [x, y] of minima) shape("path", { class: "mark", d: plus(X(x), Y(y), 6) }, inside);
  for (const [x, y] of starts) shape("path", { class: "mark", d: square(X(x), Y(y), 5) }, inside);
}

function explainMarks({ svg, left, below }, minima) {
  shape("path", { class: "mark", d: square(left + 5, below - 4, 4) }, svg);
  shape("text", { x: left + 14, y: below }, svg, "start");
  if (!minima.length) return;
  shape("path", { class: "mark", d: plus(left + 56, below - 4, 5) }, svg);
  shape("text", { x: left + 66, y: below }, svg, minima.length > 1 ? "minima" : "minimum");
}

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

function render({ model, el }) {
  const spec = model.get("spec"), data = floats(model.get("data"));
  const { sliders, series, plane } = spec;
  const sizes = sliders.map((s) => s.values.length), lanes = sizes.reduce((a, b) => a * b);
  const root = element("div", { class: "lr-live", role: "group", "aria-label": spec.title || "Live figure" }, el);
  element("style", {}, root, CSS);
  if (spec.title) element("p", { class: "lr-live-title" }, root, spec.title);
  if (series.length > 1) {
    const key = element("div", { class: "lr-live-key" }, root);
    for (const s of series) {
      const entry = element("span", { style: `--ink: ${s.color}` }, key);
      const sample = shape("svg", { viewBox: "0 0 34 10", "aria-hidden": "true" }, entry);
      shape("path", { class: "run", "stroke-width": 2.4, "stroke-dasharray": s.dash.join(" "), d: "M0,5H34" }, sample);
      entry.append(s.label);
    }
  }
  const panels = element("div", { class: "lr-live-panels" }, root);
  const wide = { width: 360, left: 44, right: 14, top: 24, bottom: 36 };

  const map = plane && panel(panels, { ...wide, height: 362 }, plane.x, plane.y, { name: plane.names[1], xName: plane.names[0] });
  const overSteps = plane ? element("div", {}, panels) : panels;
  const loss = panel(overSteps, { ...wide, height: plane ? 205 : 240, bottom: plane ? 22 : 36 }, spec.steps, spec.loss, { name: "loss", xName: plane ? "" : "step" });
  const rate = panel(overSteps, { ...wide, height: plane ? 145 : 240 }, spec.steps, spec.lr, { name: "learning rate actually used", xName: "step" });
  for (const region of plane?.contours ?? []) {
    const d = region.map((ring) => "M" + ring.map((v, i) => (i % 2 ? map.Y(v) : map.X(v)).toFixed(1)).join(" ") + "Z").join("");
    shape("path", { class: "region", d }, map.back);
  }

  if (map) explainMarks(map, plane.minima);

  const rows = element("div", { class: "lr-live-sliders" }, root);
  const set = sliders.map((s, i) => slider(rows, s, (index) => { model.set(`index${i + 1}`, index); model.save_changes(); }));
  const readout = element("p", { class: "lr-live-readout", role: "status", "aria-live": "polite" }, root);

  function drawOthers(index) { // faintly, the losses at all positions of the first slider
    loss.back.replaceChildren();
    for (let first = 0; first < sizes[0]; first++) {
      const run = lookUp(data, series[0].arrays, first * (sizes[1] ?? 1) + (index[1] ?? 0), lanes);
      shape("path", { class: "run others", style: `--ink: ${series[0].color}`, d: line(lossPoints(loss, run)) }, loss.back);
    }
  }

  function draw() {
    const index = sliders.map((_, i) => Math.max(0, Math.min(sizes[i] - 1, model.get(`index${i + 1}`))));
    const lane = index.reduce((whole, i, axis) => whole * sizes[axis] + i, 0);
    const runs = series.map((s) => lookUp(data, s.arrays, lane, lanes));
    for (const at of [map, loss, rate]) at?.inside.replaceChildren();
    const outside = [];
    if (series.length === 1) drawOthers(index);
    runs.forEach((run, i) => {
      const style = { style: `--ink: ${series[i].color}`, "stroke-dasharray": series[i].dash.join(" ") };
      if (map && drawPath(map, run, style)) outside.push(series[i].label || "path");
      drawLoss(loss, run, style, runs.slice(0, i).filter((r) => r.lost >= 0).length);
      drawRates(rate, run, style);
    });
    const note = outside.length ? `${outside.join(", ")} leaves the frame` : "";
    if (map) {
      drawMarks(map, plane.minima, runs.map((run) => run.path[0]));
      map.note.textContent = note;
    }

    set.forEach((show, i) => show(index[i]));
    const at = sliders.map((s, i) => `${s.name} ${s.values[index[i]]}`).join(", ");
    const said = runs.map((run, i) => (series[i].label ? `${series[i].label}: ` : "") + outcome(run)).join("; ");
    readout.textContent = said[0].toUpperCase() + said.slice(1) + ".";
    map?.svg.setAttribute("aria-label", `Path on the contour lines of the loss at ${at}${note && `; ${note}`}`);
    loss.svg.setAttribute("aria-label", `Loss at each step at ${at}: ${said}`);
    rate.svg.setAttribute("aria-label", `Learning rate actually used at ${at}: ` + runs.map((r, i) => {
      const from = number(r.lr[0]), to = number(r.lr.at(-1));
      return (series[i].label ? `${series[i].label} ` : "") + (from === to ? from : `from ${from} to ${to}`);
    }).join("; "));
  }
  model.on("change:index1", draw);
  model.on("change:index2", draw);
  draw();
  return () => { model.off("change:index1", draw); model.off("change:index2", draw); };
}

export default { render };
