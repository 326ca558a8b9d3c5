"""Training curves: the loss over the steps, above the learning rate that was actually used."""

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import LogLocator

from lrlib.plots.figure import Figure, blank, grid, key, ticks
from lrlib.plots.inputs import by_name, choice, interval, lanes_last
from lrlib.plots.style import house_style, styles_of
from lrlib.plots.wording import count, curve, named, number

BANDS = {"range": (0.0, 1.0), "quartiles": (0.25, 0.75)}
RUNAWAY = {"log": 1000, "linear": 3}  # a loss that ends so many times above its start leaves the figure
BAND_WORDS = {"range": "from the lowest to the highest", "quartiles": "between the quartiles"}


@dataclass(frozen=True)
class Band:
    """Median of a quantity over seeds, and what lies around it."""

    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    lanes: int


def over_lanes(values: np.ndarray, records: int, band: str) -> Band:
    """Summarise (records, *lanes); a run that is lost counts as infinitely bad."""
    lanes = lanes_last(values, records)
    lanes = np.where(np.isnan(lanes), np.inf, lanes)
    low, high = BANDS[band]
    # "nearest" and its kin never mix inf into an average, which would give nan.
    low_, high_ = np.quantile(lanes, [low, high], axis=1, method="inverted_cdf")
    return Band(low_, np.median(lanes, axis=1), high_, lanes.shape[1])


def runs_away(y: np.ndarray, diverged: bool, yscale: str) -> bool:
    """Whether a loss leaves the figure instead of setting its scale."""
    return bool(diverged or not np.isfinite(y[-1]) or (y[0] > 0 and y[-1] > RUNAWAY[yscale] * y[0]))


def loss_limits(bands: list[Band], away: list[bool], yscale: str) -> tuple[float, float]:
    """Limits that show every run that stays, and the start of those that do not."""
    stay = [np.concatenate([b.low, b.high]) for b, gone in zip(bands, away, strict=True) if not gone]
    starts = np.array([b.middle[0] for b in bands])
    seen = np.concatenate([*stay, starts])
    seen = seen[np.isfinite(seen) & ((seen > 0) | (yscale == "linear"))]
    if not seen.size:
        raise ValueError("yscale='log' needs positive losses, got none: use yscale='linear'")
    low, high, most = seen.min(), seen.max(), RUNAWAY[yscale] * starts.max()
    # A single lost seed must not set the scale; where all are lost, the scale shows them leave.
    high = most if most > 0 and (high > most or not stay) else high
    if yscale == "linear":
        margin = 0.06 * (high - low) or 1.0
        return low - margin, high + margin
    margin = max((high / low) ** 0.06, 1.15)
    return low / margin, high * margin


def rate_words(lr: np.ndarray) -> str:
    """Say how a rate runs over the steps."""
    values = np.unique(lr)
    if 1 < len(values) <= len(lr) / 3 and (np.diff(lr) <= 0).all():
        return f"falls in {count(len(values) - 1, 'jump')} from {number(lr[0])} to {number(lr[-1])}"
    return curve(np.arange(len(lr)), lr, "step")


