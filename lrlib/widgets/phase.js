// The phase diagram of momentum: a map that lrlib computed; the run of the point one clicks is computed here.

// The larger absolute eigenvalue of a step's matrix on a parabola, where `rate` is ηλ.
export function radius(rate, momentum, nesterov) {
  const left = 1 - rate; // what a step of plain descent leaves
  const sum = nesterov ? (1 + momentum) * left : momentum + left;
  const product = nesterov ? momentum * left : momentum;
  const discriminant = (sum / 2) ** 2 - product;
  return discriminant < 0 ? Math.sqrt(product) : Math.abs(sum) / 2 + Math.sqrt(discriminant);
}

// What a run does there: "creeps", "swings", "hops", "stays" or "diverges".
export function kind(rate, momentum, nesterov) {
  const left = 1 - rate, sum = nesterov ? (1 + momentum) * left : momentum + left;
  const product = nesterov ? momentum * left : momentum, pace = radius(rate, momentum, nesterov);
  if (pace > 1 - 1e-9) return pace < 1 + 1e-9 ? "stays" : "diverges";
  return (sum / 2) ** 2 < product ? "swings" : sum < 0 ? "hops" : "creeps";
}

// The rule of lrlib.SGD on θ²/2, at rest at first.
export function run(rate, momentum, nesterov, steps, start = 1) {
  const path = [start];
  for (let t = 0, x = start, v = 0; t < steps; t++) {
    v = momentum * v + x;
    x -= rate * (nesterov ? x + momentum * v : v);
    path.push(x);
  }
  return path;
}

const SAID = {
  creeps: "creeps in from one side",
  swings: "swings through the minimum and back",
  hops: "hops from side to side at every step",
  stays: "neither converges nor diverges",
  diverges: "diverges",
};

const PHASE_CSS = `
.lr-phase-map { cursor: crosshair; touch-action: pan-y; }
.lr-phase-map:focus:not(:focus-visible) { outline: none; }
.lr-phase-map:focus-visible { outline: 2px solid #1f6fb2; outline-offset: 2px; }
.lr-phase-map .border { fill: none; stroke: currentColor; stroke-opacity: .75; stroke-width: 1.4; }
.lr-phase-map .area { font-weight: 600; paint-order: stroke; }
.lr-phase-map .cross { stroke: currentColor; stroke-opacity: .5; stroke-dasharray: 2 3; fill: none; }
.lr-phase-map .here { fill: #fff; stroke: #1a1a1a; stroke-width: 2.2; }
.lr-live .bound { fill: none; stroke: currentColor; stroke-width: 2; stroke-dasharray: 2 4; }
.lr-phase-rule { display: inline-flex; align-items: center; gap: .45rem; min-height: 28px; cursor: pointer; }
.lr-phase-rule input { width: 18px; height: 18px; margin: 0; }
`;

const figure = (value, digits = 3) => Number(value.toPrecision(digits)).toString().replace("-", "−");

// Where a value lies on an axis, as `share` in axes.py has it; 0 on a logarithmic axis lies below it.
function share({ log, limits: [low, high] }, value) {
  if (!log) return (value - low) / (high - low);
  return value === 0 ? -0.1 : Math.log(value / low) / Math.log(high / low);
}

// A path over the steps, until it is a panel's height outside: the rest would only fill the panel.
function points({ X, Y }, axis, values, end) {
  const at = values.map((v, t) => [t / end, share(axis, v)]), gone = at.findIndex(([, y]) => y > 2 || (y < -1 && !axis.log));
  return (gone < 0 ? at : at.slice(0, gone + 1)).map(([x, y]) => [X(x), Y(Math.max(-2, Math.min(3, y)))]);
}

