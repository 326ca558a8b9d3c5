"""Curves of any kind, and the marks across them."""

from collections.abc import Mapping, Sequence

import numpy as np

from lrlib.plots.figure import Figure, blank, grid, key, ticks
from lrlib.plots.inputs import by_name, choice, interval
from lrlib.plots.style import BOUND, INK, Style, house_style, styles_of
from lrlib.plots.wording import curve, named, number

SCALES = ("linear", "log")
Place = tuple[float, float, str, str]  # of a name: x and y as shares of the panel, horizontal and vertical alignment
HEIGHTS = (0.93, 0.07, 0.8, 0.2, 0.66, 0.33)  # where names of vertical lines may stand
ENDS = ((1, "right"), (0, "left"), (0.4, "left"), (0.7, "left"))  # and those of horizontal ones


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
        Values to mark by a dotted line across the panel, with the name beside it.
    styles : dict of str to Style, optional
        Instead of the book's own, for some of the names: `{"Adam, no bias correction": STYLE["AMSGrad"]}`.

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
    figure, axes = blank(height=3.4)
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
    elif horizontal:
        room_above(ax, horizontal)
    for axis, scale in ((ax.xaxis, xscale), (ax.yaxis, yscale)):
        if scale == "log":
            ticks(axis)
    grid(ax)
    marked = mark(ax, vertical or {}, horizontal or {}, xlabel, ylabel)
    key(ax, shown, markers=True)
    head = f"{ylabel} against {xlabel}"
    logarithmic = [name for name, scale in (("x", xscale), ("y", yscale)) if scale == "log"]
    head += f" ({' and '.join(logarithmic)} logarithmic)" if logarithmic else ""
    return Figure(figure, f"{head}. {' '.join(words)}{marked}")


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
    """Draw dotted lines across the panel with their names where there is most room, and say so in a sentence.

    Names of vertical lines stand at one height, those of horizontal ones all above or all below their line.
    """
    drawn = list(ax.get_lines())
    for value in vertical.values():
        ax.axvline(value, **BOUND)
    for value in horizontal.values():
        ax.axhline(value, **BOUND)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # fixed from here on: places are shares of the panel
    xs, ys = ({name: share(ax, v, axis) for name, v in at.items()} for axis, at in ((0, vertical), (1, horizontal)))
    along = np.linspace(0, 1, 500)
    across = {name: np.column_stack([np.full_like(along, x), along]) for name, x in xs.items()}
    level = {name: np.column_stack([along, np.full_like(along, y)]) for name, y in ys.items()}
    taken = [points_on(line, ax) for line in drawn]
    names = []
    for at, lines_, others, offers in (
        (xs, across, level, [[(y, "left", "center"), (y, "right", "center")] for y in HEIGHTS]),
        (ys, level, across, [[(x, ha, va) for x, ha in ENDS] for va in ("bottom", "top")]),
    ):
        tried = []
        for offer in offers:  # all names of a direction stand alike: at one height, or on one side of their lines
            written, fills, crowd = [], list(taken), 0.0
            for name, value in at.items():
                in_way = [points for other, points in lines_.items() if other != name] + list(others.values())
                places = [(value, *place) if at is xs else (place[0], value, *place[1:]) for place in offer]
                place, covered, fill = best_place(name, places, fills + in_way)
                written.append((name, place))
                fills.append(fill)
                crowd += covered
            tried.append((crowd, written, fills))
        _, written, taken = min(tried, key=lambda row: row[0])
        names += written
    for name, (x, y, ha, va) in names:
        gap = {"left": 4, "right": -4}[ha], {"bottom": 3, "center": 0, "top": -3}[va]
        ax.annotate(
            name,
            (x, y),
            xycoords="axes fraction",
            xytext=gap,
            textcoords="offset points",
            ha=ha,
            va=va,
            color=INK,
            fontsize=11.5,
            zorder=1.8,
        )
    marks = [f"{name} at {xlabel} {number(value)}" for name, value in vertical.items()]
    marks += [f"{name} at {ylabel} {number(value)}" for name, value in horizontal.items()]
    return f" Marked: {'; '.join(marks)}." if marks else ""


def room_above(ax, horizontal: Mapping[str, float]) -> None:
    """Raise the upper limit until the highest of the marks has its name inside the panel."""
    ax.set_ylim(*ax.get_ylim())
    highest = max(horizontal.values())
    for _ in range(20):
        low, high = ax.get_ylim()
        if share(ax, highest, 1) <= 0.89:
            return
        ax.set_ylim(low, high * (high / low) ** 0.03 if ax.get_yscale() == "log" else high + 0.03 * (high - low))


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


def best_place(name: str, places: Sequence[Place], taken: list[np.ndarray]) -> tuple[Place, float, np.ndarray]:
    """Return that of the places where a name covers the fewest points, how many, and points that fill the name.

    Points are shares of the panel.
    """
    width, height = 0.018 * len(name) + 0.02, 0.1

    def corner(place: Place) -> np.ndarray:
        x, y, ha, va = place
        return np.array([x - width * (ha == "right"), y - height * {"bottom": 0, "center": 0.5, "top": 1}[va]])

    def covered(place: Place) -> float:
        low = corner(place)
        high = low + np.array([width, height])
        outside = np.maximum(-low, 0).sum() + max(high[0] - 1.01, 0)
        points = sum(int(((points >= low) & (points <= high)).all(axis=1).sum()) for points in taken)
        return points + 1e6 * (outside > 0.02)

    best = min(places, key=covered)
    fill = np.linspace(0, 1, 20)
    grid_ = np.stack(np.meshgrid(fill, fill), axis=-1).reshape(-1, 2)
    return best, covered(best), corner(best) + grid_ * (width, height)
