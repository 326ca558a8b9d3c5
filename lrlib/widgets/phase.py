"""The phase diagram of momentum: a map over rate and momentum that one clicks to launch a run."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib.figure
import matplotlib.style
import numpy as np
import traitlets
from PIL import Image

from lrlib import checks
from lrlib.minimize import minimize
from lrlib.optimizers.sgd import SGD
from lrlib.plots.figure import DPI, Figure, log_ticks
from lrlib.plots.style import BOUND, INK, house_style, style_of
from lrlib.plots.wording import listing, number
from lrlib.problems.quadratic import Quadratic
from lrlib.widgets import axes
from lrlib.widgets.drawing import Drawing, module
from lrlib.widgets.still import SMALL, drawable, frame_panel

RATES = np.arange(1, 211) / 50  # ηλ at which a run can be launched
MOMENTA = np.arange(100) / 100
PIXELS = (420, 300)  # of a map: columns, rows
PACES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)  # the radius at which a colour becomes paler by one
PALEST, DEEPEST = 40, 170  # of 255: how much of the colour covers the page
COLORS = {"creeps": (0, 114, 178), "swings": (0, 158, 115), "hops": (201, 133, 0), "diverges": (127, 127, 127)}
RULES = ("heavy ball", "nesterov")
AREAS = {  # where the name of a kind of run stands: ηλ, β
    "heavy ball": {"creeps": (0.34, 0.02), "swings": (1.3, 0.55), "hops": (1.6, 0.02), "diverges": (3.3, 0.3)},
    "nesterov": {"creeps": (0.34, 0.02), "swings": (0.5, 0.55), "hops": (1.33, 0.12), "diverges": (2.9, 0.5)},
}


class PhaseDiagram(Drawing):
    """The map with a run beside it. Made by `phase_diagram`; `index1`, `index2` are the positions of ηλ and β."""

    _esm = module("phase.js")
    index1 = traitlets.Int(0).tag(sync=True)
    index2 = traitlets.Int(0).tag(sync=True)
    nesterov = traitlets.Bool(False).tag(sync=True)


def phase_diagram(
    *,
    start: tuple[float, float] = (0.1, 0.9),
    nesterov: bool = False,
    steps: int = 100,
    title: str = "What momentum does to one curvature",
) -> PhaseDiagram:
    r"""Show, over the rate times the curvature and the momentum, how a parabola's runs go, and any one of them.

    On a parabola of curvature :math:`\lambda` only the product :math:`\eta\lambda` and the momentum count. The map
    says which runs creep, swing, hop or diverge; its colour is the spectral radius of a step's matrix. A click, or
    the arrow keys, launches a run from 1 at rest.

    Parameters
    ----------
    start : (float, float)
        :math:`\eta\lambda` and :math:`\beta` of the first run, rounded to the nearest position.
    nesterov : bool
        Whether the map shows Nesterov's rule at first; the reader can switch.
    steps : int
        Length of a run.
    title : str
        Stands above the figure and opens the alternative text.

    Returns
    -------
    PhaseDiagram
        Alive in Jupyter, in Colab and on a static page; elsewhere a still image.

    Raises
    ------
    ValueError
        If `start` lies outside the map or `steps` is not a positive whole number.

    Examples
    --------
    >>> figure = phase_diagram(start=(0.1, 0.9))
    >>> figure.spec["sliders"][1]["values"][figure.index2]
    '0.90'
    """
    checks.whole("steps", steps, least=1)
    index1, index2 = _nearest("ηλ", start[0], RATES), _nearest("β", start[1], MOMENTA)
    frame = {
        "rate": _linear(0.0, 4.2),
        "momentum": _linear(0.0, 1.0),
        "steps": axes.step_axis(steps),
        "theta": _linear(-3.2, 3.2),
        "distance": {"log": True, "limits": (1e-6, 1e3), "ticks": log_ticks(1e-6, 1e3, 4)},
    }
    spec = {
        "title": title,
        "steps": steps,
        "color": style_of("SGD momentum").color,
        "axes": {name: axis | {"ticks": axes.placed_ticks(axis)} for name, axis in frame.items()},
        "sliders": [
            {"name": "rate times curvature, ηλ", "values": [f"{v:.2f}" for v in RATES]},
            {"name": "momentum β", "values": [f"{v:.2f}" for v in MOMENTA]},
        ],
        "maps": {rule: _map(rule == "nesterov", frame) for rule in RULES},
    }
    rate, momentum = float(RATES[index1]), float(MOMENTA[index2])
    return PhaseDiagram(
        spec=spec,
        index1=index1,
        index2=index2,
        nesterov=nesterov,
        still=Figure(
            _still(spec, frame, rate, momentum, nesterov), _words(title, frame, rate, momentum, nesterov, steps)
        ),
    )


def radius(rate: Any, momentum: Any, nesterov: bool) -> np.ndarray:
    """Spectral radius of a step's matrix on a parabola; `rate` is the rate times the curvature."""
    total, product = _matrix(rate, momentum, nesterov)
    discriminant = (total / 2) ** 2 - product
    real = np.abs(total) / 2 + np.sqrt(np.maximum(discriminant, 0))
    return np.where(discriminant < 0, np.sqrt(np.maximum(product, 0)), real)


