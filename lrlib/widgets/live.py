"""Live figures: trajectories for every slider position, computed here and drawn by the reader's browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets

from lrlib.minimize import DIVERGED, Trajectory
from lrlib.plots.figure import Figure
from lrlib.plots.inputs import interval
from lrlib.plots.style import Style, styles_of
from lrlib.plots.wording import count, named, number
from lrlib.widgets import axes
from lrlib.widgets.drawing import Drawing, module
from lrlib.widgets.still import still_image

MAX_BYTES = 150_000  # what a reader on a slow line is asked to load for one figure
RESOLUTION = 4096  # numbers are sent as whole parts of an axis, so that no pixel differs on a large screen
REACH = 7.99  # what lies more than so many lengths of an axis from its middle is sent as lying there
DASHES = {"-": [], "--": [7, 3], "-.": [8, 3, 1.5, 3], ":": [1.5, 3]}  # on, off, ... in pixels
AXES = ("steps", "loss", "lr", "x", "y")
UNLABELLED = Style("#c0392b", "-", "o")


class LiveFigure(Drawing):
    """A figure whose sliders choose among computed runs. Made by `live`; `index1` and `index2` are the positions."""

    _esm = module("live.js")
    data = traitlets.Bytes().tag(sync=True)
    index1 = traitlets.Int(0).tag(sync=True)
    index2 = traitlets.Int(0).tag(sync=True)


@dataclass(frozen=True, eq=False)
class Series:
    """One trajectory with its slider axes flattened into one lane axis."""

    label: str
    style: Style
    step: np.ndarray  #: (records,)
    loss: np.ndarray  #: (records, lanes), inf where the run overflowed
    lr: np.ndarray  #: (records - 1, lanes) rate used in the step after each record; one row if it never changes
    lost: np.ndarray  #: (lanes,) recorded step at which the run counts as diverged, -1 if it does not
    path: np.ndarray | None  #: (records, lanes, 2) on a plane


def live(
    problem: Any,
    trajectories: Trajectory | Mapping[str, Trajectory],
    sliders: Mapping[str, Sequence],
    *,
    title: str | None = None,
    start: Any = None,
    view: tuple[tuple[float, float], tuple[float, float]] | None = None,
    limits: tuple[float, float] | None = None,
) -> LiveFigure:
    """Show a family of trajectories over one or two sliders.

    Lanes are slider positions. On a plane (`problem.dim == 2`) the figure shows contours and the path; always the loss
    and the learning rate actually used, per step. Axes stay the same for all positions.

    Parameters
    ----------
    problem : Problem
        What was minimized.
    trajectories : Trajectory or dict of label to Trajectory
        Runs whose lane axes are the sliders' positions, in the order of `sliders`. An optimizer's name as label
        brings its colour and line style.
    sliders : dict of name to sequence
        One or two; the values (numbers or words) that the lanes were run with.
    title : str, optional
        Stands above the figure and opens the alternative text.
    start : value or tuple of values, optional
        Where the sliders stand at first: the position nearest to a number, or the word. By default the middle.
    view : ((low, high), (low, high)), optional
        Limits of the plane. By default what the runs that settle need.
    limits : (low, high), optional
        Positive limits of the loss axis, which is then logarithmic. By default what the runs that settle need.

    Returns
    -------
    LiveFigure
        Alive in Jupyter, in Colab and on a static page; elsewhere a still image.

    Raises
    ------
    ValueError
        If lanes and sliders do not match, or the data exceed 150 KB.

    Examples
    --------
    >>> import numpy as np
    >>> from lrlib import SGD, Quadratic, minimize
    >>> problem, rates = Quadratic([1.0, 10.0], x0=[4.0, 1.5]), np.linspace(0.01, 0.21, 21)
    >>> figure = live(problem, {"SGD": minimize(problem, SGD(lr=rates[:, None]), steps=30)}, {"learning rate": rates})
    >>> figure.index1
    10
    """
    if not isinstance(trajectories, Mapping):
        trajectories = {"": trajectories}
    if not trajectories:
        raise ValueError("trajectories must not be empty")
    positions = _positions(sliders)
    labels = {name: _value_labels(values) for name, values in positions.items()}
    indices = _start(positions, start)
    on_plane = problem.dim == 2
    styles = {**styles_of(label for label in trajectories if label), "": UNLABELLED}
    series = [_series(label, styles[label], run, positions, on_plane) for label, run in trajectories.items()]
    _check_size(series, positions)

    settled = [_settled(s) for s in series]
    frame = {
        "steps": axes.step_axis(int(max(s.step[-1] for s in series))),
        "loss": axes.loss_axis(
            np.concatenate([s.loss[:, keep].ravel() for s, keep in zip(series, settled, strict=True)]),
            others_rise=not all(keep.all() for keep in settled),
        ),
        "lr": axes.rate_axis(np.concatenate([s.lr.ravel() for s in series])),
    }
    if limits is not None:
        frame["loss"] = axes.log_axis(*_positive("limits", limits))
    if on_plane:
        frame |= _plane(problem, series, settled, view)
    coded = [_coded(s, frame) for s in series]
    spec = {
        "title": title or "",
        "sliders": [{"name": name, "values": values} for name, values in labels.items()],
        "axes": {name: axis | {"ticks": axes.placed_ticks(axis)} for name, axis in frame.items() if name in AXES},
        "resolution": RESOLUTION,
        "contours": frame.get("contours", []),
        **{
            name: [[float(axes.share(frame[a], m[i])) for i, a in enumerate("xy")] for m in frame.get(name, [])]
            for name in ("minima", "saddles")
        },
        "series": [
            {
                "label": s.label,
                "color": _ink(s.style.color),
                "dash": DASHES[s.style.linestyle],
                "step": s.step.tolist(),
                "rows": {name: len(codes) for name, codes in arrays.items()},
                "lost": s.lost.tolist(),
                "outcome": [outcome(s, lane) for lane in range(len(s.lost))],
                "rate": [_rate(s, lane) for lane in range(len(s.lost))],
            }
            for s, arrays in zip(series, coded, strict=True)
        ],
    }
    lane = int(np.ravel_multi_index(indices, [len(v) for v in positions.values()]))
    index1, index2 = (*indices, 0)[:2]
    shown = ", ".join(f"{name} {values[i]}" for (name, values), i in zip(labels.items(), indices, strict=True))
    return LiveFigure(
        spec=spec,
        data=_packed([codes for arrays in coded for codes in arrays.values()]),
        index1=index1,
        index2=index2,
        still=Figure(
            still_image(spec, frame, series, lane, shown), _alternative_text(spec, series, labels, shown, lane)
        ),
    )


def _positions(sliders: Mapping[str, Sequence]) -> dict[str, list]:
    if not isinstance(sliders, Mapping) or len(sliders) not in (1, 2):
        raise ValueError(f"sliders must be a dict of one or two names to values, got {sliders!r}")
    positions = {}
    for name, values in sliders.items():
        if isinstance(values, str) or np.ndim(values) != 1 or len(values) == 0:
            raise ValueError(f"slider {name!r} must have a list of values, got {values!r}")
        positions[name] = np.asarray(values).tolist() if not all(isinstance(v, str) for v in values) else list(values)
    return positions


def _value_labels(values: list) -> list[str]:
    """Write slider values as shortly as keeps them apart, with at least three digits."""
    if isinstance(values[0], str):
        return values
    written: list[str] = []
    for digits in range(3, 18):
        written = [f"{v:.{digits}g}".replace("e-0", "e-").replace("e+0", "e") for v in values]
        if len(set(written)) == len(set(values)):
            break
    return written


def _start(positions: dict[str, list], start: Any) -> tuple[int, ...]:
    if start is None:
        return tuple(len(values) // 2 for values in positions.values())
    wanted = start if isinstance(start, tuple) else (start,)
    if len(wanted) != len(positions):
        raise ValueError(f"start must have one value for each of {len(positions)} sliders, got {start!r}")
    indices = []
    for value, (name, values) in zip(wanted, positions.items(), strict=True):
        if isinstance(values[0], str) or isinstance(value, str):
            if value not in values:
                raise ValueError(f"start must be a value of slider {name!r}, got {value!r}")
            indices.append(values.index(value))
        else:
            low, high = min(values), max(values)
            if not low <= value <= high:
                raise ValueError(f"start must lie within slider {name!r}, {low} to {high}, got {value!r}")
            indices.append(int(np.argmin(np.abs(np.asarray(values, dtype=float) - value))))
    return tuple(indices)


def _series(label: str, style: Style, run: Trajectory, positions: dict[str, list], on_plane: bool) -> Series:
    shape = tuple(len(values) for values in positions.values())
    lanes = np.shape(run.loss)[1:]
    if lanes != shape:
        expected = " and ".join(f"{len(values)} of slider {name!r}" for name, values in positions.items())
        raise ValueError(f"lanes of trajectory {label!r} must be the positions, {expected}, got lanes of shape {lanes}")
    records = len(run.step)
    if records < 2:
        raise ValueError(f"trajectory {label!r} must have at least one step, got none")
    loss = np.asarray(run.loss, dtype=float).reshape(records, -1)
    loss = np.where(np.isnan(loss), np.inf, loss)
    rates = np.asarray(run.lr, dtype=float).reshape(len(run.lr), -1)[run.step[:-1]]
    if len(rates) and (rates == rates[0]).all():
        rates = rates[:1]
    with np.errstate(over="ignore"):
        beyond = ~np.isfinite(loss) | (loss > DIVERGED * np.abs(loss[0]))
    lost = np.where(np.ravel(run.diverged), np.asarray(run.step)[beyond.argmax(axis=0)], -1)
    path = np.asarray(run.x, dtype=float).reshape(records, -1, 2) if on_plane else None
    return Series(label, style, np.asarray(run.step), loss, rates, lost, path)


def _ink(color: str) -> str:
    """Black is whatever colour the page's text has, so that it shows in dark mode."""
    return "currentColor" if color == "#000000" else color


