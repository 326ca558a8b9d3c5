"""Rosenbrock's banana: a curved valley with a flat floor."""

from dataclasses import dataclass

import numpy as np

from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start, symmetric


@dataclass(frozen=True, eq=False)
class Rosenbrock(Problem):
    r""":math:`L(x, y) = (1 - x)^2 + 100 (y - x^2)^2`, with its minimum 0 at (1, 1).

    Parameters
    ----------
    x0 : array of shape (2,), optional
        The start; (-1.2, 1) by default, as in Rosenbrock (1960).

    Examples
    --------
    >>> valley = Rosenbrock()
    >>> round(float(valley.loss(valley.x0)), 4), round(float(valley.loss(np.ones(2))), 4)
    (24.2, 0.0)
    """

    x0: np.ndarray | None = None

    def __post_init__(self):
        start(self, [-1.2, 1.0])

    @property
    def minima(self):
        return np.ones((1, 2))

    def loss(self, x):
        a, b = x[..., 0], x[..., 1]
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2

    def grad(self, x):
        a, b = x[..., 0], x[..., 1]
        gap = b - a * a
        return namespace(x).stack([-2 * (1 - a) - 400 * a * gap, 200 * gap], axis=-1)

    def hessian(self, x):
        a, b = x[..., 0], x[..., 1]
        return symmetric(2 - 400 * (b - 3 * a * a), -400 * a, 200.0)
