// Brings live figures to life on a static page: no kernel, no other host, nothing to install.
// A page holds the widgets' state as JSON and, for each figure, <div class="live" data-model-id="…"><img …></div>.
// When a figure comes near the view, its own module draws it from that state and takes the place of the image.
(() => {
  const NEAR = "600px 0px"; // start this far before the figure is seen
  const modules = new Map(); // figures of one kind share their module
  let states = null;

  function stateOf(id) {
    if (!states) {
      states = {};
      for (const script of document.querySelectorAll('script[type="application/vnd.jupyter.widget-state+json"]')) {
        Object.assign(states, JSON.parse(script.textContent).state);
      }
    }
    const { state, buffers = [] } = states[id];
    const decoded = structuredClone(state);
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const parent = path.slice(0, -1).reduce((node, key) => node[key], decoded);
      parent[path.at(-1)] = new DataView(bytes.buffer); // what Jupyter hands to a widget
    }
    return decoded;
  }

  // The part of Jupyter's widget model that figures use.
  function modelOf(state) {
    const listeners = new Map();
    const heard = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
    const model = {
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        for (const event of [`change:${name}`, "change"]) for (const call of [...heard(event)]) call(model, value);
      },
      save_changes() {}, // there is no kernel to tell
      send() {},
      on(event, call) { heard(event).add(call); },
      off(event, call) { if (call) heard(event).delete(call); else listeners.delete(event); },
    };
    return model;
  }

  function moduleOf(source) {
    if (!modules.has(source)) {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(source, import(url).finally(() => URL.revokeObjectURL(url)));
    }
    return modules.get(source);
  }

  async function mount(figure) {
    try {
      const state = stateOf(figure.dataset.modelId);
      const { default: exported } = await moduleOf(state._esm);
      const widget = typeof exported === "function" ? await exported() : exported;
      const model = modelOf(state), el = document.createElement("div");
      await widget.initialize?.({ model });
      await widget.render({ model, el });
      figure.replaceChildren(el);
      figure.dataset.live = "on";
    } catch (error) {
      figure.dataset.live = "off"; // the still image stays
      console.info("live figure not started:", error);
    }
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      mount(target);
    }
  }, { rootMargin: NEAR });
  const start = () => document.querySelectorAll("div.live[data-model-id]").forEach((figure) => watcher.observe(figure));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