def kind(rate: Any, momentum: Any, nesterov: bool) -> np.ndarray:
    """What a run does: "creeps", "swings", "hops", "stays" or "diverges"."""
    total, product = _matrix(rate, momentum, nesterov)
    pace = radius(rate, momentum, nesterov)
    inside = np.where((total / 2) ** 2 < product, "swings", np.where(total < 0, "hops", "creeps"))
    return np.where(pace > 1 + 1e-9, "diverges", np.where(pace > 1 - 1e-9, "stays", inside))


def _matrix(rate: Any, momentum: Any, nesterov: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sum and product of the eigenvalues of a step's matrix."""
    left = 1 - np.asarray(rate, dtype=float)  # what a step of plain descent leaves
    return ((1 + momentum) * left, momentum * left) if nesterov else (momentum + left, momentum + 0 * left)


def borders(nesterov: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where one kind of run ends and the next begins, as curves (ηλ, β)."""
    beta = np.linspace(0, 1, 101) ** 2  # close together where the curves bend
    if nesterov:
        curves = [((1 - beta) / (1 + beta)) ** 2, 0 * beta + 1, (2 + 2 * beta) / (1 + 2 * beta)]
    else:
        curves = [(1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2, 2 * (1 + beta)]
    return [(rate, beta) for rate in curves]


def _nearest(name: str, value: float, positions: np.ndarray) -> int:
    low, high = positions[[0, -1]]
    if not low <= value <= high:
        raise ValueError(f"start must have {name} from {low:g} to {high:g}, got {value!r}")
    return int(np.argmin(np.abs(positions - value)))


def _linear(low: float, high: float) -> dict:
    return {"log": False, "limits": (low, high), "ticks": axes.linear_ticks(low, high)}


def _colours(nesterov: bool, frame: dict) -> np.ndarray:
    """The map as an image (rows, columns, 4): its hue is the kind of run, its depth the speed."""
    columns, rows = PIXELS
    (left, right), (bottom, top) = frame["rate"]["limits"], frame["momentum"]["limits"]
    rate = left + (right - left) * (np.arange(columns) + 0.5) / columns
    momentum = top - (top - bottom) * (np.arange(rows)[:, None] + 0.5) / rows
    pace, what = radius(rate, momentum, nesterov), kind(rate, momentum, nesterov)
    depth = np.linspace(DEEPEST, PALEST, len(PACES))[np.searchsorted(PACES[:-1], pace)]
    depth = np.where(what == "diverges", DEEPEST / 2, depth)
    image = np.zeros((rows, columns, 4), np.uint8)
    for name, color in COLORS.items():
        image[what == name, :3] = color
    image[..., 3] = depth
    return image


def _map(nesterov: bool, frame: dict) -> dict:
    colours = Image.fromarray(_colours(nesterov, frame))
    buffer = io.BytesIO()
    colours.save(buffer, "PNG", optimize=True)

    def placed(rate: Any, momentum: Any) -> list:
        shares = axes.share(frame["rate"], np.asarray(rate)), axes.share(frame["momentum"], np.asarray(momentum))
        return np.stack(shares, axis=-1).round(4).tolist()

    return {
        "image": base64.b64encode(buffer.getvalue()).decode("ascii"),
        "borders": [placed(*border) for border in borders(nesterov)],
        "areas": [[name, *placed(*at)] for name, at in AREAS[RULES[nesterov]].items()],
    }


def _run(rate: float, momentum: float, nesterov: bool, steps: int) -> np.ndarray:
    """The run that the browser computes: (steps + 1,)."""
    rule = SGD(lr=rate, momentum=momentum, nesterov=nesterov and momentum > 0)
    return minimize(Quadratic(np.ones(1)), rule, steps=steps).x[:, 0]


def _still(spec: dict, frame: dict, rate: float, momentum: float, nesterov: bool) -> matplotlib.figure.Figure:
    theta, step = _run(rate, momentum, nesterov, spec["steps"]), np.arange(spec["steps"] + 1)
    with house_style(), matplotlib.style.context([SMALL]):
        figure = matplotlib.figure.Figure(figsize=(7.4, 3.9), dpi=DPI, layout="constrained")
        panels = figure.subplot_mosaic([["map", "theta"], ["map", "distance"]])
        extent = (*frame["rate"]["limits"], *frame["momentum"]["limits"])
        panels["map"].imshow(_colours(nesterov, frame), extent=extent, aspect="auto")
        frame_panel(panels["map"], frame["rate"], frame["momentum"], "momentum β", "rate times curvature, ηλ")
        panels["map"].grid(False)
        for border in borders(nesterov):
            panels["map"].plot(*border, color=INK, lw=1)
        for name, at in AREAS[RULES[nesterov]].items():
            panels["map"].annotate(name, at, ha="center", fontweight="bold")
        panels["map"].plot(rate, momentum, "o", ms=8, color="white", mec=INK, mew=1.6)
        frame_panel(panels["theta"], frame["steps"], frame["theta"], "θ, from 1 at rest", "")
        panels["theta"].plot(step, np.clip(theta, -9, 9), color=spec["color"], lw=1.2, marker="o", ms=2.6)
        below, height = panels["distance"], frame["distance"]
        frame_panel(below, frame["steps"], height, "|θ|, and ρ to the power t (dotted)", "step t")
        below.plot(step, drawable(np.abs(theta), height), color=spec["color"])
        below.plot(step, drawable(radius(rate, momentum, nesterov) ** step, height), **BOUND)
        figure.suptitle(spec["title"], fontsize=10, fontweight="bold", x=0.01, ha="left")
        rule = "Nesterov" if nesterov else "heavy ball"
        figure.supxlabel(f"Shown: {rule} at ηλ {rate:.2f}, β {momentum:.2f}", fontsize=9, x=0.01, ha="left")
        return figure


def _words(title: str, frame: dict, rate: float, momentum: float, nesterov: bool, steps: int) -> str:
    """Say what the map shows and what the run at the start does."""
    half, right = MOMENTA[50], frame["rate"]["limits"][1]
    ends = [number(np.interp(half, beta, at)) for at, beta in borders(nesterov)]
    last, pace = _run(rate, momentum, nesterov, steps)[-1], float(radius(rate, momentum, nesterov))
    return (
        f"{title.rstrip('.')}. A map over the rate times the curvature, ηλ from 0 to {right:g}, and the momentum β "
        f"from 0 to 1, for {'Nesterov' if nesterov else 'heavy ball'}. Its regions, with growing ηλ: "
        f"{listing(COLORS)}. At β {half:g} they meet at ηλ {listing(ends)}. Beside it the run at ηλ {rate:.2f}, "
        f"β {momentum:.2f}: it {kind(rate, momentum, nesterov)}, radius {number(pace)}; θ starts at 1 and is "
        f"{number(last)} after {steps} steps."
    )
