"""Rastrigin's function: a bowl with ripples, each ripple a trap."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrlib import checks
from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start


@dataclass(frozen=True, eq=False)
class Rastrigin(Problem):
    r""":math:`L(x) = \sum_i x_i^2 + a\,(1 - \cos 2\pi x_i)`, with its lowest minimum 0 at the origin.

    Each coordinate has a loss of its own, whose minima are `valleys` and whose maxima are `ridges`. A point is
    stationary where each coordinate is one of either: only valleys make a minimum, only ridges a maximum, both a
    saddle. These are too many to list. `minima` holds the lowest; `saddles` the 2 d passes that lead out of its basin
    along one coordinate (none if d = 1, or if the ripples are too small to make a ridge).

    Parameters
    ----------
    dim : int
        d, how many coordinates.
    a : float
        Height of the ripples; positive.
    x0 : array of shape (d,), optional
        The start; 2.2 and -1.3 in turn by default, which lies in the basin of a higher minimum.

    Raises
    ------
    ValueError
        If `dim` is not a positive whole number, `a` not positive or `x0` not a vector of d finite numbers.

    References
    ----------
    Rastrigin, Systems of Extremal Control (1974, in Russian), with two coordinates.

    Examples
    --------
    >>> ripples = Rastrigin()
    >>> ripples.valleys[abs(ripples.valleys) < 3].round(3).tolist()
    [-2.985, -1.99, -0.995, 0.0, 0.995, 1.99, 2.985]
    """

    dim: int = 2
    a: float = 10.0
    x0: np.ndarray | None = None

    def __post_init__(self):
        checks.whole("dim", self.dim, least=1)
        checks.positive("a", self.a)
        start(self, np.resize([2.2, -1.3], self.dim))

    @property
    def minima(self):
        return np.zeros((1, self.dim))

    @property
    def saddles(self):
        passes = self.ridges[np.abs(self.ridges).argsort()[:2]] if self.dim > 1 else np.empty(0)
        return np.where(np.eye(self.dim), passes[:, None, None], 0).reshape(-1, self.dim)

    @cached_property
    def valleys(self):
        """(n,) all minima of one coordinate's loss, ascending."""
        edge = self.inflection
        return np.zeros(1) if edge is None else self.crossings(lambda k: k - edge, lambda k: k + edge)

    @cached_property
    def ridges(self):
        """(n,) all maxima of one coordinate's loss, ascending."""
        edge = self.inflection
        return np.empty(0) if edge is None else self.crossings(lambda k: k + edge, lambda k: k + 1 - edge)

    @property
    def inflection(self):
        """Where the curvature of the middle valley ends, between 1/4 and 1/2; None if no curvature is negative."""
        cosine = -1 / (2 * np.pi**2 * self.a)
        return float(np.arccos(cosine)) / (2 * np.pi) if cosine > -1 else None

    def crossings(self, left, right):
        """Where the slope is zero between `left` and `right` of the k-th ripple: by bisection, for all k at once.

        The slope is monotone there, so it is zero once at most; and beyond |x| = π a it is nowhere zero.
        """
        k = np.arange(-np.ceil(np.pi * self.a) - 1, np.ceil(np.pi * self.a) + 2)
        low, high = left(k), right(k)
        crossed = self.slope(low) * self.slope(high) < 0
        low, high = low[crossed], high[crossed]
        sign = np.sign(self.slope(high))
        for _ in range(60):
            middle = (low + high) / 2
            before = sign * self.slope(middle) <= 0
            low, high = np.where(before, middle, low), np.where(before, high, middle)
        return low

    def slope(self, x):
        """The derivative of one coordinate's loss."""
        return 2 * x + 2 * np.pi * self.a * namespace(x).sin(2 * np.pi * x)

    def loss(self, x):
        return (x * x + self.a * (1 - np.cos(2 * np.pi * x))).sum(-1)

    def grad(self, x):
        return self.slope(x)

    def hessian(self, x):
        return (2 + 4 * np.pi**2 * self.a * np.cos(2 * np.pi * x))[..., None] * np.eye(self.dim)
