"""The learning-rate finder: one short run whose rate grows until the loss does."""

from dataclasses import dataclass, replace

import numpy as np

from lrlib import checks
from lrlib.minimize import minimize
from lrlib.schedules.exponential import ExponentialDecay

#: The first losses, from which no suggestion is taken: their running average is over too few.
SKIP = 10
#: An average falls if it does by more than this share of the first loss.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class RangeTest:
    """What a range test saw. `*lanes` stands for the lane axes, if there are any.

    Losses are nan after the step that stopped the test.
    """

    lr: np.ndarray  #: (steps,) the rates, growing by the same factor from step to step
    loss: np.ndarray  #: (steps, \*lanes) loss of each step's mini-batch, before the update with that step's rate
    smoothed: np.ndarray  #: (steps, \*lanes) bias-corrected exponential average of `loss`
    stopped: np.ndarray  #: (\*lanes) the rate at which the test stopped; inf where it went through to the end

    @property
    def suggestion(self):
        """(\\*lanes) The rate at which the smoothed loss falls most steeply against the logarithm of the rate.

        The first 10 steps do not count. nan where the smoothed loss never falls: the test began at too high a rate, or
        took too few steps.
        """
        slope = np.diff(self.smoothed, axis=0)[SKIP:]  # the rates are equally far apart on a log scale
        falls = slope < -ROUNDING * self.smoothed[0]
        if not len(slope):
            return np.full(self.stopped.shape, np.nan)
        return np.where(falls.any(0), self.lr[SKIP + np.where(falls, slope, 0).argmin(0)], np.nan)


def range_test(
    problem, optimizer, *, low=1e-6, high=10.0, steps=100, smoothing=0.9, stop=4.0, x0=None, seed=None, clip=None
):
    r"""Let the rate grow exponentially from `low` to `high` and watch the loss of the mini-batches.

    .. math::
        \eta_t = \eta_{\text{low}} \left(\frac{\eta_{\text{high}}}{\eta_{\text{low}}}\right)^{t / (T - 1)}, \qquad
        s_t = \frac{1 - \beta}{1 - \beta^{t + 1}} \sum_{i = 0}^{t} \beta^{t - i} \ell_i, \qquad t = 0, \dots, T - 1

    Parameters
    ----------
    problem : Problem
        If it has `sample`, the loss is that of the mini-batch whose gradient is taken: the test costs no pass over
        all data. Otherwise it is the loss itself.
    optimizer : Optimizer
        The rule; its own rate is not used. Other hyper-parameters may be arrays (lanes).
    low, high : float
        First and last rate, per step; positive.
    steps : int
        How many rates are tried.
    smoothing : float
        :math:`\beta`, in [0, 1).
    stop : float
        The test stops when the smoothed loss is above `stop` times its lowest value so far, or not finite; at least 1.
    x0, seed, clip
        As in `minimize`. A sequence of seeds makes a lane of each.

    Returns
    -------
    RangeTest

    Raises
    ------
    ValueError
        If a parameter is outside its range, or a loss is negative ("times its lowest value" means nothing then).

    Notes
    -----
    Smith (2017). The suggestion is fastai's ``steep`` and what Lightning and torch-lr-finder report. fastai's default,
    ``valley``, is a rate on the way down the longest descent; its ``minimum`` a tenth of the rate with the lowest loss.

    As in all of them, the loss beside a rate was measured before the update with it, so what a rate does shows one step
    later, and the average lags behind by another beta / (1 - beta) steps. fastai and Lightning use 0.98, which lags by
    49 of a hundred steps; hence the smaller value here. (torch-lr-finder: 0.95, without bias correction; it stops at 5
    times the lowest loss, the others at 4.) Even so the suggestion tends to be higher than the best rate of a longer
    run, and one test is noisy: take the median of several seeds, then a `sweep` around it.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic
    >>> result = range_test(Quadratic([1.0, 10.0]), SGD(), low=1e-4)
    >>> round(float(result.suggestion), 3), round(float(result.stopped), 2)
    (0.01, 1.38)
    """
    low, high = (float(checks.positive(name, value)) for name, value in (("low", low), ("high", high)))
    if not high > low:
        raise ValueError(f"high must be greater than low, got {high:g} and {low:g}")
    steps = checks.whole("steps", steps, least=2)
    beta = float(checks.below_one("smoothing", smoothing))
    stop = float(checks.at_least_one("stop", stop))
    rates = ExponentialDecay(low, decay_steps=steps - 1, decay_rate=high / low)
    watched = Watched(problem)
    # One update fewer than rates: a loss is measured before the update that it belongs to.
    minimize(watched, replace(optimizer, lr=rates), steps - 1, x0=x0, seed=seed, every=steps, clip=clip)
    loss = np.stack(watched.losses)
    if (loss < 0).any():
        raise ValueError(f"range_test needs losses that are not negative, got {loss[loss < 0][0]:g}")
    smoothed, average = np.empty_like(loss), np.zeros(loss.shape[1:])
    with np.errstate(all="ignore"):  # a lane that overflows is data
        for t, now in enumerate(loss):
            average = beta * average + (1 - beta) * now
            smoothed[t] = average / (1 - beta ** (t + 1))
        best = np.fmin.accumulate(smoothed, axis=0)
        over = np.logical_or.accumulate(~(smoothed <= stop * best) | np.isinf(smoothed), axis=0)
    lr = rates(np.arange(steps))
    stopped = np.where(over.any(0), lr[over.argmax(0)], np.inf)
    after = np.zeros_like(over)
    after[1:] = over[:-1]
    loss[after] = smoothed[after] = np.nan
    return RangeTest(lr, loss, smoothed, stopped)


class Watched:
    """A problem that keeps the loss of each mini-batch whose gradient is asked for."""

    def __init__(self, problem):
        self.problem, self.losses = problem, []

    def __getattr__(self, name):
        return getattr(self.problem, name)

    def sample(self, rng):
        batch = Watched(self.problem.sample(rng) if hasattr(self.problem, "sample") else self.problem)
        batch.losses = self.losses
        return batch

    def grad(self, x):
        self.losses.append(self.problem.loss(x))
        return self.problem.grad(x)
