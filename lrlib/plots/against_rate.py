"""How sensitive a rule is to its learning rate: the final loss against the rate, over seeds."""

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from lrlib.plots.curves import mark
from lrlib.plots.figure import ABOVE, Figure, blank, grid, key, ticks
from lrlib.plots.inputs import by_name, interval
from lrlib.plots.style import BOUND, INK, house_style, styles_of
from lrlib.plots.wording import count, listing, named, number
from lrlib.sweep import Sweep


def read(sweep, name: str) -> Sweep:
    """Return a sweep over lr with ascending rates, from a sweep or a record with "lr" and "loss"; lost runs are inf."""
    if not isinstance(sweep, Mapping):
        if not (hasattr(sweep, "grid") and hasattr(sweep, "loss")):
            raise TypeError(f"{name} must be a sweep or a record with lr and loss, got {type(sweep).__name__}")
        if list(sweep.grid) != ["lr"]:
            raise ValueError(f"{name} must have swept lr alone, got {listing(sweep.grid)}")
        sweep = {"lr": sweep.grid["lr"], "loss": sweep.loss}
    try:
        result = Sweep.of_record(sweep)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not np.isfinite(result.median).any():
        raise ValueError(f"{name} must have a rate that does not diverge for half of the seeds, got none")
    return result