def _coded(s: Series, frame: dict) -> dict[str, np.ndarray]:
    """Place the numbers of a series on its axes, as int16 (rows, lanes): 0 in the middle, RESOLUTION for a length."""
    placed = {name: axes.share(frame[name], getattr(s, name)) - 0.5 for name in ("loss", "lr")}
    if s.path is not None:
        at = np.stack([axes.share(frame[axis], s.path[..., i]) - 0.5 for i, axis in enumerate("xy")], axis=-1)
        placed |= dict(zip("xy", np.moveaxis(_within_reach(at), -1, 0), strict=True))
    for name, values in placed.items():
        near = np.clip(np.where(np.isnan(values), REACH, values), -REACH, REACH)
        placed[name] = np.rint(near * RESOLUTION).astype(np.int16)
    return placed


def _within_reach(path: np.ndarray) -> np.ndarray:
    """Shorten leaps of a path (records, lanes, 2) out of reach, in their direction: it leaves the frame as it did."""
    path = np.clip(np.nan_to_num(path, nan=1e6), -1e6, 1e6)
    before = np.concatenate([path[:1], path[:-1]])
    leap = path - before
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(leap == 0, 1.0, (REACH * np.sign(leap) - before) / leap).min(axis=-1, keepdims=True)
    return before + np.clip(part, 0, 1) * leap


