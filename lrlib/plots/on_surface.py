"""Paths of iterates on the function they descend: over contours in two dimensions, along the curve in one."""

import numpy as np
from matplotlib.lines import Line2D

from lrlib.checks import whole
from lrlib.plots.figure import WIDTH, Figure, blank, key
from lrlib.plots.inputs import by_name, interval
from lrlib.plots.style import CONTOUR, INK, QUIET, RING, SADDLE, STAR, house_style, styles_of
from lrlib.plots.wording import count, named, number, point

LEVELS = 10  # contours, evenly spaced in the logarithm of the height above the minimum


def path_of(trajectory, dim: int, label: str) -> np.ndarray:
    """Return the finite part of the path of a single run, (records, dim)."""
    x = np.asarray(trajectory.x, dtype=float)
    if x.ndim > 2:
        x = x.reshape(len(x), -1, x.shape[-1])
        if x.shape[1] > 1:
            raise ValueError(f"trajectories[{label!r}] must be a single run, got {x.shape[1]} lanes: split it by_lane")
        x = x[:, 0]
    if x.shape[1] != dim:
        raise ValueError(f"trajectories[{label!r}] must have {dim} parameters, got {x.shape[1]}")
    finite = np.isfinite(x).all(axis=1)
    return x if finite.all() else x[: int(finite.argmin())]


def departs(trajectory, path: np.ndarray, minima: np.ndarray) -> bool:
    """Whether a run ends far from where it started, compared with how far that was from the nearest minimum."""
    if bool(np.any(trajectory.diverged)) or len(path) < len(trajectory.x):
        return True
    if not len(minima):
        return False
    start, end = (np.linalg.norm(minima - p, axis=-1).min() for p in (path[0], path[-1]))
    return bool(end > 1.5 * start > 0)


def beginning(path: np.ndarray, minima: np.ndarray) -> np.ndarray:
    """Return the part of a departing path that deserves room: until it is much further out than where it began.

    Where the first step is already, the room is the one between the start and its mirror image in the minimum.
    """
    if not len(minima):
        return path[:1]
    nearest = minima[np.linalg.norm(minima - path[0], axis=-1).argmin()]
    far = (np.abs(path - nearest) > 1.4 * np.abs(path[0] - nearest)).any(axis=1)
    near = path[: int(far.argmax())] if far.any() else path
    return near if len(near) > 1 else np.stack([path[0], 2 * nearest - path[0]])


def until_far(path: np.ndarray, saddles: np.ndarray) -> np.ndarray:
    """Return the part of a path until it is half as far again from the nearest saddle as where it began.

    Where nothing is lowest a path need not end, and all of it would show the saddle as a dot.
    """
    distance = np.linalg.norm(path[:, None] - saddles, axis=-1).min(axis=1)
    far = distance > 1.5 * distance[0]
    return path[: max(1, int(far.argmax()))] if far.any() and distance[0] > 0 else path


