"""Curves of any kind: learning rates over the steps, and whatever else is a line."""

from collections.abc import Mapping, Sequence

import numpy as np

from lrlib.checks import whole
from lrlib.plots.figure import Figure, blank, grid, key
from lrlib.plots.inputs import by_name, choice, interval
from lrlib.plots.over_steps import rate_words
from lrlib.plots.style import INK, QUIET, Style, house_style, styles_of
from lrlib.plots.wording import curve, named, number

SCALES = ("linear", "log")


@house_style()
def rates(
    schedules,
    steps: int,
    *,
    dots: Sequence[int] = (),
    yscale: str = "linear",
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw learning rates over the steps 0 to `steps` - 1; a rate that stays and jumps is drawn as a staircase.

    Parameters
    ----------
    schedules : schedule or dict of str to schedule
        Functions of an array of 0-based steps, or arrays of `steps` rates.
    steps : int
        How many steps.
    dots : sequence of int
        Steps at which to draw a dot.
    yscale : {"linear", "log"}
    limits : (low, high), optional
        Of the rate axis.
    title : str, optional

    Examples
    --------
    >>> from lrlib import ExponentialDecay
    >>> print(rates({"continuous": ExponentialDecay(0.01, decay_steps=100, decay_rate=0.9)}, 1000).alt)
    Learning rate per step against step, for steps 0 to 999. continuous: falls from 0.01 to 0.00349.
    """
    steps = whole("steps", steps, least=2)
    choice("yscale", yscale, SCALES)
    t = np.arange(steps)
    values = {label: rates_of(schedule, t, label) for label, schedule in by_name(schedules, "schedules").items()}
    wrong = [d for d in dots if not 0 <= d < steps]
    if wrong:
        raise ValueError(f"dots must be steps from 0 to {steps - 1}, got {wrong[0]}")
    figure, axes = blank(height=3.4, title=title)
    ax, styles, words = axes[0, 0], styles_of(values), []
    chosen = np.asarray(dots, dtype=int)
    for label, lr in values.items():
        color, linestyle, marker = styles[label]
        jumps = np.count_nonzero(np.diff(lr))
        drawstyle = "steps-post" if 0 < jumps <= (steps - 1) / 2 else "default"
        ax.plot(t, lr, color=color, linestyle=linestyle, drawstyle=drawstyle)
        if chosen.size:
            ax.plot(chosen, lr[chosen], color=color, linestyle="", marker=marker)
        words.append(named(label, rate_words(lr)))
    every = np.concatenate(list(values.values()))
    if limits is not None:
        ax.set_ylim(interval("limits", limits))
    elif yscale == "linear":
        ax.set_ylim(0, 1.08 * every.max() or 1.0)
    elif (every <= 0).any():
        raise ValueError(f"yscale='log' needs positive rates, got {number(every.min())}")
    ax.set(xlabel="step", ylabel="learning rate (per step)", yscale=yscale, xlim=(0, steps))
    grid(ax)
    key(ax, styles, markers=bool(chosen.size))
    scale = " (logarithmic scale)" if yscale == "log" else ""
    head = f"Learning rate per step{scale} against step, for steps 0 to {steps - 1}."
    return Figure(figure, f"{head} {' '.join(words)}")


def rates_of(schedule, t: np.ndarray, label: str) -> np.ndarray:
    lr = np.asarray(schedule(t) if callable(schedule) else schedule, dtype=float)
    if lr.shape not in ((), t.shape):
        raise ValueError(f"schedules[{label!r}] must give one rate per step, got shape {lr.shape} for {len(t)} steps")
    lr = np.broadcast_to(lr, t.shape)
    if not np.isfinite(lr).all():
        raise ValueError(f"schedules[{label!r}] must give finite rates, got {lr[~np.isfinite(lr)][0]}")
    return lr


@house_style()
def lines(
    curves,
    *,
    xlabel: str,
    ylabel: str,
    xscale: str = "linear",
    yscale: str = "linear",
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    dots: Sequence[str] = (),
    vertical: Mapping[str, float] | None = None,
    horizontal: Mapping[str, float] | None = None,
    styles: Mapping[str, Style] | None = None,
    height: float = 3.4,
    alt: str = "",
    title: str | None = None,
) -> Figure:
    """Draw any curves.

    Parameters
    ----------
    curves : dict of str to (x, y)
        By name; y may be (n, seeds), which draws the median with a band from the lowest to the highest. Values that
        are not finite leave a gap.
    xlabel, ylabel : str
        With units.
    xscale, yscale : {"linear", "log"}
    xlim, ylim : (low, high), optional
    dots : sequence of str
        Names of curves to be drawn as dots without a line.
    vertical, horizontal : dict of str to float, optional
        Values to mark by a thin line across the panel, with the name beside it.
    styles : dict of str to Style, optional
        Instead of the book's own, for some of the names: `{"Adam, no bias correction": STYLE["AMSGrad"]}`.
    height : float
        Of the figure, in inches; it is 6.4 inches wide.
    alt : str
        A sentence that opens the alternative text and says what the figure is about.
    title : str, optional

    Examples
    --------
    >>> x = np.linspace(0, 1, 5)
    >>> print(lines({"parabola": (x, x**2)}, xlabel="x", ylabel="y", horizontal={"half": 0.5}).alt)
    y against x. parabola: rises from 0 at x 0 to 1 at x 1. Marked: half at y 0.5.
    """
    data = {label: xy_of(pair, label) for label, pair in by_name(curves, "curves").items()}
    choice("xscale", xscale, SCALES)
    choice("yscale", yscale, SCALES)
    for name in [*dots, *(styles or {})]:
        if name not in data:
            raise ValueError(f"dots and styles must name curves, got {name!r}, expected {', '.join(data)}")
    chosen = styles_of(data) | {label: Style(*style) for label, style in (styles or {}).items()}
    figure, axes = blank(height=height, title=title)
    ax, words, shown = axes[0, 0], [], {}
    for label, (x, y) in data.items():
        color, linestyle, marker = chosen[label]
        middle = np.median(y, axis=1)
        shown[label] = Style(color, "none", marker) if label in dots else Style(color, linestyle, "")
        ax.plot(x, middle, color=color, linestyle=shown[label].linestyle, marker=shown[label].marker)
        if y.shape[1] > 1:
            ax.fill_between(x, y.min(axis=1), y.max(axis=1), color=color, alpha=0.18, lw=0)
        words.append(named(label, xy_words(x, middle, xlabel)))
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    ax.margins(x=0.02, y=0.06)
    if xlim is not None:
        ax.set_xlim(interval("xlim", xlim))
    if ylim is not None:
        ax.set_ylim(interval("ylim", ylim))
    grid(ax)
    marked = mark(ax, vertical or {}, horizontal or {}, xlabel, ylabel)
    key(ax, shown, markers=True)
    head = f"{ylabel} against {xlabel}"
    logarithmic = [name for name, scale in (("x", xscale), ("y", yscale)) if scale == "log"]
    head += f" ({' and '.join(logarithmic)} logarithmic)" if logarithmic else ""
    opening = f"{alt.rstrip('. ')}. " if alt else ""
    return Figure(figure, f"{opening}{head}. {' '.join(words)}{marked}")


def xy_of(pair, label: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        x, y = (np.asarray(values, dtype=float) for values in pair)
    except (TypeError, ValueError):
        raise ValueError(f"curves[{label!r}] must be a pair (x, y) of arrays, got {type(pair).__name__}") from None
    if x.ndim != 1 or y.ndim not in (1, 2) or len(x) != len(y) or not len(x):
        raise ValueError(f"curves[{label!r}] must have x (n,) and y (n,) or (n, seeds), got {x.shape} and {y.shape}")
    y = np.where(np.isfinite(y), y, np.nan)
    if np.isnan(y).all():
        raise ValueError(f"curves[{label!r}] must have a finite y, got none")
    return x, y.reshape(len(y), -1)


def xy_words(x: np.ndarray, y: np.ndarray, xlabel: str) -> str:
    keep = np.isfinite(y)
    x, y = x[keep], y[keep]
    words = curve(x, y, xlabel)
    if words.startswith(("falls from", "rises from")) and "," not in words:
        verb = words.split()[0]
        words = f"{verb} from {number(y[0])} at {xlabel} {number(x[0])} to {number(y[-1])} at {xlabel} {number(x[-1])}"
    return words


def mark(ax, vertical: Mapping[str, float], horizontal: Mapping[str, float], xlabel: str, ylabel: str) -> str:
    """Draw thin lines across the panel with their names where there is most room, and say so in a sentence."""
    thin = {"color": QUIET, "linewidth": 1.1, "linestyle": (0, (4, 3)), "zorder": 1.5}
    drawn = list(ax.get_lines())
    for value in vertical.values():
        ax.axvline(value, **thin)
    for value in horizontal.values():
        ax.axhline(value, **thin)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # fixed from here on: places are shares of the panel
    xs, ys = ({name: share(ax, v, axis) for name, v in at.items()} for axis, at in ((0, vertical), (1, horizontal)))
    along = np.linspace(0, 1, 500)
    across = {name: np.column_stack([np.full_like(along, x), along]) for name, x in xs.items()}
    level = {name: np.column_stack([along, np.full_like(along, y)]) for name, y in ys.items()}
    taken = [points_on(line, ax) for line in drawn]
    for name, x in xs.items():
        others = [points for other, points in across.items() if other != name] + list(level.values())
        places = [(x, y, side, "center") for side in ("left", "right") for y in (0.93, 0.07, 0.8, 0.2, 0.66, 0.33)]
        taken.append(write(ax, name, places, taken + others))
    for name, y in ys.items():
        others = [points for other, points in level.items() if other != name] + list(across.values())
        places = [(x, y, ha, va) for va in ("bottom", "top") for x, ha in ((1, "right"), (0, "left"), (0.4, "left"))]
        taken.append(write(ax, name, places, taken + others))
    marks = [f"{name} at {xlabel} {number(value)}" for name, value in vertical.items()]
    marks += [f"{name} at {ylabel} {number(value)}" for name, value in horizontal.items()]
    return f" Marked: {'; '.join(marks)}." if marks else ""


def share(ax, value: float, axis: int) -> float:
    """Return where a value lies between the ends of an axis, as 0 to 1."""
    place = ax.transLimits.transform(ax.transScale.transform([(value if axis == 0 else 1, value if axis else 1)]))
    return float(place[0, axis])


def points_on(line, ax) -> np.ndarray:
    """Return points along a drawn line, in shares of the panel."""
    xy = np.column_stack(line.get_data())
    with np.errstate(all="ignore"):
        xy = ax.transLimits.transform(ax.transScale.transform(xy))
    xy = xy[np.isfinite(xy).all(axis=1)]
    t, fine = np.arange(len(xy)), np.linspace(0, max(len(xy) - 1, 0), 2000)
    return np.column_stack([np.interp(fine, t, xy[:, i]) for i in (0, 1)]) if len(xy) else xy


def write(ax, name: str, places: Sequence[tuple[float, float, str, str]], taken: list[np.ndarray]) -> np.ndarray:
    """Write a name at that of the places (x, y, horizontal, vertical alignment) which covers the fewest points.

    Return points that fill what is written, in shares of the panel.
    """
    width, height = 0.018 * len(name) + 0.02, 0.1

    def corner(place) -> np.ndarray:
        x, y, ha, va = place
        return np.array([x - width * (ha == "right"), y - height * {"bottom": 0, "center": 0.5, "top": 1}[va]])

    def covered(place) -> float:
        low = corner(place)
        high = low + np.array([width, height])
        outside = np.maximum(-low, 0).sum() + np.maximum(high - 1.01, 0).sum()
        points = sum(int(((points >= low) & (points <= high)).all(axis=1).sum()) for points in taken)
        return points + 1e6 * (outside > 0.02)

    best = min(places, key=covered)
    x, y, ha, va = best
    gap = {"left": 4, "right": -4}[ha], {"bottom": 3, "center": 0, "top": -3}[va]
    ax.annotate(
        name, (x, y), xycoords="axes fraction", xytext=gap, textcoords="offset points", ha=ha, va=va, color=INK,
        fontsize=11.5, zorder=1.8,
    )
    fill = np.linspace(0, 1, 20)
    return corner(best) + np.stack(np.meshgrid(fill, fill), axis=-1).reshape(-1, 2) * (width, height)
