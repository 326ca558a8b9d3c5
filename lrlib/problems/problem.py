"""What every problem offers, and how the stochastic ones draw."""

from typing import Any, ClassVar

import numpy as np


class Problem:
    """A function to minimize.

    ============  =======================  ========================================================================
    `loss(x)`     (..., d) -> (...)        the value; leading axes of x are lanes
    `grad(x)`     (..., d) -> (..., d)     its gradient
    `hessian(x)`  (..., d) -> (..., d, d)  its second derivatives
    `x0`          (d,)                     where a run starts unless told otherwise
    `minima`      (n, d)                   the known minima, possibly none
    `saddles`     (n, d)                   the known saddles, possibly none: stationary, with ways up and ways down
    `dim`         int                      d
    ============  =======================  ========================================================================

    A stochastic problem adds `sample(rng)`, the problem on one mini-batch. A problem whose start is random adds
    `initialize(rng)`. In both, `rng` is one generator, or a sequence of them: one lane per generator then, on the last
    axis before d. A problem whose vector x is made of layers lists them in `blocks` as (slice, shape). A problem that
    can multiply by its Hessian without forming it adds `hessian_vector_product(x, v)`, (..., d) twice -> (..., d).
    """

    x0: Any  # an array; a dataclass may take None for its default
    blocks: ClassVar[tuple] = ()

    @property
    def dim(self):
        return len(self.x0)

    @property
    def minima(self):
        return np.empty((0, self.dim))

    @property
    def saddles(self):
        return np.empty((0, self.dim))


def point(name, value, dim=None):
    """`value` as a vector of finite numbers, of length `dim` if that is given."""
    x = numbers(name, value)
    if x.ndim != 1 or (dim is not None and len(x) != dim):
        length = "" if dim is None else f" of length {dim}"
        raise ValueError(f"{name} must be a vector{length}, got shape {x.shape}")
    return finite(name, x)


def points(name, value, dim=None, dtype=float):
    """`value` as an array (..., d) of finite numbers, where d is `dim` if that is given."""
    x = numbers(name, value, dtype)
    if x.ndim == 0 or (dim is not None and x.shape[-1] != dim):
        raise ValueError(f"{name} must have shape (..., {'d' if dim is None else dim}), got {x.shape}")
    return finite(name, x)


def numbers(name, value, dtype=float):
    """`value` as an array of numbers."""
    try:
        return np.asarray(value, dtype=dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold numbers, got {value!r}") from None


def finite(name, x):
    """The array x, if it is finite."""
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, got {x[~np.isfinite(x)][0]}")
    return x


def start(problem, default):
    """Set `x0` of a frozen problem to what it was given, or else to `default`."""
    object.__setattr__(problem, "x0", point("x0", default if problem.x0 is None else problem.x0, len(default)))


def symmetric(xx, xy, yy):
    """The Hessian (..., 2, 2) of a function of two parameters from its second derivatives, each (...)."""
    xx, xy, yy = np.broadcast_arrays(xx, xy, yy)
    return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)


def draw(rng, one):
    """`one(rng)` for one generator; for a sequence of generators, their draws stacked on a new first axis."""
    if isinstance(rng, np.random.Generator):
        return one(rng)
    return np.stack([one(generator) for generator in rng])