def exit_point(path: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[int, np.ndarray] | None:
    """Return the index of the first point outside the frame and where the path crosses it, or None."""
    outside = ((path < low) | (path > high)).any(axis=1)
    if not outside.any():
        return None
    i = int(outside.argmax())
    if i == 0:
        return 0, np.clip(path[0], low, high)
    a, move = path[i - 1], path[i] - path[i - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(move > 0, (high - a) / move, np.where(move < 0, (low - a) / move, np.inf))
    return i, a + min(1.0, shares.min()) * move


def frame(points: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a frame around the points whose sides are in the ratio `aspect`."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    size = np.where(size > 0, size, size.max() or 1.0) * 1.24
    size = np.maximum(size, size[::-1] * np.array([aspect, 1 / aspect]))
    middle = (low + high) / 2
    return middle - size / 2, middle + size / 2


def panels(n: int, columns: int | None) -> tuple[int, int, bool]:
    """Return rows and columns, and whether all runs share one panel."""
    if columns is None:
        return 1, 1, True
    columns = min(whole("columns", columns, least=1), n)
    return -(-n // columns), columns, False


@house_style()
def paths(
    problem,
    trajectories,
    *,
    columns: int | None = None,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    dots: bool = True,
) -> Figure:
    """Draw paths over the contours of a problem with two parameters.

    Every recorded point is a dot; the start is a ring, the end the marker of the run, known minima are stars, known
    saddles hollow crosses. A path that leaves the frame is cut there, and an arrowhead marks where it goes. Scales are
    equal, so that the gradient stands at right angles to the contours, unless `limits` are given.

    Parameters
    ----------
    problem : Problem
        With two parameters.
    trajectories : Trajectory or dict of str to Trajectory
        Single runs by name; split lanes with `by_lane`.
    columns : int, optional
        Draw each run in a panel of its own, so many in a row. By default all share one panel.
    limits : ((low, high), (low, high)), optional
        Frame of the two parameters. By default it fits the runs that do not diverge; where no minimum is known but a
        saddle is, their way past the saddle.
    dots : bool
        Whether to draw the points; without them long runs are clearer.

    Raises
    ------
    TypeError, ValueError
        If the problem has not two parameters or a trajectory has lanes.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic, minimize
    >>> bowl = Quadratic([1.0, 10.0], x0=[4.0, 1.5])
    >>> print(paths(bowl, {"SGD": minimize(bowl, SGD(lr=0.1), steps=30)}).alt)
    Contours of the loss over two parameters, minimum at (0, 0). SGD: 30 steps from (4, 1.5) to (0.17, 0), loss 19.2 \
to 0.0144.

    The last steps, seen from near:

    >>> near = paths(bowl, {"SGD": minimize(bowl, SGD(lr=0.1), steps=30)}, limits=((-0.1, 0.5), (-0.1, 0.1)))
    """
    if getattr(problem, "dim", None) != 2:
        raise ValueError(f"problem must have two parameters, got {getattr(problem, 'dim', type(problem).__name__)}")
    runs = by_name(trajectories, "trajectories", ("x", "loss", "step", "diverged"))
    found = {label: path_of(run, 2, label) for label, run in runs.items()}
    minima = np.asarray(problem.minima, dtype=float).reshape(-1, 2)
    saddles = np.reshape(getattr(problem, "saddles", ()), (-1, 2))
    rows, n_columns, together = panels(len(runs), columns)
    height = 4.6 if together else rows * (2.8 if n_columns < 3 else 2.1) + 0.6
    aspect = (WIDTH / n_columns - 0.75) / (height / rows - 0.75)
    if limits is None:
        shown = [beginning(p, minima) if departs(runs[label], p, minima) else p for label, p in found.items()]
        if len(saddles) and not len(minima):
            shown = [until_far(path, saddles) for path in found.values()]
        low, high = frame(np.concatenate([*shown, minima if len(minima) else saddles]), aspect)
    else:
        (x_low, x_high), (y_low, y_high) = (interval("limits", pair) for pair in limits)
        low, high = np.array([x_low, y_low]), np.array([x_high, y_high])

    figure, axes = blank(rows, n_columns, height=height, sharex=True, sharey=True)
    styles, words = styles_of(runs), []
    seen = [points[((low <= points) & (points <= high)).all(axis=1)] for points in (minima, saddles)]
    surface = contours(problem, low, high, minima, seen[1])
    flat = axes.ravel()
    for ax in flat[: 1 if together else len(runs)]:
        ax.contour(*surface, colors=CONTOUR, linewidths=0.8, negative_linestyles="solid", zorder=0)
        ax.plot(*seen[0].T, linestyle="", **STAR)
        ax.plot(*seen[1].T, linestyle="", **SADDLE)
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        if limits is None:
            ax.set_aspect("equal")
    for i, (label, path) in enumerate(found.items()):
        ax = flat[0 if together else i]
        leaves = draw_path(ax, path, low, high, styles[label], dots)
        words.append(named(label, path_words(runs[label], path, leaves, departs(runs[label], path, minima))))
        if not together:
            ax.set_title(label)
    for ax in flat[len(runs) if not together else 1 :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel(r"$\theta_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$\theta_2$", rotation=0, labelpad=10)
    explain(figure, flat[0], styles if together else {}, minima=len(seen[0]) > 0, saddles=len(seen[1]) > 0)
    ground = ""
    for names, points in zip((("minimum", "minima"), ("saddle", "saddles")), seen, strict=True):
        if len(points):
            ground += f", {names[len(points) > 1]} at {', '.join(point(p) for p in points)}"
    return Figure(figure, f"Contours of the loss over two parameters{ground}. {' '.join(words)}")


def explain(figure, axes, styles: dict, *, minima: bool, saddles: bool = False) -> None:
    """Name the paths of one panel and the marks in a key; runs in panels of their own have titles instead."""
    marks = [Line2D([], [], linestyle="", **RING, markeredgecolor=INK, label="start")]
    marks += [Line2D([], [], linestyle="", **STAR, label="minimum")] if minima else []
    marks += [Line2D([], [], linestyle="", **SADDLE, label="saddle")] if saddles else []
    if styles:
        key(axes, styles, markers=True, more=marks)
    else:
        figure.legend(handles=marks, loc="outside upper left", ncols=3)


def contours(problem, low: np.ndarray, high: np.ndarray, minima: np.ndarray, saddles: np.ndarray):
    """Return X, Y, Z and levels for `contour`; where only a saddle is known, levels crowd around its height."""
    x, y = (np.linspace(low[i], high[i], 241) for i in (0, 1))
    mesh = np.stack(np.meshgrid(x, y), axis=-1)
    with np.errstate(all="ignore"):
        z = np.asarray(problem.loss(mesh), dtype=float)
    z = np.where(np.isfinite(z), z, np.nan)
    if len(saddles) and not len(minima):
        height = float(problem.loss(saddles[0]))
        shares = np.geomspace(1, 0.01, LEVELS // 2 + 1)[1:]
        below, above = height + shares * (np.nanmin(z) - height), height + shares[::-1] * (np.nanmax(z) - height)
        return x, y, z, np.concatenate([below, [height], above])
    floor = min(np.nanmin(z), float(problem.loss(minima).min()) if len(minima) else np.inf)
    top = np.nanmax(z) - floor
    # The lowest contour encloses a small part of the frame; below it the levels would only crowd the minimum.
    bottom = max(np.nanquantile(z, 0.004) - floor, 1e-9 * top)
    return x, y, z, floor + np.geomspace(bottom, top, LEVELS + 1)[:-1]


def draw_path(ax, path: np.ndarray, low: np.ndarray, high: np.ndarray, style, dots: bool) -> int | None:
    """Draw a path up to where it leaves the frame; return the record that is outside, or None."""
    color, linestyle, marker = style
    leaves = exit_point(path, low, high)
    inside = path if leaves is None else path[: leaves[0]]
    drawn = path if leaves is None else np.concatenate([inside, leaves[1][None]])
    ax.plot(*drawn.T, color=color, linestyle=linestyle, linewidth=1.6, zorder=3)
    if dots:
        ax.plot(*inside[1:].T, color=color, linestyle="", marker="o", markersize=3.6, zorder=4)
    if leaves is None and len(path) > 1:
        ax.plot(*path[-1], color=color, marker=marker, markersize=6, markeredgecolor="white", mew=0.8, zorder=5)
    if len(inside):
        ax.plot(*inside[0], **RING, markeredgecolor=color)
    if leaves is not None and len(drawn) > 1:
        arrowhead(ax, drawn[-2], drawn[-1], color)
    return None if leaves is None else leaves[0]


def arrowhead(ax, tail: np.ndarray, tip: np.ndarray, color: str) -> None:
    """Draw an arrowhead at `tip`."""
    style = "-|>,head_width=0.35,head_length=0.7"
    ax.annotate(
        "",
        xy=tip,
        xytext=tail,
        zorder=6,
        annotation_clip=False,
        arrowprops={"arrowstyle": style, "color": color, "lw": 0, "shrinkA": 0, "shrinkB": 0},
    )


def path_words(run, path: np.ndarray, leaves: int | None, away: bool) -> str:
    """Say where a path starts and ends, or that it diverges."""
    steps = np.asarray(run.step)
    loss = np.asarray(run.loss).reshape(len(steps), -1)[:, 0]
    text = f"{count(int(steps[-1]), 'step')} from {point(path[0])}"
    outside = f", outside the frame at step {steps[leaves]}" if leaves is not None else ""
    if away:
        return f"diverges from {point(path[0])}{outside}"
    hops = np.diff(path[:, 0])
    hops = hops[np.abs(hops) > 1e-9 * np.abs(path).max()]
    hopping = path.shape[1] == 1 and len(hops) > 1 and bool((hops[1:] * hops[:-1] < 0).mean() > 0.5)
    text += f" to {point(path[-1])}" + (", hopping from side to side" if hopping else "")
    return f"{text}{outside}, loss {number(loss[0])} to {number(loss[-1])}"


@house_style()
def descent_1d(problem, trajectories) -> Figure:
    """Draw the loss over one parameter with the iterates hopping on it, one panel for each run, two in a row.

    The start is a ring. An iterate beyond the frame is not drawn: an arrowhead marks where the path leaves. The frame
    is as wide as the runs that do not diverge, both sides of the lowest point alike.

    Parameters
    ----------
    problem : Problem
        With one parameter.
    trajectories : Trajectory or dict of str to Trajectory
        Single runs by name; split lanes with `by_lane`.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic, minimize
    >>> bowl = Quadratic([1.0], x0=[2.0])
    >>> print(descent_1d(bowl, {"rate 0.5": minimize(bowl, SGD(lr=0.5), steps=4)}).alt)
    A curve of the loss over one parameter with the iterates on it. rate 0.5: 4 steps from 2 to 0.125, loss 2 to \
0.00781.
    """
    if getattr(problem, "dim", None) != 1:
        raise ValueError(f"problem must have one parameter, got {getattr(problem, 'dim', type(problem).__name__)}")
    runs = by_name(trajectories, "trajectories", ("x", "loss", "step", "diverged"))
    found = {label: path_of(run, 1, label) for label, run in runs.items()}
    minima = np.asarray(problem.minima, dtype=float).reshape(-1, 1)
    shown = [beginning(p, minima) if departs(runs[label], p, minima) else p for label, p in found.items()]
    seen = np.concatenate([*shown, minima])
    # One minimum known: the frame is symmetric about it, so that a hop to the other side has room.
    seen = np.concatenate([seen, 2 * minima - seen]) if len(minima) == 1 else seen
    low, high = float(seen.min()), float(seen.max())
    margin = 0.15 * (high - low) or 1.0
    low, high = low - margin, high + margin
    rows, n_columns, _ = panels(len(runs), 2)
    figure, axes = blank(rows, n_columns, height=2.3 * rows + 0.7, sharex=True, sharey=True)
    x = np.linspace(low, high, 400)
    y = problem.loss(x[:, None])
    margin = 0.06 * np.ptp(y) or 1.0
    bottom, top = float(y.min() - margin), float(y.max() + margin)
    styles, words, flat = styles_of(runs), [], axes.ravel()
    for ax in flat[: len(runs)]:
        ax.plot(x, y, color=QUIET, linewidth=1.3, zorder=1)
        ax.set(xlim=(low, high), ylim=(bottom, top))
    for ax, (label, theta) in zip(flat, found.items(), strict=False):
        with np.errstate(all="ignore"):
            path = np.column_stack([theta, problem.loss(theta)])
        path = path[np.isfinite(path).all(axis=1)]
        leaves = draw_path(ax, path, np.array([low, bottom]), np.array([high, top]), styles[label], True)
        words.append(named(label, path_words(runs[label], theta, leaves, departs(runs[label], theta, minima))))
        ax.set_title(label)
    for ax in flat[len(runs) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel(r"$\theta$")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    explain(figure, flat[0], {}, minima=False)
    return Figure(figure, f"A curve of the loss over one parameter with the iterates on it. {' '.join(words)}")
