"""Exponential decay: the rate is multiplied by the same factor over every stretch of steps."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib.schedules.schedule import StaircaseSchedule


@dataclass(frozen=True, eq=False)
class ExponentialDecay(StaircaseSchedule):
    r"""Multiply the rate by `decay_rate` over every `decay_steps` steps.

    .. math:: \eta_t = \eta_0 \, r^{t / D}, \qquad \text{with `staircase`: } \eta_0 \, r^{\lfloor t / D \rfloor}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    decay_rate : float or array
        :math:`r`, the factor per `decay_steps`; positive. It is a base, not an exponent.
    staircase : bool
        Change the rate only at multiples of `decay_steps`.

    Raises
    ------
    ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.exponential_decay``, Keras' and optax's ``ExponentialDecay``; with ``decay_steps=1`` torch's
    ``ExponentialLR`` and Caffe's ``exp``.

    Examples
    --------
    >>> schedule = ExponentialDecay(0.01, decay_steps=10, decay_rate=0.9)
    >>> round(schedule(5), 6), round(schedule(10), 6)
    (0.009487, 0.009)
    """

    positive: ClassVar = ("decay_steps", "decay_rate")

    initial_lr: float | np.ndarray
    decay_steps: float | np.ndarray
    decay_rate: float | np.ndarray
    staircase: bool = False

    def at(self, t):
        return self.initial_lr * self.decay_rate ** self.progress(t)
