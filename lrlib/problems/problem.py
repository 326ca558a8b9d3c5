"""What every problem offers, and how the stochastic ones draw."""

from typing import Any, ClassVar

import numpy as np


class Problem:
    """A function to minimize.

    ============  =====================  ============================================================
    `loss(x)`     (..., d) -> (...)      the value; leading axes of x are lanes
    `grad(x)`     (..., d) -> (..., d)   its gradient
    `hessian(x)`  (..., d) -> (..., d, d)  its second derivatives
    `x0`          (d,)                   where a run starts unless told otherwise
    `minima`      (n, d)                 the known minima, possibly none
    `dim`         int                    d
    ============  =====================  ============================================================

    A stochastic problem adds `sample(rng)`, the problem on one mini-batch. A problem whose start is random adds
    `initialize(rng)`. In both, `rng` is one generator, or a sequence of them: one lane per generator then, on the last
    axis before d. A problem whose vector x is made of layers lists them in `blocks` as (slice, shape).
    """

    x0: Any  # an array; a dataclass may take None for its default
    minima: np.ndarray
    blocks: ClassVar[tuple] = ()

    @property
    def dim(self):
        return len(self.x0)


def point(name, value, dim=None):
    """`value` as a vector of finite numbers, of length `dim` if that is given."""
    x = np.asarray(value, dtype=float)
    if x.ndim != 1 or (dim is not None and len(x) != dim):
        length = "" if dim is None else f" of length {dim}"
        raise ValueError(f"{name} must be a vector{length}, got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, got {x.tolist()}")
    return x


def draw(rng, one):
    """`one(rng)` for one generator; for a sequence of generators, their draws stacked on a new first axis."""
    if isinstance(rng, np.random.Generator):
        return one(rng)
    return np.stack([one(generator) for generator in rng])
