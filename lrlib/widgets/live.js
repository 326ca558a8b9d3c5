// A live figure: looks up the run at the slider's position and draws it. Nothing is computed here but pixels.

// For each series its numbers by name, lane and row, as shares of their axes; packed by _packed in live.py.
function unpacked(view, { series, resolution }, lanes) {
  const half = view.byteLength / 2;
  let at = 0;
  const lane = (rows) => {
    const codes = new Int16Array(rows); // sums wrap around, as the differences did
    for (let r = 0; r < rows; r++, at++) codes[r] = (r && codes[r - 1]) + (view.getUint8(at) | (view.getUint8(half + at) << 8));
    return Array.from(codes, (code) => code / resolution + 0.5);
  };
  return series.map((s) => Object.fromEntries(
    Object.entries(s.rows).map(([name, rows]) => [name, Array.from({ length: lanes }, () => lane(rows))]),
  ));
}

function drawPath(at, run, style) {
  const { X, Y, w, h } = at;
  const within = ([x, y], margin) => x >= -margin * w && x <= (1 + margin) * w && y >= -margin * h && y <= (1 + margin) * h;
  let points = run.x.map((x, r) => [X(x), Y(run.y[r])]);
  const outside = !points.every((p) => within(p, 0));
  const gone = run.lost >= 0 ? points.findIndex((p) => !within(p, 1)) : -1; // what follows would only fill the frame
  if (gone >= 0) points = points.slice(0, gone + 1);
  shape("path", { class: "run", "stroke-width": 1.6, d: line(points), ...style }, at.inside);
  const dots = points.slice(1).filter((p) => within(p, 0)).map(([x, y]) => `M${x.toFixed(1)},${y.toFixed(1)}h0`);
  shape("path", { class: "dots", "stroke-width": points.length > 80 ? 4 : 5.5, d: dots.join(""), style: style.style }, at.inside);
  return outside;
}

const lossPoints = ({ X, Y }, step, loss) => loss.map((v, r) => [X(step[r]), Y(v)]);

function drawLoss(at, run, style, row) {
  shape("path", { class: "run", "stroke-width": 2, d: line(lossPoints(at, run.step, run.loss)), ...style }, at.inside);
  if (run.lost < 0) return;
  const x = at.X(run.lostAt), near = x > at.w - 130;
  shape("path", { class: "sign", d: `M${x - 5},${5 + 18 * row}l10,10m0,-10l-10,10` }, at.inside);
  shape("text", { x: near ? x - 11 : x + 11, y: 14 + 18 * row, "text-anchor": near ? "end" : "start" }, at.inside, `diverged at step ${run.lost}`);
}

function drawRates({ X, Y, inside }, { step, lr }, style, width) {
  const held = lr.length === 1 ? [[step.at(-1), lr[0]]] : lr.map((v, r) => [step[r + 1], v]);
  const d = held.map(([until, v], r) => `${r ? "V" : "M0,"}${Y(v).toFixed(1)}H${X(until).toFixed(1)}`).join("");
  shape("path", { class: "run", "stroke-width": width, d, ...style }, inside);
}

const ring = (x, y, parent) => shape("circle", { class: "sign", cx: x, cy: y, r: 5.5 }, parent);

function star(x, y, parent) {
  const corner = (_, i) => {
    const angle = (i * Math.PI) / 5, r = i % 2 ? 3.2 : 8;
    return `${(x + r * Math.sin(angle)).toFixed(1)},${(y - r * Math.cos(angle)).toFixed(1)}`;
  };
  shape("path", { class: "star", d: `M${Array.from({ length: 10 }, corner).join("L")}Z` }, parent);
}

function cross(x, y, parent) { // the outline of an X: a saddle
  shape("path", { class: "saddle", d: `M${x - 6},${y - 3}l3,-3l3,3l3,-3l3,3l-3,3l3,3l-3,3l-3,-3l-3,3l-3,-3l3,-3Z` }, parent);
}

function explainMarks({ svg, left, below }, minima, saddles) {
  ring(left + 6, below - 4, svg);
  shape("text", { x: left + 16, y: below }, svg, "start");
  let at = left + 60;
  for (const [points, draw, one, many] of [[minima, star, "minimum", "minima"], [saddles, cross, "saddle", "saddles"]]) {
    if (!points.length) continue;
    draw(at, below - 4, svg);
    shape("text", { x: at + 12, y: below }, svg, points.length > 1 ? many : one);
    at += 82;
  }
}

