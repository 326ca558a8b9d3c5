"""Logistic regression: convex, smooth, and as stochastic as its mini-batch is small."""

from dataclasses import dataclass

import numpy as np

from lrlib.optimizers.optimizer import namespace
from lrlib.problems.linear_model import LinearModel


def sigmoid(z):
    """1 / (1 + exp(-z)), without overflow."""
    return 0.5 * (1 + namespace(z).tanh(0.5 * z))


@dataclass(frozen=True, eq=False)
class LogisticRegression(LinearModel):
    r"""Mean logistic loss with an L2 penalty.

    .. math::
        L(w) = \frac1n \sum_i \ln\bigl(1 + e^{-s_i x_i \cdot w}\bigr) + \tfrac12 \lambda |w|^2, \quad s_i = 2 y_i - 1

    Its minimum has no closed form, and none is listed in `minima`.

    Parameters
    ----------
    features : array of shape (n, d)
        One row an example; add a column of ones for a bias.
    labels : array of shape (n,)
        Zeros and ones.
    l2 : float
        :math:`\lambda`, not negative.
    batch_size : int, optional
        Examples in a mini-batch, drawn with replacement by `sample`. None means all of them, in order.
    x0 : array of shape (d,), optional
        The start; zeros by default.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, a label is neither 0 nor 1, `l2` is negative or `batch_size` is
        not a positive whole number.

    Examples
    --------
    >>> coin = LogisticRegression([[1.0], [1.0], [1.0], [1.0]], [1, 1, 1, 0])
    >>> coin.grad(np.log([3.0])).round(12).tolist()  # odds of three to one
    [0.0]
    """

    features: np.ndarray
    labels: np.ndarray
    l2: float = 0.0
    batch_size: int | None = None
    x0: np.ndarray | None = None

    answers = "labels"

    def __post_init__(self):
        super().__post_init__()
        odd = self.labels[(self.labels != 0) & (self.labels != 1)]
        if odd.size:
            raise ValueError(f"labels must be 0 or 1, got {odd.flat[0]:g}")

    def losses(self, scores):
        return np.logaddexp(0, (1 - 2 * self.labels) * scores)

    def errors(self, scores):
        return sigmoid(scores) - self.labels

    def curvatures(self, scores):
        p = sigmoid(scores)
        return p * (1 - p)
