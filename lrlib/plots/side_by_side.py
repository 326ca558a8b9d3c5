"""Many small things beside each other: curves in panels with the same axes, and pictures with their names."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from lrlib.checks import whole
from lrlib.plots.curves import SCALES, xy_of
from lrlib.plots.figure import Figure, blank, grid, ticks
from lrlib.plots.inputs import by_name, choice, interval
from lrlib.plots.style import INK, WRONG, house_style, styles_of
from lrlib.plots.wording import count, curve, listing, named


@house_style()
def gallery(
    panels,
    *,
    xlabel: str,
    ylabel: str,
    yscale: str = "linear",
    ylim: tuple[float, float] | None = None,
    columns: int = 3,
) -> Figure:
    """Draw curves in small panels with the same axes, to be compared from panel to panel.

    Parameters
    ----------
    panels : dict of str to dict of str to (x, y)
        By title, the curves of each panel by name; a name has one style in all panels.
    xlabel, ylabel : str
        With units.
    yscale : {"linear", "log"}
    ylim : (low, high), optional
        A curve outside leaves the panel.
    columns : int
        Panels in a row.

    Examples
    --------
    >>> x = np.arange(3)
    >>> print(gallery({"A": {"training": (x, 4 - x)}, "B": {"training": (x, x)}}, xlabel="step", ylabel="loss").alt)
    Loss against step in 2 panels with the same axes. A: training falls from 4 to 2. B: training rises from 0 to 2.
    """
    titled = by_name(panels, "panels")
    data = {
        title: {label: xy_of(pair, label) for label, pair in by_name(curves, f"panels[{title!r}]").items()}
        for title, curves in titled.items()
    }
    choice("yscale", yscale, SCALES)
    columns = min(whole("columns", columns, least=1), len(data))
    rows = -(-len(data) // columns)
    styles = styles_of(dict.fromkeys(label for curves in data.values() for label in curves))
    figure, axes = blank(rows, columns, height=1.85 * rows + 0.5, sharex=True, sharey=True)
    flat, words = axes.ravel(), []
    for ax, (title, curves) in zip(flat, data.items(), strict=False):
        drawn = [(label, x, y) for label, (x, y) in curves.items()]
        for label, x, y in drawn:
            ax.plot(x, np.median(y, axis=1), color=styles[label].color, linestyle=styles[label].linestyle)
        words.append(named(title, "; ".join(in_words(label, x, np.median(y, axis=1), xlabel) for label, x, y in drawn)))
        ax.set_title(title)
        ax.set(yscale=yscale)
        grid(ax)
    if ylim is not None:
        flat[0].set_ylim(interval("ylim", ylim))
    if yscale == "log":
        ticks(flat[0].yaxis, at_most=5)
    flat[0].locator_params(axis="x", nbins=3)
    for ax in flat[len(data) :]:
        ax.set_axis_off()
    for ax in flat[max(0, len(data) - columns) : len(data)]:
        ax.set_xlabel(xlabel)
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    lines = [Line2D([], [], color=s.color, linestyle=s.linestyle, label=name) for name, s in styles.items() if name]
    if lines:
        figure.legend(handles=lines, loc="outside upper left", ncols=4)
    head = f"{ylabel[:1].upper()}{ylabel[1:]} against {xlabel} in {count(len(data), 'panel')} with the same axes"
    scale = " (logarithmic scale)" if yscale == "log" else ""
    return Figure(figure, f"{head}{scale}. {' '.join(words)}")


def in_words(label: str, x: np.ndarray, y: np.ndarray, xlabel: str) -> str:
    """Say how one curve of a panel runs."""
    keep = np.isfinite(y)
    return f"{label} {curve(x[keep], y[keep], xlabel)}".lstrip()


@house_style()
def pictures(images, names: Sequence[str], *, marked: Sequence[int] = (), columns: int = 10) -> Figure:
    """Show small grey pictures with their names, dark where the numbers are large.

    Parameters
    ----------
    images : array of shape (n, pixels) or (n, height, width)
        Rows of pixels are taken to be square.
    names : sequence of str
        One above each picture.
    marked : sequence of int
        Which of the names are set in bold and another colour.
    columns : int
        Pictures in a row.

    Examples
    --------
    >>> print(pictures(np.eye(4).reshape(2, 8)[:, :4], ["one", "two"], marked=[1]).alt)
    2 grey pictures of 2 by 2 pixels, named one and two. Marked: number 2, two.
    """
    images = np.asarray(images, dtype=float)
    side = int(np.sqrt(images.shape[-1])) if images.ndim == 2 else 0
    if images.ndim not in (2, 3) or not len(images) or (images.ndim == 2 and side**2 != images.shape[1]):
        raise ValueError(f"images must be (n, pixels) with square pictures or (n, height, width), got {images.shape}")
    images = images.reshape(len(images), side, side) if side else images
    names = [str(name) for name in names]
    if len(names) != len(images):
        raise ValueError(f"names must be one for each of {len(images)} images, got {len(names)}")
    wrong = [i for i in marked if not 0 <= i < len(images)]
    if wrong:
        raise ValueError(f"marked must be positions from 0 to {len(images) - 1}, got {wrong[0]}")
    columns = min(whole("columns", columns, least=1), len(images))
    rows = -(-len(images) // columns)
    figure, axes = blank(rows, columns, height=rows * (6.4 / columns + 0.3))
    for ax in axes.ravel():
        ax.set_axis_off()
    for i, (ax, image, name) in enumerate(zip(axes.ravel(), images, names, strict=False)):
        ax.imshow(image, cmap="Greys", vmin=0, vmax=images.max() or 1)
        bold = i in marked
        ax.set_title(name, loc="center", color=WRONG if bold else INK, fontweight="bold" if bold else "normal")
    n, height, width = images.shape
    alt = f"{count(n, 'grey picture')} of {height} by {width} pixels, named {listing(names)}."
    picked = [f"number {i + 1}, {names[i]}" for i in sorted(set(marked))]
    return Figure(figure, alt + (f" Marked: {'; '.join(picked)}." if picked else ""))