function render({ model, el }) {
  const spec = model.get("spec"), { sliders, series, axes, minima, saddles } = spec;
  const sizes = sliders.map((s) => s.values.length), lanes = sizes.reduce((a, b) => a * b);
  const end = axes.steps.limits[1];
  const numbers = unpacked(model.get("data"), spec, lanes);
  const steps = series.map((s) => s.step.map((step) => step / end));
  const root = element("div", { class: "lr-live", role: "group", "aria-label": spec.title || "Live figure" }, el);
  element("style", {}, root, CSS);
  if (spec.title) element("p", { class: "lr-live-title" }, root, spec.title);
  const key = element("div", { class: "lr-live-key" }, root);
  const explain = (text, color, style) => {
    const entry = element("span", { style: `--ink: ${color}` }, key);
    const sample = shape("svg", { viewBox: "0 0 34 10", "aria-hidden": "true" }, entry);
    shape("path", { d: "M0,5H34", "stroke-width": 2.4, ...style }, sample);
    entry.append(text);
  };
  for (const s of series) if (s.label) explain(s.label, s.color, { class: "run", "stroke-dasharray": s.dash.join(" ") });
  if (series.length === 1) explain(`other values of ${sliders[0].name}`, "currentColor", { class: "others" });
  const panels = element("div", { class: "lr-live-panels" }, root);
  const wide = { width: 360, left: 44, right: 14, top: 24, bottom: 36 };

  const map = axes.x && panel(panels, { ...wide, height: 362 }, axes.x, axes.y, { name: "θ₂", xName: "θ₁" });
  const overSteps = map ? element("div", {}, panels) : panels;
  const loss = panel(overSteps, { ...wide, height: map ? 205 : 240, bottom: map ? 22 : 36 }, axes.steps, axes.loss, { name: "loss", xName: map ? "" : "step" });
  const rate = panel(overSteps, { ...wide, height: map ? 145 : 240 }, axes.steps, axes.lr, { name: "learning rate actually used (per step)", xName: "step" });
  for (const region of spec.contours) {
    const d = region.map((ring) => "M" + ring.map((v, i) => (i % 2 ? map.Y(v / 4000) : map.X(v / 4000)).toFixed(1)).join(" ") + "Z").join("");
    shape("path", { class: "region", d }, map.back);
  }
  if (map) explainMarks(map, minima, saddles);

  const rows = element("div", { class: "lr-live-sliders" }, root);
  const set = sliders.map((s, i) => slider(rows, s, (index) => { model.set(`index${i + 1}`, index); model.save_changes(); }));
  const readout = element("p", { class: "lr-live-readout", role: "status", "aria-live": "polite" }, root);

  let second = null; // the position of the second slider whose other runs are drawn
  function drawOthers(index) { // faintly, the losses at all positions of the first slider
    if (second === index) return;
    second = index;
    loss.back.replaceChildren();
    for (let first = 0; first < sizes[0]; first++) {
      const other = numbers[0].loss[first * (sizes[1] ?? 1) + index];
      shape("path", { class: "others", d: line(lossPoints(loss, steps[0], other)) }, loss.back);
    }
  }

  function draw() {
    const index = sliders.map((_, i) => Math.max(0, Math.min(sizes[i] - 1, model.get(`index${i + 1}`))));
    const lane = index.reduce((whole, i, axis) => whole * sizes[axis] + i, 0);
    const runs = series.map((s, i) => {
      const { loss, lr, x, y } = Object.fromEntries(Object.entries(numbers[i]).map(([name, all]) => [name, all[lane]]));
      return { step: steps[i], loss, lr, x, y, lost: s.lost[lane], lostAt: s.lost[lane] / end };
    });
    for (const at of [map, loss, rate]) at?.inside.replaceChildren();
    const outside = [];
    if (series.length === 1) drawOthers(index[1] ?? 0);
    runs.forEach((run, i) => {
      const style = { style: `--ink: ${series[i].color}`, "stroke-dasharray": series[i].dash.join(" ") };
      if (map && drawPath(map, run, style)) outside.push(series[i].label || "path");
      drawLoss(loss, run, style, runs.slice(0, i).filter((r) => r.lost >= 0).length);
      drawRates(rate, run, style, 2 * (runs.length - i)); // equal ones from wide to narrow, so that all show
    });
    const note = outside.length ? `${outside.join(", ")} leaves the frame` : "";
    if (map) {
      for (const [x, y] of minima) star(map.X(x), map.Y(y), map.inside);
      for (const [x, y] of saddles) cross(map.X(x), map.Y(y), map.inside);
      for (const { x, y } of runs) ring(map.X(x[0]), map.Y(y[0]), map.inside);
      map.note.textContent = note;
    }

    set.forEach((show, i) => show(index[i]));
    const at = sliders.map((s, i) => `${s.name} ${s.values[index[i]]}`).join(", ");
    const said = series.map((s) => (s.label ? `${s.label}: ` : "") + s.outcome[lane]).join("; ");
    readout.textContent = said[0].toUpperCase() + said.slice(1) + ".";
    map?.svg.setAttribute("aria-label", `Path on the contour lines of the loss at ${at}${note && `; ${note}`}`);
    loss.svg.setAttribute("aria-label", `Loss at each step at ${at}: ${said}`);
    const rates = series.map((s) => (s.label ? `${s.label} ` : "") + s.rate[lane]).join("; ");
    rate.svg.setAttribute("aria-label", `Learning rate actually used at ${at}: ${rates}`);
  }
  model.on("change:index1", draw);
  model.on("change:index2", draw);
  draw();
  return () => { model.off("change:index1", draw); model.off("change:index2", draw); };
}

export default { render };
