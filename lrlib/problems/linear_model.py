"""What linear and logistic regression share: examples in rows, scores linear in x, mini-batches of rows."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from lrlib import checks
from lrlib.problems.problem import Problem, draw, finite, start


class LinearModel(Problem):
    r"""The mean over examples of a loss of the score :math:`z_i = x_i \cdot w`, with an L2 penalty.

    A model is a dataclass with the fields `features`, `l2`, `batch_size`, `x0` and the one that `answers` names. It
    adds `losses`, `errors` and `curvatures`: value, first and second derivative of the examples' losses by their
    scores, each (..., n) -> (..., n).
    """

    answers: ClassVar[str]
    features: Any
    l2: float
    batch_size: int | None

    def __post_init__(self):
        name = self.answers
        features, answers = np.asarray(self.features, dtype=float), np.asarray(getattr(self, name), dtype=float)
        if features.ndim < 2 or answers.shape != features.shape[:-1]:
            shapes = f"{features.shape} and {answers.shape}"
            raise ValueError(f"features must be (n, d) and {name} (n,), got shapes {shapes}")
        finite("features", features)
        finite(name, answers)
        checks.not_negative("l2", self.l2)
        if self.batch_size is not None:
            checks.whole("batch_size", self.batch_size, least=1)
        object.__setattr__(self, "features", features)
        object.__setattr__(self, name, answers)
        start(self, np.zeros(features.shape[-1]))

    def losses(self, scores):
        raise NotImplementedError

    def errors(self, scores):
        raise NotImplementedError

    def curvatures(self, scores):
        raise NotImplementedError

    def scores(self, x):
        """The linear scores of all examples: (..., d) -> (..., n)."""
        if self.features.ndim == 2:
            return x @ self.features.T
        return (self.features @ x[..., None])[..., 0]

    def mean(self, weights):
        """The mean over the examples of a weight times the features: (..., n) -> (..., d)."""
        both = self.features.ndim > 2
        total = (weights[..., None, :] @ self.features)[..., 0, :] if both else weights @ self.features
        return total / weights.shape[-1]

    def loss(self, x):
        return self.losses(self.scores(x)).mean(-1) + 0.5 * self.l2 * (x * x).sum(-1)

    def grad(self, x):
        return self.mean(self.errors(self.scores(x))) + self.l2 * x

    def hessian(self, x):
        curvatures = self.curvatures(self.scores(x))
        weighted = self.features * curvatures[..., None]
        return np.swapaxes(weighted, -1, -2) @ self.features / curvatures.shape[-1] + self.l2 * np.eye(self.dim)

    def hessian_vector_product(self, x, v):
        return self.mean(self.curvatures(self.scores(x)) * self.scores(v)) + self.l2 * v

    def batch(self, rows):
        """The problem on the examples with the given row numbers."""
        part = {"features": self.features[rows], self.answers: getattr(self, self.answers)[rows]}
        return replace(self, batch_size=None, **part)

    def sample(self, rng):
        if self.batch_size is None:
            return self
        return self.batch(draw(rng, lambda one: one.integers(len(self.features), size=self.batch_size)))
