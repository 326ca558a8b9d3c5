"""Cosine decay: half a wave from the highest rate to the lowest, once or with restarts."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib.schedules.schedule import Schedule


@dataclass(frozen=True, eq=False)
class CosineDecay(Schedule):
    r"""Fall along half a cosine wave in `decay_steps` steps.

    .. math:: \eta_t = \eta_0 \left( (1 - \alpha) \frac{1 + \cos(\pi \min(t, D) / D)}{2} + \alpha \right)

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    alpha : float or array
        :math:`\alpha`, the last rate as a fraction of `initial_lr`; not negative. It rises if the fraction is above 1.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.cosine_decay``, Keras' ``CosineDecay``, optax' ``cosine_decay_schedule``. torch's ``CosineAnnealingLR``
    states the last rate itself (``eta_min``) and rises again after ``T_max``.

    Examples
    --------
    >>> CosineDecay(0.1, decay_steps=10)([0, 5, 10, 15])
    array([0.1 , 0.05, 0.  , 0.  ])
    """

    not_negative: ClassVar = ("initial_lr", "alpha")
    positive: ClassVar = ("decay_steps",)

    initial_lr: float | np.ndarray
    decay_steps: float | np.ndarray
    alpha: float | np.ndarray = 0.0

    def at(self, t):
        cosine = (1 + np.cos(math.pi * np.minimum(t, self.decay_steps) / self.decay_steps)) / 2
        return self.initial_lr * ((1 - self.alpha) * cosine + self.alpha)


@dataclass(frozen=True, eq=False)
class CosineRestarts(Schedule):
    r"""Fall along half a cosine wave, again and again, each time `t_mul` times as long and `m_mul` times as high.

    .. math:: \eta_t = \eta_0 \left( (1 - \alpha) \, m^i \, \frac{1 + \cos(\pi \tau / T_i)}{2} + \alpha \right)

    in cycle :math:`i`, which is :math:`T_i = T_0 \mu^i` steps long and began :math:`\tau` steps ago.

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    first_decay_steps : float or array
        :math:`T_0`, the length of the first cycle in steps; positive.
    t_mul : float or array
        :math:`\mu`, each cycle's length relative to the one before; at least 1.
    m_mul : float or array
        :math:`m`, each cycle's height relative to the one before; not negative.
    alpha : float or array
        :math:`\alpha`, the lowest rate as a fraction of `initial_lr`; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.cosine_decay_restarts``, Keras' ``CosineDecayRestarts``; Loshchilov & Hutter, `SGDR
    <https://arxiv.org/abs/1608.03983>`_. The step of a restart has the highest rate of its cycle. Restarts are found
    by adding up lengths, which is exact for whole numbers of steps: torch's and timm's logarithm is not, and gives the
    lowest rate at epoch 121 ``T_0`` with ``T_mult=3``.

    Examples
    --------
    >>> CosineRestarts(0.1, first_decay_steps=10)([0, 5, 10, 20, 30])
    array([0.1 , 0.05, 0.1 , 0.05, 0.1 ])
    """

    not_negative: ClassVar = ("initial_lr", "m_mul", "alpha")
    positive: ClassVar = ("first_decay_steps",)
    at_least_one: ClassVar = ("t_mul",)

    initial_lr: float | np.ndarray
    first_decay_steps: float | np.ndarray
    t_mul: float | np.ndarray = 2.0
    m_mul: float | np.ndarray = 1.0
    alpha: float | np.ndarray = 0.0

    def at(self, t):
        cycle, passed, length = self.cycle(t)
        cosine = (1 + np.cos(math.pi * passed / length)) / 2
        return self.initial_lr * ((1 - self.alpha) * self.m_mul**cycle * cosine + self.alpha)

    def cycle(self, t):
        """The number of the cycle that step `t` belongs to, the steps since its start, and its length."""
        # In float64 sums of whole numbers are exact. Cycles of one length are counted at once; where they grow, a few
        # additions reach any step.
        t, grows = t.astype(float), np.greater(self.t_mul, 1)
        cycle = np.where(grows, 0.0, np.floor_divide(t, self.first_decay_steps))
        start, length = cycle * self.first_decay_steps, self.first_decay_steps + 0 * cycle
        while (over := grows & (t >= start + length)).any():
            start = np.where(over, start + length, start)
            length = np.where(over, length * self.t_mul, length)
            cycle = cycle + over
        return cycle, t - start, length
