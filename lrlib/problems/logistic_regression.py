"""Logistic regression: convex, smooth, and as stochastic as its mini-batch is small."""

from dataclasses import dataclass, replace

import numpy as np

from lrlib import checks
from lrlib.problems.problem import Problem, draw, point


def sigmoid(z):
    """1 / (1 + exp(-z)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


@dataclass(frozen=True, eq=False)
class LogisticRegression(Problem):
    r"""Mean logistic loss with an L2 penalty.

    .. math::
        L(w) = \frac1n \sum_i \ln\bigl(1 + e^{-s_i x_i \cdot w}\bigr) + \tfrac12 \lambda |w|^2, \quad s_i = 2 y_i - 1

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
        If shapes do not fit, a label is neither 0 nor 1 or `l2` is negative.
    """

    features: np.ndarray
    labels: np.ndarray
    l2: float = 0.0
    batch_size: int | None = None
    x0: np.ndarray | None = None

    minima = np.empty((0, 0))

    def __post_init__(self):
        features, labels = np.asarray(self.features, dtype=float), np.asarray(self.labels, dtype=float)
        if features.ndim < 2 or labels.shape != features.shape[:-1]:
            raise ValueError(f"features must be (n, d) and labels (n,), got shapes {features.shape} and {labels.shape}")
        odd = labels[(labels != 0) & (labels != 1)]
        if odd.size:
            raise ValueError(f"labels must be 0 or 1, got {odd.flat[0]:g}")
        checks.not_negative("l2", self.l2)
        if self.batch_size is not None:
            checks.whole("batch_size", self.batch_size, least=1)
        d = features.shape[-1]
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "x0", point("x0", np.zeros(d) if self.x0 is None else self.x0, d))

    def scores(self, x):
        """The linear scores of all examples: (..., d) -> (..., n)."""
        if self.features.ndim == 2:
            return x @ self.features.T
        return (self.features @ x[..., None])[..., 0]

    def loss(self, x):
        signs = 1 - 2 * self.labels
        return np.logaddexp(0, signs * self.scores(x)).mean(-1) + 0.5 * self.l2 * (x * x).sum(-1)

    def grad(self, x):
        error = sigmoid(self.scores(x)) - self.labels
        mean = error @ self.features if self.features.ndim == 2 else (error[..., None, :] @ self.features)[..., 0, :]
        return mean / error.shape[-1] + self.l2 * x

    def hessian(self, x):
        p = sigmoid(self.scores(x))
        weighted = self.features * (p * (1 - p))[..., None]
        return np.swapaxes(weighted, -1, -2) @ self.features / p.shape[-1] + self.l2 * np.eye(self.dim)

    def batch(self, rows):
        """The problem on the examples with the given row numbers."""
        return replace(self, features=self.features[rows], labels=self.labels[rows], batch_size=None)

    def sample(self, rng):
        if self.batch_size is None:
            return self
        return self.batch(draw(rng, lambda one: one.integers(len(self.labels), size=self.batch_size)))