@house_style()
def training(
    trajectories,
    *,
    ylabel: str = "loss",
    yscale: str = "log",
    rate_scale: str | None = None,
    band: str = "quartiles",
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the loss over the steps above the panel "learning rate actually used", which is the logged rate.

    Lanes of a trajectory are taken for seeds: the median is drawn with a band. To draw lanes as runs of their own,
    split them with `by_lane`. A run that diverges leaves the panel at its top, where a triangle marks the step.

    Parameters
    ----------
    trajectories : Trajectory or dict of str to Trajectory
        Runs by name; the name of an optimizer gives its style.
    ylabel : str
        What the loss is.
    yscale, rate_scale : {"log", "linear"}
        Scales of the two panels. By default the rate's is logarithmic when it spans more than a factor of 20.
    band : {"quartiles", "range"}
        What the band around the median covers.
    limits : (low, high), optional
        Of the loss axis. By default they fit the runs that do not diverge.
    title : str, optional
        Above the figure.

    Raises
    ------
    TypeError
        If something is not a trajectory.
    ValueError
        If an option has no such value or a trajectory has no steps.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic, minimize
    >>> print(training({"SGD": minimize(Quadratic([1.0]), SGD(lr=0.5), steps=3)}).alt)
    Loss against step (logarithmic scale). SGD: falls from 0.5 to 0.00781. Lower panel, the learning rate actually \
used: constant at 0.5.
    """
    runs = by_name(trajectories, "trajectories", ("loss", "lr", "step", "diverged"))
    choice("yscale", yscale, ("log", "linear"))
    choice("band", band, tuple(BANDS))
    if rate_scale is not None:
        choice("rate_scale", rate_scale, ("log", "linear"))
    for label, run in runs.items():
        if len(run.lr) == 0:
            raise ValueError(f"trajectories must have at least one step, got none in {label!r}")
    styles = styles_of(runs)
    bands = [over_lanes(run.loss, len(run.step), band) for run in runs.values()]
    diverged = [bool(np.mean(run.diverged) > 0.5) for run in runs.values()]
    away = [runs_away(b.middle, d, yscale) for b, d in zip(bands, diverged, strict=True)]
    low, high = loss_limits(bands, away, yscale) if limits is None else interval("limits", limits)

    figure, axes = blank(2, 1, height=4.4, title=title, sharex=True, gridspec_kw={"height_ratios": (2.5, 1)})
    above, below = axes[:, 0]
    words = []
    for (label, run), b, gone in zip(runs.items(), bands, away, strict=True):
        color, linestyle, _ = styles[label]
        steps = np.asarray(run.step)
        ceiling = high + 10 * (high - low) if yscale == "linear" else high * (high / low)
        shown = int(np.argmax(b.middle > ceiling)) + 1 if (b.middle > ceiling).any() else len(steps)
        top = {name: np.minimum(getattr(b, name), ceiling) for name in ("low", "middle", "high")}
        above.plot(steps[:shown], top["middle"][:shown], color=color, linestyle=linestyle)
        if b.lanes > 1:
            above.fill_between(steps[:shown], top["low"][:shown], top["high"][:shown], color=color, alpha=0.18, lw=0)
        sentence = loss_words(steps, b.middle, gone)
        lost = int(np.sum(run.diverged))
        if b.lanes > 1 and lost and not gone:
            sentence += f"; {lost} of {b.lanes} seeds diverged"
        words.append(named(label, sentence))
        crossing = np.flatnonzero(b.middle > high)
        if gone and crossing.size:
            above.plot(
                steps[crossing[0]], 1, marker="^", markersize=9, color=color, clip_on=False,
                transform=above.get_xaxis_transform(), zorder=5,
            )
    rate_panel(below, runs, styles, rate_scale)
    above.set(ylabel=ylabel, yscale=yscale, ylim=(low, high))
    if yscale == "log":
        ticks(above.yaxis, low, high)
    below.set(xlabel="step", xlim=(0, max(int(run.step[-1]) for run in runs.values())))
    below.set_title("learning rate actually used (per step)")
    grid(above)
    grid(below)
    key(above, styles)

    head = f"{ylabel[:1].upper()}{ylabel[1:]} against step" + (" (logarithmic scale)" if yscale == "log" else "")
    if any(b.lanes > 1 for b in bands):
        head += f", median over {max(b.lanes for b in bands)} seeds with a band {BAND_WORDS[band]}"
    return Figure(figure, f"{head}. {' '.join(words)} {rate_panel_words(runs)}")


def loss_words(steps: np.ndarray, y: np.ndarray, away: bool) -> str:
    """Say how a loss runs; a run that diverges is said to."""
    finite = np.flatnonzero(np.isfinite(y))
    if len(finite) < len(y):
        return f"diverges, not finite from step {steps[len(finite)]}"
    if away:
        return f"diverges, growing from {number(y[0])} to {number(y[-1])}"
    return curve(steps, y, "step")


def rates_used(run) -> np.ndarray:
    """Return the logged rate as (steps, n), n = 1 when all lanes used the same."""
    lr = lanes_last(run.lr, len(run.lr))
    return lr[:, :1] if (lr == lr[:, :1]).all() else lr


def rate_panel(axes, runs: dict, styles: dict, scale: str | None) -> None:
    """Draw the logged rate of every step, held until the next."""
    for label, run in runs.items():
        color, linestyle, _ = styles[label]
        for lr in rates_used(run).T:
            held = np.append(lr, lr[-1])
            axes.plot(np.arange(len(held)), held, color=color, linestyle=linestyle, drawstyle="steps-post")
    every = np.concatenate([np.ravel(run.lr) for run in runs.values()])
    low, high = float(every.min()), float(every.max())
    if scale == "log" or (scale is None and low > 0 and high > 20 * low):
        axes.set(yscale="log", ylim=(low / 1.5, high * 1.5))
        axes.yaxis.set_major_locator(LogLocator(numticks=4))
    else:
        axes.set_ylim(0, 1.15 * high or 1.0)


def rate_panel_words(runs: dict) -> str:
    """Say what the lower panel shows, once if it is the same for all."""
    sentences = {}
    for label, run in runs.items():
        lr = rates_used(run)
        ends = f", {number(lr[-1].min())} to {number(lr[-1].max())} at the end" if lr.shape[1] > 1 else ""
        sentences[label] = rate_words(lr[:, 0]) + (f" (first of {lr.shape[1]} lanes{ends})" if ends else "")
    head = "Lower panel, the learning rate actually used: "
    if len(set(sentences.values())) == 1:
        return head + next(iter(sentences.values())) + (" for all." if len(sentences) > 1 else ".")
    return head + "; ".join(f"{label}: {sentence}" for label, sentence in sentences.items()) + "."
