"""Natural exponential decay: exponential decay stated by its rate constant."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib.schedules.schedule import StaircaseSchedule


@dataclass(frozen=True, eq=False)
class NaturalExponentialDecay(StaircaseSchedule):
    r"""Exponential decay with rate constant `decay_rate` per `decay_steps` steps.

    .. math:: \eta_t = \eta_0 \, e^{-k t / D}, \qquad \text{with `staircase`: } \eta_0 \, e^{-k \lfloor t / D \rfloor}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    decay_rate : float or array
        :math:`k`, the rate constant per `decay_steps`; not negative. The rate halves every :math:`D \ln 2 / k` steps.
    staircase : bool
        Change the rate only at multiples of `decay_steps`.

    Raises
    ------
    ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.natural_exp_decay``. Equal to `ExponentialDecay` with the base :math:`e^{-k}`.

    Examples
    --------
    >>> round(NaturalExponentialDecay(0.01, decay_steps=10, decay_rate=0.5)(10), 6)
    0.006065
    """

    not_negative: ClassVar = ("initial_lr", "decay_rate")
    positive: ClassVar = ("decay_steps",)

    initial_lr: float | np.ndarray
    decay_steps: float | np.ndarray
    decay_rate: float | np.ndarray
    staircase: bool = False

    def at(self, t):
        return self.initial_lr * np.exp(-self.decay_rate * self.progress(t))
