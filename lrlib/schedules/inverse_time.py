"""Inverse-time decay: the rate falls like one over the step, or like a power of it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib.schedules.schedule import Schedule, StaircaseSchedule


@dataclass(frozen=True, eq=False)
class InverseTimeDecay(StaircaseSchedule):
    r"""Divide the rate by a number that grows by `decay_rate` every `decay_steps` steps.

    .. math:: \eta_t = \frac{\eta_0}{1 + k t / D}, \qquad
              \text{with `staircase`: } \frac{\eta_0}{1 + k \lfloor t / D \rfloor}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    decay_rate : float or array
        :math:`k`; not negative. The rate has halved after :math:`D / k` steps and never reaches 0.
    staircase : bool
        Change the rate only at multiples of `decay_steps`.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.inverse_time_decay``, Keras' ``InverseTimeDecay``.

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)([0, 10, 90])
    array([0.1 , 0.05, 0.01])
    """

    not_negative: ClassVar = ("initial_lr", "decay_rate")
    positive: ClassVar = ("decay_steps",)

    initial_lr: float | np.ndarray
    decay_steps: float | np.ndarray
    decay_rate: float | np.ndarray
    staircase: bool = False

    def at(self, t):
        return self.initial_lr / (1 + self.decay_rate * self.progress(t))


@dataclass(frozen=True, eq=False)
class CaffeInverseDecay(Schedule):
    r"""Divide the rate by a power of a number that grows by `gamma` every step.

    .. math:: \eta_t = \eta_0 \, (1 + \gamma t)^{-p}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    gamma : float or array
        :math:`\gamma`, per step; not negative.
    power : float or array
        :math:`p`; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    Caffe's ``inv``. With ``power=1`` it is `InverseTimeDecay` with ``decay_steps=1``.

    Examples
    --------
    >>> CaffeInverseDecay(0.1, gamma=1.0, power=0.5)([0, 3])
    array([0.1 , 0.05])
    """

    not_negative: ClassVar = ("initial_lr", "gamma", "power")

    initial_lr: float | np.ndarray
    gamma: float | np.ndarray
    power: float | np.ndarray

    def at(self, t):
        return self.initial_lr * (1 + self.gamma * t) ** -self.power
