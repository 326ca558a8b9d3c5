"""A saddle on a plateau: so flat that a run on it looks as if it had arrived."""

from dataclasses import dataclass

import numpy as np

from lrlib import checks
from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start, symmetric


@dataclass(frozen=True, eq=False)
class PlateauSaddle(Problem):
    r""":math:`L(x, y) = \tfrac12 x^2 + \frac{y^{2n+2}}{2n+2} - \frac{y^{2n}}{2n}` with the flatness n.

    The slope along y is :math:`y^{2n-1} (y^2 - 1)`. So (0, ±1) are the minima, the origin is a saddle, and nothing
    else is stationary. For n > 1 the saddle is degenerate: its Hessian, diag(1, 0), shows no way down. Along y the loss
    falls by no more than :math:`y^{2n}/2n`, and gradient descent of a small rate lr needs about
    :math:`y_0^{2-2n} / ((2n - 2)\,\text{lr})` steps to leave from :math:`y_0`: a power of the distance, where a strict
    saddle takes the logarithm.

    Parameters
    ----------
    flatness : int
        n, at least 1. With 1 the saddle is strict: `DoubleWell`.
    x0 : array of shape (2,), optional
        The start; (1, 0.1) by default.

    Raises
    ------
    ValueError
        If `flatness` is not a positive whole number or `x0` is not a pair of finite numbers.

    Examples
    --------
    >>> from lrlib import SGD, minimize
    >>> run = minimize(PlateauSaddle(), SGD(lr=0.1), steps=1000, every=250)
    >>> run.x[:, 1].round(2).tolist()  # 0.1^-2 / (2 lr) = 500 steps
    [0.1, 0.14, 0.5, 1.0, 1.0]
    """

    flatness: int = 2
    x0: np.ndarray | None = None

    def __post_init__(self):
        checks.whole("flatness", self.flatness, least=1)
        start(self, [1.0, 0.1])

    @property
    def minima(self):
        return np.array([[0.0, -1.0], [0.0, 1.0]])

    @property
    def saddles(self):
        return np.zeros((1, 2))

    def loss(self, x):
        a, b, n = x[..., 0], x[..., 1], 2 * self.flatness
        return a * a / 2 + b ** (n + 2) / (n + 2) - b**n / n

    def grad(self, x):
        a, b, n = x[..., 0], x[..., 1], 2 * self.flatness
        return namespace(x).stack([a, b ** (n + 1) - b ** (n - 1)], axis=-1)

    def hessian(self, x):
        b, n = x[..., 1], 2 * self.flatness
        return symmetric(1.0, 0.0, (n + 1) * b**n - (n - 1) * b ** (n - 2))
