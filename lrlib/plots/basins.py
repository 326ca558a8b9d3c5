"""Maps of basins: which minimum is reached from each start of a grid."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from lrlib.checks import not_negative, whole
from lrlib.plots.figure import Figure, blank
from lrlib.plots.inputs import by_name
from lrlib.plots.style import INK, QUIET, house_style
from lrlib.plots.wording import named, number, point

# One basin each, from dark to light in steps that stay apart without colour; the last is for starts that reach none.
GROUNDS = ("#332288", "#9a4454", "#4cb8a8", "#ecc766")
NOWHERE = "#ffffff"


@house_style()
def basins(problem, trajectories, *, columns: int = 2, near: float = 0.01) -> Figure:
    """Draw which minimum is reached from each start of a grid over two parameters.

    Every start is a cell with the colour of the minimum beside which its run ends, or white if it ends beside none:
    it hops, wanders or diverges. The colours differ in lightness too. A disc with the number of the minimum marks it.

    Parameters
    ----------
    problem : Problem
        With two parameters and one to four known minima.
    trajectories : Trajectory or dict of str to Trajectory
        By name, each with lanes (rows, columns) that start on a regular grid, first parameter along the columns:
        ``x0=np.stack(np.meshgrid(a, b), axis=-1)``. Only the first and the last record are used.
    columns : int
        So many panels in a row.
    near : float
        How far from a minimum a run may end to count as having reached it.

    Raises
    ------
    TypeError, ValueError
        If the problem has not two parameters or no known minima, or the starts are no regular grid.

    Examples
    --------
    >>> from lrlib import SGD, DoubleWell, minimize
    >>> starts = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-2, 2, 6)), axis=-1)
    >>> print(basins(DoubleWell(), minimize(DoubleWell(), SGD(lr=0.1), steps=200, x0=starts)).alt)
    Which minimum is reached from each of 5 by 6 starts, from (-1, -2) to (1, 2). Minimum 1 is (0, -1), 2 is (0, 1). \
Shares of the starts: 1 50 %, 2 50 %, none 0 %.
    """
    if getattr(problem, "dim", None) != 2:
        raise ValueError(f"problem must have two parameters, got {getattr(problem, 'dim', type(problem).__name__)}")
    minima = np.asarray(problem.minima, dtype=float).reshape(-1, 2)
    if not 1 <= len(minima) <= len(GROUNDS):
        raise ValueError(f"problem must have one to {len(GROUNDS)} known minima, got {len(minima)}")
    not_negative("near", near)
    runs = by_name(trajectories, "trajectories", ("x",))
    grids = {label: grid_of(run, label) for label, run in runs.items()}
    columns = min(whole("columns", columns, least=1), len(runs))
    rows = -(-len(runs) // columns)
    height = 4.9 if columns == 1 and rows == 1 else rows * (6.0 / columns + 0.25) + 0.7
    figure, axes = blank(rows, columns, height=height, sharex=True, sharey=True)
    flat, words = axes.ravel(), []
    palette = ListedColormap([*GROUNDS[: len(minima)], NOWHERE])
    norm = BoundaryNorm(np.arange(len(minima) + 2) - 0.5, len(minima) + 1)
    nowhere = False
    for ax, (label, (low, high, ends)) in zip(flat, grids.items(), strict=False):
        reached = nearest(ends, minima, near)
        cell = (high - low) / (np.array(reached.shape[::-1]) - 1) / 2
        extent = np.stack([low - cell, high + cell]).T.ravel()
        ax.imshow(reached, cmap=palette, norm=norm, origin="lower", extent=extent, interpolation="nearest", zorder=1)
        inside = ((low <= minima) & (minima <= high)).all(axis=1)
        for i in np.flatnonzero(inside):
            disc = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8}
            ax.text(*minima[i], str(i + 1), ha="center", va="center", fontsize=10, color=INK, bbox=disc, zorder=6)
        ax.set_title(label)
        shares = [(reached == i).mean() for i in range(len(minima) + 1)]
        nowhere = nowhere or shares[-1] > 0
        names = [str(i + 1) for i in range(len(minima))] + ["none"]
        told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(names, shares, strict=True))
        words.append(named(label, told if label else f"shares of the starts: {told}"))
    for ax in flat[len(runs) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel(r"$\theta_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$\theta_2$", rotation=0, labelpad=10)
    handles = [
        Patch(facecolor=GROUNDS[i], edgecolor=QUIET, linewidth=0.7, label=f"{i + 1}") for i in range(len(minima))
    ]
    handles += [Patch(facecolor=NOWHERE, edgecolor=QUIET, linewidth=0.7, label="none")] if nowhere else []
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), title=None, handlelength=1.2)
    low, high, ends = next(iter(grids.values()))
    size = f"{ends.shape[1]} by {ends.shape[0]} starts"
    where = ", ".join(f"{i + 1} is {point(m)}" for i, m in enumerate(minima))
    head = f"Which minimum is reached from each of {size}, from {point(low)} to {point(high)}. Minimum {where}."
    return Figure(figure, f"{head} {' '.join(words)}")


def nearest(ends: np.ndarray, minima: np.ndarray, near: float) -> np.ndarray:
    """Return the index of the minimum beside which each run ends, or their number where it ends beside none."""
    with np.errstate(invalid="ignore"):
        distance = np.linalg.norm(ends[..., None, :] - minima, axis=-1)
    return np.where(distance.min(axis=-1) <= near, distance.argmin(axis=-1), len(minima))


def grid_of(run, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the corners of a regular grid of starts (rows, columns, 2), and where its runs end."""
    x = np.asarray(run.x, dtype=float)
    if x.ndim != 4 or x.shape[-1] != 2 or min(x.shape[1:3]) < 2:
        raise ValueError(f"trajectories[{label!r}] must have lanes (rows, columns), got x of shape {x.shape}")
    starts, (low, high) = x[0], (x[0, 0, 0], x[0, -1, -1])
    across, up = (np.linspace(low[i], high[i], x.shape[2 - i]) for i in (0, 1))
    regular = np.stack(np.meshgrid(across, up), axis=-1)
    if not (high > low).all() or not np.allclose(starts, regular, rtol=0, atol=1e-6 * float((high - low).max())):
        raise ValueError(
            f"trajectories[{label!r}] must start on a regular grid, got starts from "
            f"{number(low[0])}, {number(low[1])} to {number(high[0])}, {number(high[1])} that are none"
        )
    return low, high, x[-1]