function render({ model, el }) {
  const spec = model.get("spec"), { axes, sliders, steps } = spec;
  const [rates, momenta] = sliders.map((s) => s.values.map(Number));
  const root = element("div", { class: "lr-live", role: "group", "aria-label": spec.title }, el);
  element("style", {}, root, CSS + PHASE_CSS);
  element("p", { class: "lr-live-title" }, root, spec.title);
  element("p", {}, root, "Click the map, or focus it and use the arrow keys. The deeper the colour, the faster; grey diverges.");
  const panels = element("div", { class: "lr-live-panels" }, root);
  const wide = { width: 360, left: 44, right: 14, top: 24, bottom: 36 };
  const map = panel(panels, { ...wide, height: 362 }, axes.rate, axes.momentum, { name: "momentum β", xName: "rate times curvature, ηλ" });
  const overSteps = element("div", {}, panels);
  const theta = panel(overSteps, { ...wide, height: 172, bottom: 22 }, axes.steps, axes.theta, { name: "θ, from 1 at rest", xName: "" });
  const distance = panel(overSteps, { ...wide, height: 186 }, axes.steps, axes.distance, { name: "|θ|, and ρ to the power t (dotted)", xName: "step t" });
  map.svg.classList.add("lr-phase-map");
  for (const [name, value] of Object.entries({ role: "application", tabindex: 0, "aria-roledescription": "map" })) map.svg.setAttribute(name, value);

  const toggle = element("label", { class: "lr-phase-rule" }, root);
  const nesterov = element("input", { type: "checkbox" }, toggle);
  toggle.append("Nesterov's rule instead of heavy ball");
  nesterov.addEventListener("change", () => set({ nesterov: nesterov.checked }));
  const rows = element("div", { class: "lr-live-sliders" }, root);
  const show = sliders.map((s, i) => slider(rows, s, (index) => set({ [`index${i + 1}`]: index })));
  const readout = element("p", { class: "lr-live-readout", role: "status", "aria-live": "polite" }, root);

  function set(changes) {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  }
  const clamped = (index, values) => Math.max(0, Math.min(values.length - 1, index));
  const nearest = (values, at) => clamped(Math.round(((at - values[0]) / (values.at(-1) - values[0])) * (values.length - 1)), values);

  function point(event) { // the position under the pointer
    const box = map.svg.getBoundingClientRect(), scale = wide.width / box.width;
    const x = ((event.clientX - box.left) * scale - wide.left) / map.w;
    const y = 1 - ((event.clientY - box.top) * scale - wide.top) / map.h;
    const value = ({ limits: [low, high] }, part) => low + part * (high - low);
    set({ index1: nearest(rates, value(axes.rate, x)), index2: nearest(momenta, value(axes.momentum, y)) });
  }
  map.svg.addEventListener("click", point);
  map.svg.addEventListener("pointermove", (event) => { if (event.buttons & 1 && event.pointerType !== "touch") point(event); });
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  map.svg.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // the page would scroll
    event.stopPropagation(); // and JupyterLab would leave the cell
    const far = event.shiftKey ? 10 : 1;
    set({
      index1: clamped(model.get("index1") + far * move[0], rates),
      index2: clamped(model.get("index2") + far * move[1], momenta),
    });
  });

  let drawn = null; // the rule whose map is drawn
  function drawMap(rule) {
    if (drawn === rule) return;
    drawn = rule;
    const { image, borders, areas } = spec.maps[rule];
    map.back.replaceChildren();
    shape("image", { href: `data:image/png;base64,${image}`, width: map.w, height: map.h, preserveAspectRatio: "none" }, map.back);
    for (const border of borders) shape("path", { class: "border", d: line(border.map(([x, y]) => [map.X(x), map.Y(y)])) }, map.back);
    for (const [text, x, y] of areas) shape("text", { class: "area", x: map.X(x), y: map.Y(y), "text-anchor": "middle" }, map.back, text);
  }

  function draw() {
    const at = [clamped(model.get("index1"), rates), clamped(model.get("index2"), momenta)];
    const rate = rates[at[0]], momentum = momenta[at[1]], look = model.get("nesterov");
    drawMap(look ? "nesterov" : "heavy ball");
    nesterov.checked = look;
    show.forEach((write, i) => write(at[i]));
    for (const each of [map, theta, distance]) each.inside.replaceChildren();
    const x = map.X(share(axes.rate, rate)), y = map.Y(share(axes.momentum, momentum));
    shape("path", { class: "cross", d: `M${x},0V${map.h}M0,${y}H${map.w}` }, map.inside);
    shape("circle", { class: "here", cx: x, cy: y, r: 6 }, map.inside);

    const path = run(rate, momentum, look, steps), pace = radius(rate, momentum, look);
    const style = { style: `--ink: ${spec.color}` };
    const places = points(theta, axes.theta, path, steps);
    shape("path", { class: "run", "stroke-width": 1.6, d: line(places), ...style }, theta.inside);
    shape("path", { class: "dots", "stroke-width": 4.5, d: places.map(([a, b]) => `M${a.toFixed(1)},${b.toFixed(1)}h0`).join(""), ...style }, theta.inside);
    shape("path", { class: "run", "stroke-width": 2, d: line(points(distance, axes.distance, path.map(Math.abs), steps)), ...style }, distance.inside);
    const predicted = path.map((_, t) => pace ** t);
    shape("path", { class: "bound", d: line(points(distance, axes.distance, predicted, steps)) }, distance.inside);

    const what = kind(rate, momentum, look), tenfold = figure(Math.LN10 / Math.abs(Math.log(pace)));
    let speed = ` In the long run ten times ${what === "diverges" ? "farther" : "nearer"} every ${tenfold} steps.`;
    if (what === "stays") speed = "";
    else if (pace < 1e-9) speed = " It is there after two steps at most.";
    const where = `${look ? "Nesterov" : "Heavy ball"} at ηλ ${sliders[0].values[at[0]]}, β ${sliders[1].values[at[1]]}`;
    readout.textContent = `${where}: ${SAID[what]}; ρ = ${figure(pace)}.${speed}`;
    const end = `after ${steps} steps θ is ${figure(path.at(-1))}`;
    map.svg.setAttribute("aria-label", `Map of what momentum does, by ηλ and β. ${where}: ${SAID[what]}`);
    theta.svg.setAttribute("aria-label", `θ at each step. ${where}: ${end}`);
    distance.svg.setAttribute("aria-label", `Distance to the minimum at each step, logarithmic, and ρ to the power t, ρ = ${figure(pace)}. ${where}: ${end}`);
  }
  const watched = ["change:index1", "change:index2", "change:nesterov"];
  for (const event of watched) model.on(event, draw);
  draw();
  return () => { for (const event of watched) model.off(event, draw); };
}

export default { render };
