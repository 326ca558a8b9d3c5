"""Himmelblau's function: four equal minima, four saddles between them."""

from dataclasses import dataclass

import numpy as np

from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start, symmetric


@dataclass(frozen=True, eq=False)
class Himmelblau(Problem):
    r""":math:`L(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2`.

    Its gradient is a pair of cubics, so at most nine points are stationary (Bézout), and nine are: four minima of
    loss 0, four saddles, and one maximum near (-0.271, -0.923).

    Parameters
    ----------
    x0 : array of shape (2,), optional
        The start; the origin by default.

    References
    ----------
    Himmelblau, Applied Nonlinear Programming (1972).

    Examples
    --------
    >>> hills = Himmelblau()
    >>> hills.loss(hills.minima).round(12).tolist(), hills.loss(hills.saddles).round(1).tolist()
    ([0.0, 0.0, 0.0, 0.0], [104.0, 178.3, 67.7, 13.3])
    """

    x0: np.ndarray | None = None

    def __post_init__(self):
        start(self, [0.0, 0.0])

    @property
    def minima(self):
        return np.array(
            [
                [3.0, 2.0],
                [-2.805118086952745, 3.131312518250573],
                [-3.779310253377747, -3.2831859912861696],
                [3.5844283403304917, -1.8481265269644036],
            ]
        )

    @property
    def saddles(self):
        return np.array(
            [
                [-3.0730257507643897, -0.08135304428796751],
                [-0.12796134673068008, -1.9537149802445763],
                [0.08667750455539636, 2.884254701174776],
                [3.385154183607021, 0.07385187983774928],
            ]
        )

    def loss(self, x):
        a, b = x[..., 0], x[..., 1]
        return (a * a + b - 11) ** 2 + (a + b * b - 7) ** 2

    def grad(self, x):
        a, b = x[..., 0], x[..., 1]
        p, q = a * a + b - 11, a + b * b - 7
        return namespace(x).stack([4 * a * p + 2 * q, 2 * p + 4 * b * q], axis=-1)

    def hessian(self, x):
        a, b = x[..., 0], x[..., 1]
        return symmetric(12 * a * a + 4 * b - 42, 4 * (a + b), 12 * b * b + 4 * a - 26)