@house_style()
def sensitivity(
    sweeps,
    *,
    defaults: Mapping[str, float] | None = None,
    factor: float = 2.0,
    ylabel: str = "final loss",
    limits: tuple[float, float] | None = None,
    vertical: Mapping[str, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the final loss against the learning rate, and below it how wide the basin of good rates is.

    The line is the median over seeds, the band reaches from the lowest to the highest. Rates at which the median
    diverges or ends above the frame are crosses at the top edge. The lower panel has one row for each rule: a bar over
    the rates whose median is within `factor` of the best, a dot at the best rate, a tick at the default.

    Parameters
    ----------
    sweeps : Sweep, record, or dict of str to these
        A record is a mapping with "lr" (n,) and "loss" (n, seeds); `Sweep.of_record` reads those that ship with lrlib.
    defaults : dict of str to float, optional
        Default rate of some of the rules, by the same names.
    factor : float
        What counts as within the basin.
    ylabel : str
        What the loss is.
    limits : (low, high), optional
        Of the loss axis. By default it ends at ten times the loss of the smallest rates.
    vertical : dict of str to float, optional
        Rates to mark by a dotted line, with the name beside it.
    title : str, optional
        Above the figure.

    Raises
    ------
    TypeError, ValueError
        For something that is not a sweep over lr, a name in `defaults` that is not in `sweeps`, or an option with a
        wrong value.

    Examples
    --------
    >>> record = {"lr": [0.1, 0.2, 0.4, 0.8], "loss": [3.0, 1.5, 1.0, float("inf")]}
    >>> print(sensitivity({"SGD": record}).alt)
    Final loss against learning rate (both logarithmic), 1 seed. SGD: lowest median 1 at rate 0.4; within a factor 2 \
of it from 0.2 to 0.4; diverges at rate 0.8.
    """
    single = isinstance(sweeps, Mapping) and {"lr", "loss"} <= set(sweeps)
    named_sweeps = {"": sweeps} if single else by_name(sweeps, "sweeps")
    results = {label: read(sweep, f"sweeps[{label!r}]") for label, sweep in named_sweeps.items()}
    defaults = dict(defaults or {})
    unknown = [label for label in defaults if label not in results]
    if unknown:
        raise ValueError(f"defaults must name sweeps, got {unknown[0]!r}, expected {listing(results)}")
    for label, rate in defaults.items():
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f"defaults[{label!r}] must be finite and positive, got {rate!r}")
    if not (np.isfinite(factor) and factor >= 1):
        raise ValueError(f"factor must be at least 1, got {factor!r}")
    low, high = final_limits(list(results.values())) if limits is None else interval("limits", limits)

    rows = len(results)
    names = [label.replace(" ", "\n", 1) for label in results]
    row_height = 0.4 if any("\n" in name for name in names) else 0.28
    figure, axes = blank(
        2,
        1,
        height=4.2 + row_height * rows,
        sharex=True,
        gridspec_kw={"height_ratios": (3.1, row_height * rows + 0.1)},
    )
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    above, below = axes[:, 0]
    styles = styles_of(results)
    words, crossed = [], 0
    for row, (label, result) in enumerate(results.items()):
        style, default = styles[label], defaults.get(label)
        crossed += draw_losses(above, result, style, high, crossed)
        draw_basin(below, row, result, style, default, factor)
        words.append(named(label, sentence(result, default, factor, high)))
    marked = dict(vertical or {})
    tried = [float(rate) for result in results.values() for rate in result.grid["lr"][[0, -1]]]
    every = [*tried, *defaults.values(), *marked.values()]
    left, right = min(every) / 1.15, max(every) * 1.15
    above.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high), ylabel=ylabel)
    above.tick_params(labelbottom=False)
    below.set(xlabel="learning rate (per step)", ylim=(rows - 0.4, -0.6), yticks=range(rows), yticklabels=names)
    below.tick_params(axis="y", length=0)
    below.spines["left"].set_visible(False)
    ticks(below.xaxis)
    ticks(above.yaxis)
    grid(above)
    below.grid(True, axis="x")
    marks = mark(above, marked, {}, "rate", ylabel)
    for rate in marked.values():
        below.axvline(rate, **BOUND)
    seeds = sorted({result.loss.shape[1] for result in results.values()})
    seeds_words = count(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    more: list[Artist] = [sample("x", "diverges or ends above")] if crossed else []
    if seeds[-1] > 1:
        more.append(Patch(color=INK, alpha=0.22, lw=0, label=f"shaded: all {seeds_words}"))
    key(above, styles, more=more, lift=0.6 * crossed)
    bar = Line2D([], [], color=INK, linewidth=7, solid_capstyle="butt", label=f"loss within ×{factor:g} of the best")
    marks_below = [sample("o", "best rate"), bar, *([sample("|", "default rate")] if defaults else [])]
    below.legend(handles=marks_below, ncols=3, handlelength=1.2, **ABOVE)
    spread = "median with a band from the lowest to the highest of " if seeds[-1] > 1 else ""
    head = f"{ylabel[:1].upper()}{ylabel[1:]} against learning rate (both logarithmic), {spread}{seeds_words}"
    return Figure(figure, f"{head}. {' '.join(words)}{marks}")


def sample(marker: str, label: str) -> Line2D:
    """Return a mark for the key."""
    size = {"|": 13, "o": 7, "x": 8}[marker]
    return Line2D([], [], color=INK, linestyle="", marker=marker, markersize=size, markeredgewidth=2, label=label)


def final_limits(results: list[Sweep]) -> tuple[float, float]:
    """Limits from the lowest loss of all to ten times the loss of the smallest rates, or less where none is so high."""
    medians = np.concatenate([result.median for result in results])
    everything = np.concatenate([result.loss.ravel() for result in results])
    medians, everything = medians[np.isfinite(medians)], everything[np.isfinite(everything) & (everything > 0)]
    at_small_rates = [result.median[np.isfinite(result.median)][0] for result in results]
    if not everything.size or max(at_small_rates) <= 0:
        raise ValueError("sweeps must have positive losses, got none")
    low, high = everything.min(), min(medians.max(), 10 * max(at_small_rates))
    margin = max((high / low) ** 0.06, 1.15)
    return low / margin, high * margin


def draw_losses(axes, result: Sweep, style, high: float, row: int) -> bool:
    """Draw median, band and, `row` rows above the top edge, crosses where the median diverges; return if it does."""
    color, linestyle, _ = style
    lr, ceiling = result.grid["lr"], high * 10
    lost = result.median > high
    # The line leaves through the top beside what is lost, and is not drawn along the edge in between.
    between = lost & np.insert(lost[:-1], 0, True) & np.append(lost[1:], True)
    median = np.where(between, np.nan, np.minimum(result.median, ceiling))
    axes.plot(lr, median, color=color, linestyle=linestyle)
    if result.loss.shape[1] > 1:
        low, top = (np.minimum(edge(axis=1), ceiling) for edge in (result.loss.min, result.loss.max))
        axes.fill_between(lr, low, top, color=color, alpha=0.22, lw=0)
    if not lost.any():
        return False
    lift = ScaledTranslation(0, (4 + 7.2 * row) / 72, axes.figure.dpi_scale_trans)
    axes.plot(
        lr[lost],
        np.ones(lost.sum()),
        linestyle="",
        marker="x",
        markersize=5,
        markeredgewidth=1.5,
        color=color,
        clip_on=False,
        transform=axes.get_xaxis_transform() + lift,
    )
    return True


def draw_basin(axes, row: int, result: Sweep, style, default: float | None, factor: float) -> None:
    """One row in the style of the curve: bar over the basin, dot at the best rate, tick at the default."""
    color, linestyle, _ = style
    axes.axhline(row, color=color, linestyle=linestyle, linewidth=1.6)
    axes.plot(result.basin(factor), [row, row], color=color, linewidth=7, solid_capstyle="butt")
    axes.plot(result.best["lr"], row, marker="o", markersize=8, color=color, markeredgecolor="white")
    if default is not None:
        axes.plot(default, row, marker="|", markersize=15, markeredgewidth=2.6, color=INK)


def sentence(result: Sweep, default: float | None, factor: float, top: float) -> str:
    """Say which rate is best, how far the basin reaches, where the rule diverges and how its default does."""
    lr, median = result.grid["lr"], result.median
    best, (low, high) = int(median.argmin()), result.basin(factor)
    words = f"lowest median {number(median[best])} at rate {number(lr[best])}; within a factor {factor:g} of it"
    words += f" from {number(low)} to {number(high)}"
    ends = [end for end, reached in (("lowest", low == lr[0]), ("highest", high == lr[-1])) if reached]
    words += f", the {listing(ends)} rate tried" if ends else ""
    lost = np.flatnonzero(median > top)
    if lost.size == 1:
        words += f"; diverges at rate {number(lr[lost[0]])}"
    elif lost.size and lost[-1] == len(lr) - 1 and lost.size == len(lr) - lost[0]:
        words += f"; diverges at rates from {number(lr[lost[0]])}"
    elif lost.size:
        words += f"; diverges at {lost.size} rates between {number(lr[lost[0]])} and {number(lr[lost[-1]])}"
    if default is not None:
        words += f"; default {number(default)}"
    if default is not None and lr[0] <= default <= lr[-1]:
        nearest = int(np.abs(np.log(lr / default)).argmin())
        lost_there = median[nearest] > top
        words += ", where it diverges" if lost_there else f", with median {number(median[nearest])} at the nearest rate"
    return words
