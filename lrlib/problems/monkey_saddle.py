"""The monkey saddle: three ways down, and a Hessian that shows none of them."""

from dataclasses import dataclass

import numpy as np

from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start, symmetric


@dataclass(frozen=True, eq=False)
class MonkeySaddle(Problem):
    r""":math:`L(x, y) = x^3 - 3 x y^2`, falling along three directions and rising along the three between them.

    In polar coordinates it is :math:`r^3 \cos 3\phi`. The origin alone is stationary, a degenerate saddle: its Hessian
    is zero. There is no minimum.

    Parameters
    ----------
    x0 : array of shape (2,), optional
        The start; (0.5, 0.01) by default, near the crest between two ways down.

    Examples
    --------
    >>> import numpy as np
    >>> saddle, angles = MonkeySaddle(), np.pi / 3 * np.arange(6)
    >>> saddle.loss(np.stack([np.cos(angles), np.sin(angles)], axis=-1)).round(12).tolist()
    [1.0, -1.0, 1.0, -1.0, 1.0, -1.0]
    """

    x0: np.ndarray | None = None

    def __post_init__(self):
        start(self, [0.5, 0.01])

    @property
    def saddles(self):
        return np.zeros((1, 2))

    def loss(self, x):
        a, b = x[..., 0], x[..., 1]
        return a * (a * a - 3 * b * b)

    def grad(self, x):
        a, b = x[..., 0], x[..., 1]
        return namespace(x).stack([3 * (a * a - b * b), -6 * a * b], axis=-1)

    def hessian(self, x):
        a, b = x[..., 0], x[..., 1]
        return symmetric(6 * a, -6 * b, -6 * a)
