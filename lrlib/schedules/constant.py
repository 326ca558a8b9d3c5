"""The same rate at every step."""

from dataclasses import dataclass

import numpy as np

from lrlib import checks
from lrlib.schedules.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Constant(Schedule):
    """The same rate at every step.

    Parameters
    ----------
    initial_lr : float or array
        The rate, per step; not negative.

    Examples
    --------
    >>> Constant(0.1)(1000)
    0.1
    """

    initial_lr: float | np.ndarray

    def at(self, t):
        return self.initial_lr + 0 * t


def as_schedule(name, value):
    """A schedule as it is; a number or an array as the schedule that never changes."""
    if isinstance(value, Schedule):
        return value
    if callable(value):
        raise TypeError(f"{name} must be a schedule or a rate, got {value!r}")
    return Constant(checks.not_negative(name, value))
