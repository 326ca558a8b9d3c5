"""The pages in a browser: quiet, local, light, legible at 390 px, accessible, and their live figures move."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from lrlib import SGD, Quadratic, minimize
from publishing.chapters import chapters

ROOT = Path(__file__).resolve().parents[2]
MOMENTUM = "book/foundations/momentum.html"
CHAPTERS = [chapter.name for chapter in chapters(ROOT)]
#: What every run of the tests looks at; the other pages wait for `make test-all`.
ALWAYS = {"book/index.html", "book/foundations/learning_rate.html", MOMENTUM}
PLAIN = [
    "book/how_to.html",
    "book/notation.html",
    "book/exercises.html",
    "book/teaching.html",
    "book/glossary.html",
    "book/references.html",
    "book/rosetta.html",
    "book/api/schedules.html",
    "book/api/optimizers.html",
]


def in_time(paths):
    """Mark the pages slow that are not looked at in every run."""
    return [path if path in ALWAYS else pytest.param(path, marks=pytest.mark.slow) for path in paths]


ALIVE = in_time(f"book/{name}.html" for name in CHAPTERS)
EXERCISES = [f"exercises/{kind}/{name}.html" for name in CHAPTERS if "/" in name for kind in ("student", "solutions")]
PAGES = [*ALIVE, *in_time([*PLAIN, *EXERCISES])]
BEFORE_SCROLLING = 300_000
IN_ALL = 700_000


@dataclass
class Traffic:
    """What a page said and asked for."""

    complaints: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    received: int = 0

    def watch(self, page):
        page.on(
            "console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text)
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("response", lambda answer: answer.status >= 400 and self.complaints.append(answer.url))
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self.receive)

    def receive(self, event):
        self.received += int(event["encodedDataLength"])


def scroll_through(page):
    """Scroll to the end, so that everything that waits to be seen is loaded."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, height, 800):
        page.evaluate(f"window.scrollTo(0, {top})")
        page.wait_for_timeout(30)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("path", PAGES)
def test_page_is_quiet_local_and_light(open_page, address, path):
    traffic = Traffic()
    page = open_page(path, watch=traffic.watch)
    page.wait_for_load_state("networkidle")
    before = traffic.received
    scroll_through(page)
    assert traffic.complaints == []
    assert [url for url in traffic.requests if not url.startswith((address, "data:", "blob:"))] == []
    assert 0 < before <= BEFORE_SCROLLING
    assert traffic.received <= IN_ALL


@pytest.mark.parametrize("path", PAGES)
def test_page_needs_no_sideways_scrolling_at_390_pixels(open_page, path):
    page = open_page(path, width=390)
    scroll_through(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_accessibility_violation(open_page, path, theme):
    page = open_page(path, theme=theme)
    scroll_through(page)
    # axe looks at each of a formula's hundreds of spans; what a listener is given is the MathML beside them
    context = {"exclude": [".katex-html"]}
    options = {"resultTypes": ["violations"]}
    if theme == "dark":  # only the colours differ
        options["runOnly"] = ["color-contrast"]
    violations = Axe().run(page, context=context, options=options).response["violations"]
    found = [f"{rule['id']}: {node['html'][:200]}" for rule in violations for node in rule["nodes"]]
    assert found == []


def shown(figure):
    """Return all that a live figure shows: its readings, its description and its drawing."""
    return figure.evaluate(
        "figure => [...figure.querySelectorAll('output')].map(e => e.textContent)"
        ".concat([...figure.querySelectorAll('svg')].map(e => e.getAttribute('aria-label') + e.outerHTML)).join()"
    )


@pytest.mark.parametrize("path", ALIVE)
def test_live_figure_moves_by_mouse_and_by_keyboard(open_page, path):
    page = open_page(path)
    figures = page.locator(".live")
    assert figures.count() > 0
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        figure.locator("svg[aria-label]").first.wait_for()
        for slider in figure.locator("input[type=range]").all():
            still = shown(figure)
            value = float(slider.input_value())
            middle = (float(slider.get_attribute("min")) + float(slider.get_attribute("max"))) / 2
            box = slider.bounding_box()
            slider.click(position={"x": box["width"] * (0.9 if value < middle else 0.1), "y": box["height"] / 2})
            by_mouse = shown(figure)
            assert by_mouse != still
            slider.press("ArrowLeft" if value < middle else "ArrowRight")
            assert shown(figure) != by_mouse


@pytest.mark.parametrize("width", [1280, 390])
def test_slider_of_the_front_page_is_seen_without_scrolling(open_page, width):
    page = open_page("book/index.html", width=width)
    slider = page.locator(".live input[type=range]")
    slider.wait_for()
    box = slider.bounding_box()
    assert box["y"] + box["height"] <= page.viewport_size["height"]


def drawn_run(figure):
    """Return θ at each step, read back from the line that the phase diagram draws."""
    return figure.evaluate(
        """figure => {
          const svg = figure.querySelectorAll(".lr-live-panels svg[role=img]")[0];
          const ticks = [...svg.querySelectorAll('g text[x="-6"]')]
            .map((t) => [Number(t.getAttribute("y")) - 4, Number(t.textContent.replace("−", "-"))]);
          const [[p, v], [q, w]] = ticks, d = svg.querySelector("path.run").getAttribute("d");
          return d.slice(1).split("L").map((at) => v + ((Number(at.split(",")[1]) - p) / (q - p)) * (w - v));
        }"""
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_on_the_phase_diagram_launches_the_run_of_that_point(open_page, width):
    page = open_page(MOMENTUM, width=width)
    figure = page.locator(".live:has(.lr-phase-map)")
    page.locator("#fig-momentum-phase").scroll_into_view_if_needed()
    plane, readout = figure.locator(".lr-phase-map"), figure.locator(".lr-live-readout")
    plane.wait_for()
    plane.scroll_into_view_if_needed()
    first, box = drawn_run(figure), plane.bounding_box()
    at = {"x": box["width"] * (44 + 302 * 2.5 / 4.2) / 360, "y": box["height"] * (24 + 302 * (1 - 0.5)) / 362}
    plane.click(position=at)
    rate, momentum = map(float, re.match(r"Heavy ball at ηλ (.+), β (.+): swings", readout.inner_text()).groups())
    assert (rate, momentum) == pytest.approx((2.5, 0.5), abs=0.021)  # a pixel of the narrow page
    assert drawn_run(figure) != first
    expected = minimize(Quadratic([1.0]), SGD(lr=rate, momentum=momentum), steps=100).x[:, 0]
    np.testing.assert_allclose(drawn_run(figure), expected, atol=0.01)  # a tenth of a pixel
    plane.press("ArrowRight")
    plane.press("Shift+ArrowDown")
    assert readout.inner_text().startswith(f"Heavy ball at ηλ {rate + 0.02:.2f}, β {momentum - 0.1:.2f}: swings")
    figure.get_by_label("Nesterov").check()
    assert readout.inner_text().startswith(f"Nesterov at ηλ {rate + 0.02:.2f}, β {momentum - 0.1:.2f}: diverges")
