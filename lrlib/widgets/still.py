"""The still image of a live figure: the same panels at the start position, for whoever has no widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.figure
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lrlib.plots.figure import DPI
from lrlib.plots.style import GRID, INK, RING, SADDLE, STAR, house_style

if TYPE_CHECKING:
    from lrlib.widgets.live import Series

SMALL = dict.fromkeys(
    ("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 9
)
REGION = ("#35618f18", "#35618f66")  # face, edge


def still_image(spec: dict, frame: dict, series: list[Series], lane: int, shown: str) -> matplotlib.figure.Figure:
    """Draw one slider position; `shown` says which."""
    on_plane = "x" in frame
    with house_style(), matplotlib.style.context([SMALL]):
        figure = matplotlib.figure.Figure(figsize=(7.4, 3.9 if on_plane else 2.9), dpi=DPI, layout="constrained")
        if on_plane:
            panels = figure.subplot_mosaic([["plane", "loss"], ["plane", "lr"]], height_ratios=[1.7, 1])
            _draw_plane(panels["plane"], frame, series, lane)
        else:
            panels = figure.subplot_mosaic([["loss", "lr"]])
        frame_panel(panels["loss"], frame["steps"], frame["loss"], "loss", "" if on_plane else "step")
        frame_panel(panels["lr"], frame["steps"], frame["lr"], "learning rate actually used (per step)", "step")
        if len(series) == 1:  # the losses at all positions of the first slider
            second = len(spec["sliders"][1]["values"]) if len(spec["sliders"]) == 2 else 1
            others = drawable(series[0].loss[:, lane % second :: second], frame["loss"])
            panels["loss"].plot(series[0].step, others, color="#999999", lw=0.6, alpha=0.5)
            panels["loss"].plot([], [], color="#999999", lw=1.2, label=f"other values of {spec['sliders'][0]['name']}")
        for i, s in enumerate(series):
            lost = f"diverged at step {s.lost[lane]}" if s.lost[lane] >= 0 else ""
            name = f"{s.label} ({lost})" if s.label and lost else s.label or lost
            how: dict[str, Any] = {"color": s.style.color, "linestyle": s.style.linestyle, "label": name}
            panels["loss"].plot(s.step, drawable(s.loss[:, lane], frame["loss"]), **how)
            rates = np.broadcast_to(s.lr[:, lane], len(s.step) - 1)
            panels["lr"].stairs(rates, s.step, baseline=None, lw=2 * (len(series) - i), **how)  # equal ones all show
        if spec["title"]:
            figure.suptitle(spec["title"], fontsize=10, fontweight="bold", x=0.01, ha="left")
        figure.supxlabel(f"Shown: {shown}", fontsize=9, x=0.01, ha="left")
        panels["loss"].legend(loc="upper right", frameon=True, framealpha=0.8, edgecolor="none")
        return figure


def _draw_plane(panel: Axes, frame: dict, series: list[Series], lane: int) -> None:
    low, high = np.transpose([frame["x"]["limits"], frame["y"]["limits"]])
    for region in frame["contours"]:
        rings = [Path(low + (high - low) * np.reshape(ring, (-1, 2)) / 4000, closed=True) for ring in region]
        panel.add_patch(PathPatch(Path.make_compound_path(*rings), facecolor=REGION[0], edgecolor=REGION[1], lw=0.6))
    frame_panel(panel, frame["x"], frame["y"], "θ₂", "θ₁")
    panel.grid(False)
    panel.set_box_aspect(1)
    for s in series:
        if s.path is not None:
            x, y = _until_gone(s.path[:, lane], frame, lost=s.lost[lane] >= 0).T
            panel.plot(x, y, color=s.style.color, linestyle=s.style.linestyle, lw=1.2, marker="o", ms=2.6)
    starts = [s.path[0, lane] for s in series if s.path is not None]
    marks = [panel.plot(*zip(*starts, strict=True), linestyle="", **RING, mec=INK, label="start")[0]]
    if len(frame["minima"]):
        marks += panel.plot(*frame["minima"].T, linestyle="", **STAR, label="minimum")
    if len(frame["saddles"]):
        marks += panel.plot(*frame["saddles"].T, linestyle="", **SADDLE, label="saddle")
    panel.legend(
        handles=marks, ncols=3, loc="upper left", bbox_to_anchor=(-0.04, -0.06), handlelength=1, columnspacing=1
    )


def _until_gone(path: np.ndarray, frame: dict, *, lost: bool) -> np.ndarray:
    """Cut a lost run where it is a frame's width outside; the rest would only fill the frame."""
    (x0, x1), (y0, y1) = frame["x"]["limits"], frame["y"]["limits"]
    centre, size = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0])
    far = (np.abs(path - centre) > 1.5 * size).any(axis=1)
    path = path[: far.argmax() + 1] if lost and far.any() else path
    return np.clip(path, centre - 100 * size, centre + 100 * size)


def frame_panel(panel: Axes, x: dict, y: dict, name: str, x_name: str) -> None:
    for which, axis in (("x", x), ("y", y)):
        panel.set(**{f"{which}scale": "log" if axis["log"] else "linear"})
        values, labels = zip(*axis["ticks"], strict=True)
        panel.set(**{f"{which}lim": axis["limits"], f"{which}ticks": values, f"{which}ticklabels": labels})
        panel.minorticks_off()
    panel.grid(True, color=GRID)
    panel.set_title(name)
    panel.set_xlabel(x_name, loc="right")


def drawable(values: np.ndarray, axis: dict) -> np.ndarray:
    """Leave out what lies too far above an axis for matplotlib to place, and lift what lies too far below."""
    low, high = axis["limits"]
    if axis["log"]:
        return np.where(values < 1e9 * high, np.maximum(values, low / 1e3), np.nan)
    return np.where(np.abs(values - low) < 1e4 * (high - low), values, np.nan)