def _packed(codes: list[np.ndarray]) -> bytes:
    """Pack codes for transport: the steps from row to row lane by lane, first all low bytes, then all high ones.

    Neighbours are alike, so a server's compression shrinks them to a sixth of what it makes of float32.
    """
    moves = [np.diff(c, axis=0, prepend=np.int16(0)).T.ravel() for c in codes]  # they wrap around, and so does the sum
    return np.concatenate(moves).astype("<i2").view(np.uint8).reshape(-1, 2).T.tobytes()


def _check_size(series: list[Series], positions: dict[str, list]) -> None:
    size = sum(2 * (s.loss.size + s.lr.size + (0 if s.path is None else s.path.size)) for s in series)
    if size > MAX_BYTES:
        lanes = " × ".join(f"{len(values)} ({name})" for name, values in positions.items())
        records = " + ".join(str(len(s.step)) for s in series)
        raise ValueError(
            f"data must be at most {MAX_BYTES // 1000} KB, got {size / 1000:.0f} KB: {records} records for {lanes} "
            f"positions; record fewer steps (minimize(..., every=...)) or offer fewer positions"
        )


def _settled(s: Series) -> np.ndarray:
    """Which lanes set the limits: those that end below their start without a great leap, or all that stay finite."""
    finite = np.isfinite(s.loss).all(axis=0)
    calm = finite & (s.loss[-1] <= s.loss[0]) & (s.loss.max(axis=0) <= s.loss[0] + 30 * np.abs(s.loss[0]))
    return calm if calm.any() else finite if finite.any() else np.isfinite(s.loss[0])


