"""Beale's function: one minimum behind sharp ridges, and two saddles."""

from dataclasses import dataclass

import numpy as np

from lrlib.optimizers.optimizer import namespace
from lrlib.problems.problem import Problem, start, symmetric

POWERS = np.array([1, 2, 3])
CONSTANTS = np.array([1.5, 2.25, 2.625])


@dataclass(frozen=True, eq=False)
class Beale(Problem):
    r""":math:`L(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2`, with its minimum 0 at (3, 1/2).

    For fixed y the loss is quadratic in x. Eliminating x leaves a polynomial in y with three real roots: the minimum,
    the saddle (0, 1) in the middle of the plateau, and a saddle near (0.1, -2.6).

    Parameters
    ----------
    x0 : array of shape (2,), optional
        The start; (1, 1) by default, as Beale chose it.

    References
    ----------
    Beale, On an iterative method for finding a local minimum of a function of more than one variable (1958).

    Examples
    --------
    >>> plateau = Beale()
    >>> float(plateau.loss(plateau.x0)), plateau.loss(plateau.minima).tolist(), plateau.loss(plateau.saddles).round(3)
    (14.203125, [0.0], array([14.203,  9.865]))
    """

    x0: np.ndarray | None = None

    def __post_init__(self):
        start(self, [1.0, 1.0])

    @property
    def minima(self):
        return np.array([[3.0, 0.5]])

    @property
    def saddles(self):
        return np.array([[0.0, 1.0], [0.10053793732415836, -2.644513585023125]])

    def terms(self, x):
        """The three terms that are squared, and their derivatives by x, y, xy and yy, each (..., 3)."""
        a, b = x[..., :1], x[..., 1:]
        by_x, by_xy = b**POWERS - 1, POWERS * b ** (POWERS - 1)
        by_yy = a * POWERS * (POWERS - 1) * b ** np.maximum(POWERS - 2, 0)
        return CONSTANTS + a * by_x, by_x, a * by_xy, by_xy, by_yy

    def loss(self, x):
        term, *_ = self.terms(x)
        return (term * term).sum(-1)

    def grad(self, x):
        term, by_x, by_y, *_ = self.terms(x)
        return 2 * namespace(x).stack([(term * by_x).sum(-1), (term * by_y).sum(-1)], axis=-1)

    def hessian(self, x):
        term, by_x, by_y, by_xy, by_yy = self.terms(x)
        products = by_x * by_x, by_x * by_y + term * by_xy, by_y * by_y + term * by_yy
        return symmetric(*(2 * product.sum(-1) for product in products))
