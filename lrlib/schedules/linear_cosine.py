"""Linear cosine decay: a straight line times a cosine."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib.schedules.schedule import Schedule


def line_and_wave(t, decay_steps, num_periods):
    """The part of the steps that remains, and the cosine, between 0 and 1."""
    return (decay_steps - t) / decay_steps, (1 + np.cos(2 * math.pi * num_periods * t / decay_steps)) / 2


@dataclass(frozen=True, eq=False)
class LinearCosineDecay(Schedule):
    r"""Fall along a straight line times a cosine in `decay_steps` steps.

    .. math:: \eta_t = \eta_0 \left( \left(\alpha + 1 - \frac{\tau}{D}\right)
              \frac{1 + \cos(2 \pi n \tau / D)}{2} + \beta \right), \qquad \tau = \min(t, D)

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`; not negative. Step 0 has more: :math:`\eta_0 (1 + \alpha + \beta)`.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    num_periods : float or array
        :math:`n`, waves in `decay_steps`; not negative. Half-odd numbers end at :math:`\eta_0 \beta`, whole ones at
        :math:`\eta_0 (\alpha + \beta)`.
    alpha, beta : float or array
        :math:`\alpha` and :math:`\beta`; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    ``tf.train.linear_cosine_decay``; Bello et al., `Neural Optimizer Search <https://arxiv.org/abs/1709.07417>`_.

    Examples
    --------
    >>> LinearCosineDecay(0.1, decay_steps=10, beta=0.1)([0, 5, 10])
    array([0.11 , 0.035, 0.01 ])
    """

    not_negative: ClassVar = ("initial_lr", "num_periods", "alpha", "beta")
    positive: ClassVar = ("decay_steps",)

    initial_lr: float | np.ndarray
    decay_steps: float | np.ndarray
    num_periods: float | np.ndarray = 0.5
    alpha: float | np.ndarray = 0.0
    beta: float | np.ndarray = 0.001

    def at(self, t):
        t = np.minimum(t, self.decay_steps)
        line, wave = line_and_wave(t, self.decay_steps, self.num_periods)
        return self.initial_lr * ((self.alpha + line) * wave + self.beta)
