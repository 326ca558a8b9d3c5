"""Warm-up: rates that rise first, alone or before any other schedule."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib import checks
from lrlib.schedules.constant import as_schedule
from lrlib.schedules.schedule import Schedule


def over(t, steps):
    """t / steps, and 0 where there are no steps to go."""
    return t / np.where(np.equal(steps, 0), np.inf, steps)


@dataclass(frozen=True, eq=False)
class LinearWarmup(Schedule):
    r"""Rise in a straight line from `start_lr` to the first rate of a schedule, which starts when the warm-up ends.

    .. math:: \eta_t = \eta_s + (\sigma(0) - \eta_s) \, t / W \quad (t < W), \qquad \eta_t = \sigma(t - W)
              \quad (t \ge W)

    Parameters
    ----------
    schedule : Schedule, float or array
        :math:`\sigma`, what follows; a number is a constant rate.
    warmup_steps : float or array
        :math:`W`, in steps; not negative. Step `warmup_steps` is the first one of `schedule`.
    start_lr : float or array
        :math:`\eta_s`, the rate of step 0; not negative. It may lie above the schedule's.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    The warm-up of optax and Keras: with ``start_lr=0`` the first update moves nothing. For rates
    :math:`(t + 1) / W` of the peak, ask for ``warmup_steps=W - 1, start_lr=peak / W``. A following decay has its own
    number of steps, as in Keras; optax' ``decay_steps`` contains the warm-up.

    Examples
    --------
    >>> LinearWarmup(0.1, warmup_steps=10)([0, 5, 10, 100])
    array([0.  , 0.05, 0.1 , 0.1 ])
    """

    not_negative: ClassVar = ("warmup_steps", "start_lr")

    schedule: Schedule | float | np.ndarray
    warmup_steps: float | np.ndarray
    start_lr: float | np.ndarray = 0.0

    def __post_init__(self):
        super().__post_init__()
        self.keep("schedule", as_schedule("schedule", self.schedule))

    def at(self, t):
        rise = self.start_lr + (self.schedule(0) - self.start_lr) * over(t, self.warmup_steps)
        return np.where(t < self.warmup_steps, rise, self.schedule(np.maximum(t - self.warmup_steps, 0)))


@dataclass(frozen=True, eq=False)
class InverseSquareRoot(Schedule):
    r"""Rise in a straight line, then fall like one over the square root of the step.

    .. math:: \eta_t = \hat\eta \, \min\left(\frac{t + 1}{W}, \sqrt{\frac{W}{t + 1}}\right)

    Parameters
    ----------
    peak_lr : float or array
        :math:`\hat\eta`, the rate of step ``warmup_steps - 1``; not negative.
    warmup_steps : float or array
        :math:`W`, in steps; positive.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    The schedule of `Attention Is All You Need <https://arxiv.org/abs/1706.03762>`_ ("Noam") without the model's width:
    there the peak is :math:`(d W)^{-1/2}`. Step 0 has the rate :math:`\hat\eta / W`, not 0.

    Examples
    --------
    >>> InverseSquareRoot(0.1, warmup_steps=4)([0, 3, 15])
    array([0.025, 0.1  , 0.05 ])
    """

    not_negative: ClassVar = ("peak_lr",)
    positive: ClassVar = ("warmup_steps",)

    peak_lr: float | np.ndarray
    warmup_steps: float | np.ndarray

    def at(self, t):
        return self.peak_lr * np.minimum((t + 1) / self.warmup_steps, np.sqrt(self.warmup_steps / (t + 1)))


#: What is left of the rate when a part p of the decay has passed.
SHAPES = {
    "linear": lambda p: 1 - p,
    "cosine": lambda p: (1 + np.cos(math.pi * p)) / 2,
    "1-sqrt": lambda p: 1 - np.sqrt(p),
    "1-square": lambda p: 1 - p**2,
}


@dataclass(frozen=True, eq=False)
class WarmupStableDecay(Schedule):
    r"""Rise in a straight line from 0, hold, and fall to `end_lr`, where the rate stays.

    .. math:: \eta_t = \hat\eta \, t / W \quad (t < W), \qquad
              \eta_t = \eta_e + (\hat\eta - \eta_e) f\!\left(\frac{t - W - S}{D}\right) \quad (t \ge W)

    with the argument of :math:`f` clipped to [0, 1].

    Parameters
    ----------
    peak_lr : float or array
        :math:`\hat\eta`, the rate that holds; not negative.
    warmup_steps, stable_steps : float or array
        :math:`W` and :math:`S`, in steps; not negative.
    decay_steps : float or array
        :math:`D`, in steps; positive.
    end_lr : float or array
        :math:`\eta_e`, the rate from step W + S + D on; not negative.
    shape : str
        :math:`f(p)`: "linear" (1 - p), "cosine", "1-sqrt" (fast first) or "1-square" (slow first).

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    timm's ``WSDLRScheduler``. ``get_wsd_schedule`` of pytorch_optimizer falls to 0 instead and then jumps up to its
    lowest rate, except with "cosine".

    Examples
    --------
    >>> WarmupStableDecay(0.1, warmup_steps=10, stable_steps=20, decay_steps=10)([0, 5, 10, 30, 35, 40])
    array([0.  , 0.05, 0.1 , 0.1 , 0.05, 0.  ])
    """

    not_negative: ClassVar = ("peak_lr", "warmup_steps", "stable_steps", "end_lr")
    positive: ClassVar = ("decay_steps",)

    peak_lr: float | np.ndarray
    warmup_steps: float | np.ndarray
    stable_steps: float | np.ndarray
    decay_steps: float | np.ndarray
    end_lr: float | np.ndarray = 0.0
    shape: str = "linear"

    def __post_init__(self):
        super().__post_init__()
        checks.one_of("shape", self.shape, SHAPES)

    def at(self, t):
        part = np.clip((t - self.warmup_steps - self.stable_steps) / self.decay_steps, 0, 1)
        fall = self.end_lr + (self.peak_lr - self.end_lr) * SHAPES[self.shape](part)
        return np.where(t < self.warmup_steps, self.peak_lr * over(t, self.warmup_steps), fall)


@dataclass(frozen=True, eq=False)
class SigmoidRamp(Schedule):
    r"""Rise along a logistic curve.

    .. math:: \eta_t = \frac{\eta_0}{1 + e^{-\gamma (t - s)}}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate that is approached, Caffe's ``base_lr``; not negative.
    gamma : float or array
        :math:`\gamma`, per step; not negative. Caffe calls this a decay, but with such a sign it RISES.
    step_size : float or array
        :math:`s`, the step with half the rate; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    Caffe's ``sigmoid``.

    Examples
    --------
    >>> SigmoidRamp(0.1, gamma=0.5, step_size=20)(20)
    0.05
    """

    not_negative: ClassVar = ("initial_lr", "gamma", "step_size")

    initial_lr: float | np.ndarray
    gamma: float | np.ndarray
    step_size: float | np.ndarray

    def at(self, t):
        # exp(-x) itself overflows far below the middle.
        return self.initial_lr * np.exp(-np.logaddexp(0, -self.gamma * (t - self.step_size)))
