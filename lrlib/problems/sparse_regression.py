"""Regression on features of which some are everywhere and some are rare: what Adagrad was made for."""

from dataclasses import dataclass, field

import numpy as np

from lrlib import checks
from lrlib.problems.linear_regression import LinearRegression


def at_most_half(name, value):
    return checks.check(name, value, "lie in (0, 1/2]", lambda v: (v > 0) & (v <= 0.5))


@dataclass(frozen=True, eq=False)
class SparseRegression(LinearRegression):
    r"""Linear regression on features that are 0 or 1 and occur with widely different frequencies, as words do.

    The data are made from `seed`: the frequencies :math:`p_1 = \tfrac12 > \dots > p_d =` `rarest` are a geometric
    sequence; feature j is 1 in :math:`\max(1, \operatorname{round}(n p_j))` of the n examples, at random places; the
    true weights are standard normal; the targets are the true scores plus normal noise of deviation `noise`.

    The curvature along weight j is its frequency. So a rate that suits the frequent weights is far too small for the
    rare ones, most mini-batches say nothing about them, and a rate of their own is what they need.

    Parameters
    ----------
    n_examples, n_features : int
        n and d; at least one feature.
    rarest : float
        Frequency of the rarest feature, above 0 and at most 1/2.
    noise : float
        Standard deviation of the noise of the targets; not negative.
    seed : int
        Of the data, not of the mini-batches.
    l2, batch_size, x0
        As in `LinearRegression`.

    Attributes
    ----------
    features, targets : array of shape (n, d), array of shape (n,)
        The data.
    weights : array of shape (d,)
        The true weights; `minima` holds the fitted ones.

    Raises
    ------
    ValueError
        If a number lies outside the range given above.

    Examples
    --------
    >>> words = SparseRegression(n_examples=1000, n_features=4, rarest=0.004)
    >>> words.features.sum(axis=0).astype(int).tolist()
    [500, 100, 20, 4]
    """

    features: np.ndarray = field(init=False)
    targets: np.ndarray = field(init=False)
    n_examples: int = 2000
    n_features: int = 50
    rarest: float = 0.001
    noise: float = 0.01
    seed: int = 0
    l2: float = 0.0
    batch_size: int | None = 10
    x0: np.ndarray | None = None
    weights: np.ndarray = field(init=False)

    def __post_init__(self):
        n, d = (checks.whole(name, getattr(self, name), least=1) for name in ("n_examples", "n_features"))
        at_most_half("rarest", self.rarest)
        checks.not_negative("noise", self.noise)
        rng = np.random.default_rng(checks.whole("seed", self.seed, least=0))
        counts = np.maximum(1, np.round(n * np.geomspace(0.5, self.rarest, d)))
        features = rng.permuted((np.arange(n)[:, None] < counts).astype(float), axis=0)
        weights = rng.standard_normal(d)
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "targets", features @ weights + self.noise * rng.standard_normal(n))
        object.__setattr__(self, "weights", weights)
        super().__post_init__()
