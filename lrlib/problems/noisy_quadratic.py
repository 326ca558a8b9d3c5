"""A quadratic whose gradient is seen through noise: the smallest model of a mini-batch."""

from dataclasses import dataclass, replace

import numpy as np

from lrlib import checks
from lrlib.problems.problem import draw
from lrlib.problems.quadratic import Quadratic


@dataclass(frozen=True, eq=False)
class NoisyQuadratic(Quadratic):
    r"""A quadratic whose sampled gradient is :math:`A(\theta - c) + \xi`, :math:`\xi \sim N(0, \sigma^2 I)`.

    The noise belongs to the seed alone: lanes that differ in a hyper-parameter see the same noise, and a seed sees the
    same noise whichever other seeds run beside it. `loss` and `grad` of the problem itself are the noiseless ones.

    Parameters
    ----------
    curvature, x0, center
        As in `Quadratic`.
    sigma : float
        Standard deviation of the noise on each coordinate of the gradient; not negative.
    """

    sigma: float = 1.0
    noise: np.ndarray | float = 0.0

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("sigma", self.sigma)

    def grad(self, x):
        return super().grad(x) + self.noise

    def loss(self, x):
        return 0.5 * ((x - self.center) * super().grad(x)).sum(-1)

    def sample(self, rng):
        return replace(self, noise=self.sigma * draw(rng, lambda one: one.standard_normal(self.dim)))