def _plane(problem: Any, series: list[Series], settled: list[np.ndarray], view: Any) -> dict:
    minima = np.reshape(getattr(problem, "minima", ()), (-1, 2))
    if view is None:
        calm = [s.path[:, keep].reshape(-1, 2) for s, keep in zip(series, settled, strict=True) if s.path is not None]
        x, y = axes.plane_limits(np.concatenate([*calm, minima]), minima)
    else:
        limits = np.asarray(view, dtype=float)
        if limits.shape != (2, 2) or not (limits[:, 0] < limits[:, 1]).all():
            raise ValueError(f"view must be ((low, high), (low, high)), got {view!r}")
        x, y = limits.tolist()
    return {
        "x": {"log": False, "limits": x, "ticks": axes.linear_ticks(*x)},
        "y": {"log": False, "limits": y, "ticks": axes.linear_ticks(*y)},
        "minima": minima,
        "saddles": _inside(np.reshape(getattr(problem, "saddles", ()), (-1, 2)), x, y),
        "contours": axes.contours(problem.loss, x, y),
    }


def _positive(name: str, limits: Any) -> tuple[float, float]:
    low, high = interval(name, limits)
    if low <= 0:
        raise ValueError(f"{name} must be positive, got {limits!r}")
    return low, high


def _inside(points: np.ndarray, x: axes.Limits, y: axes.Limits) -> np.ndarray:
    """Which of the points (n, 2) lie in the frame."""
    low, high = np.transpose([x, y])
    return points[((low <= points) & (points <= high)).all(axis=1)]


def outcome(s: Series, lane: int) -> str:
    """Say how a run ended."""
    if s.lost[lane] >= 0:
        return f"diverged at step {s.lost[lane]}"
    grew = ", more than at the start" if s.loss[-1, lane] > s.loss[0, lane] else ""
    return f"final loss {number(s.loss[-1, lane])} after {s.step[-1]} steps{grew}"


def _rate(s: Series, lane: int) -> str:
    """Say which rates a run used."""
    first, last = number(s.lr[0, lane]), number(s.lr[-1, lane])
    return first if first == last else f"from {first} to {last}"


def _alternative_text(spec: dict, series: list[Series], labels: dict, at: str, lane: int) -> str:
    text = [named("", spec["title"].rstrip(".") or "runs for every position of a slider")]
    shown = "the path on the contour lines of the loss, the loss" if "x" in spec["axes"] else "the loss"
    text.append(f"Shows {shown} and the learning rate actually used at each step.")
    for name, values in labels.items():
        text.append(f"Slider {name}: {count(len(values), 'position')} from {values[0]} to {values[-1]}.")
    text.append(f"At {at}:")
    text.append("; ".join((f"{s.label}: " if s.label else "") + outcome(s, lane) for s in series) + ".")
    for s in series:
        lost = s.lost >= 0
        if lost.any():
            share = f"diverges at {lost.sum()} of {count(lost.size, 'position')}"
            text.append(named(s.label, share + _span(lost, labels)))
    return " ".join(text)


def _span(lost: np.ndarray, labels: dict) -> str:
    """Between which positions of a single slider."""
    if len(labels) == 2:
        return ""
    ((name, values),) = labels.items()
    first, last = (int(i) for i in np.flatnonzero(lost)[[0, -1]])
    return f", {name} {values[first]}" + (f" to {values[last]}" if first != last else "")
