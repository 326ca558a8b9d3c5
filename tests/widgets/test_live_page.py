"""On a static page a live figure moves with its slider, by keyboard and by mouse, and shows the computed numbers."""

import functools
import http.server
import json
import threading
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

from lrlib import SGD, Quadratic, minimize
from lrlib.plots.wording import number

RUNTIME = Path(__file__).parents[2] / "site" / "runtime.js"
STATE, VIEW = "application/vnd.jupyter.widget-state+json", "application/vnd.jupyter.widget-view+json"
CELL = """
import numpy as np
from lrlib import SGD, Quadratic, minimize
from lrlib.widgets import live
rates = np.linspace(0.02, 0.30, 15)
problem = Quadratic([1.0, 10.0], x0=[4.0, 1.5])
live(problem, {"SGD": minimize(problem, SGD(lr=rates[:, None]), steps=40)}, {"learning rate": rates})
"""
RATES = np.linspace(0.02, 0.30, 15)
RUN = minimize(Quadratic([1.0, 10.0], x0=[4.0, 1.5]), SGD(lr=RATES[:, None]), steps=40)


@pytest.fixture(scope="module")
def notebook():
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbclient.NotebookClient(made, timeout=60).execute()


def page_of(notebook, model_id=None, module=None):
    """The least that a page needs: the still image in its place, the state, the runtime."""
    bundle = notebook.cells[0].outputs[0].data
    shown = bundle[VIEW]["model_id"]
    state = json.loads(json.dumps(notebook.metadata.widgets[STATE]))
    if module is not None:
        state["state"][shown]["state"]["_esm"] = module
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>A figure</title>
    <link rel="icon" href="data:,">
    <div class="live" data-model-id="{model_id or shown}">
    <img alt="still" src="data:image/png;base64,{bundle["image/png"]}"></div>
    <script type="{STATE}">{json.dumps(state)}</script><script src="runtime.js"></script></html>"""


@pytest.fixture(scope="module")
def show(browser, tmp_path_factory):
    """Open HTML; a page error, a warning or a request to another host fails the test."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "runtime.js").write_bytes(RUNTIME.read_bytes())
    complaints = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        context = browser.new_context(viewport={"width": 900, "height": 900})
        context.set_default_timeout(5000)

        def opened(html):
            (folder / "index.html").write_text(html, encoding="utf-8")
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
            own = ("data:", "blob:", address)
            page.on("request", lambda sent: sent.url.startswith(own) or complaints.append(sent.url))
            page.goto(address)
            return page

        yield opened
        context.close()
        server.shutdown()
    assert complaints == []


@pytest.fixture(scope="module")
def live_page(show, notebook):
    page = show(page_of(notebook))
    page.wait_for_selector('.live[data-live="on"]')
    return page


def readout(page):
    return page.locator(".lr-live-readout").inner_text()


def path_points(page):
    """The drawn path in data coordinates, read back from the axes' ticks."""
    return page.evaluate(
        """() => {
          const svg = document.querySelector(".lr-live-panels svg");
          const ticks = (anchor, attribute) => [...svg.querySelectorAll(`g text[text-anchor=${anchor}]`)]
            .map((t) => [Number(t.getAttribute(attribute)), Number(t.textContent.replace("−", "-"))])
            .filter(([, v], i, all) => all[i] && Number.isFinite(v));
          const scale = ([[p, v], [q, w]]) => (at) => v + ((at - p) / (q - p)) * (w - v);
          const x = scale(ticks("middle", "x")), y = scale(ticks("end", "y"));
          const d = svg.querySelector("path.run").getAttribute("d");
          return d.slice(1).split("L").map((p) => p.split(",").map(Number)).map(([a, b]) => [x(a), y(b + 4)]);
        }"""
    )


def said(index):
    if RUN.diverged[index]:
        beyond = ~(RUN.loss[:, index] <= 1e6 * RUN.loss[0, index])
        return f"SGD: diverged at step {RUN.step[beyond.argmax()]}."
    grew = ", more than at the start" if RUN.loss[-1, index] > RUN.loss[0, index] else ""
    return f"SGD: final loss {number(RUN.loss[-1, index])} after 40 steps{grew}."


def go_to(page, index):
    page.locator("input").focus()
    page.keyboard.press("Home")
    for _ in range(index):
        page.keyboard.press("ArrowRight")


def test_the_figure_takes_the_place_of_the_still_image(live_page):
    assert live_page.locator(".live img").count() == 0
    assert live_page.locator(".live svg[role=img]").count() == 3
    assert live_page.locator(".live .region").count() == 10


@pytest.mark.parametrize("index", [0, 4, 8, 9, 14])
def test_arrow_keys_show_the_run_of_each_position(live_page, index):
    go_to(live_page, index)
    assert live_page.locator("output").inner_text() == f"{RATES[index]:.3g}"
    assert live_page.locator("input").get_attribute("aria-valuetext") == f"{RATES[index]:.3g}"
    assert readout(live_page) == said(index)


def test_the_drawn_path_is_the_computed_one(live_page):
    for index in (2, 8):
        go_to(live_page, index)
        np.testing.assert_allclose(path_points(live_page), RUN.x[:, index], atol=0.02)


def test_the_mouse_moves_the_slider(live_page):
    go_to(live_page, 0)
    box = live_page.locator("input").bounding_box()
    live_page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    live_page.mouse.down()
    live_page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=4)
    live_page.mouse.up()
    assert readout(live_page) == said(14)
    assert "leaves the frame" in live_page.locator("svg[role=img]").first.get_attribute("aria-label")


def test_the_images_say_what_they_show(live_page):
    go_to(live_page, 4)
    labels = live_page.locator("svg[role=img]").evaluate_all("all => all.map(i => i.getAttribute('aria-label'))")
    assert labels[0] == "Path on the contour lines of the loss at learning rate 0.1"
    assert labels[1] == f"Loss at each step at learning rate 0.1: {said(4)[:-1]}"
    assert labels[2] == "Learning rate actually used at learning rate 0.1: SGD 0.1"


def test_keys_of_the_slider_do_not_reach_the_page(live_page):
    live_page.evaluate("window.heard = []; addEventListener('keydown', (event) => window.heard.push(event.key))")
    live_page.locator("input").focus()
    for key in ("ArrowLeft", "Home", "a"):
        live_page.keyboard.press(key)
    assert live_page.evaluate("window.heard") == ["a"]


@pytest.mark.parametrize("broken", [{"model_id": "unknown"}, {"module": "export default { render() { throw 1 } }"}])
def test_the_still_image_stays_when_the_figure_cannot_start(show, notebook, broken):
    page = show(page_of(notebook, **broken))
    page.wait_for_selector('.live[data-live="off"]')
    assert page.locator(".live img").count() == 1


def test_a_narrow_page_does_not_scroll_sideways(live_page):
    live_page.set_viewport_size({"width": 390, "height": 800})
    assert live_page.evaluate("document.documentElement.scrollWidth") <= 390
