"""Rates that jump and stay: any values between boundaries, or the same factor again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib import checks
from lrlib.schedules.schedule import Schedule


@dataclass(frozen=True, eq=False)
class PiecewiseConstant(Schedule):
    r"""The first value up to the first boundary and at it, then the second value, and so on.

    .. math:: \eta_t = v_{\#\{b \,:\, t > b\}}

    Parameters
    ----------
    boundaries : sequence of float or array
        The last steps of all values but the last; increasing.
    values : sequence of float or array
        The rates, one more than `boundaries`; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range, boundaries that do not increase, or a number of values that does not fit.

    Notes
    -----
    ``tf.train.piecewise_constant`` and Keras' ``PiecewiseConstantDecay``: the old value still holds AT a boundary. In
    `MultiStepDecay`, as in torch, optax and Caffe, the new one holds already.

    Examples
    --------
    >>> PiecewiseConstant([10, 20], [0.1, 0.01, 0.001])([10, 11, 20, 21])
    array([0.1  , 0.01 , 0.01 , 0.001])
    """

    not_negative: ClassVar = ()

    boundaries: Sequence[float | np.ndarray]
    values: Sequence[float | np.ndarray]

    def __post_init__(self):
        boundaries = checks.sequence("boundaries", self.boundaries, checks.not_negative)
        self.keep("boundaries", checks.increasing("boundaries", boundaries))
        values = checks.sequence("values", self.values, checks.not_negative)
        self.keep("values", checks.one_more("values", values, "boundaries", boundaries))

    def at(self, t):
        rate = self.values[0] + 0 * t
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = np.where(t > boundary, value, rate)
        return rate


@dataclass(frozen=True, eq=False)
class StepDecay(Schedule):
    r"""Multiply the rate by `gamma` every `step_size` steps.

    .. math:: \eta_t = \eta_0 \, \gamma^{\lfloor t / s \rfloor}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate of step 0; not negative.
    step_size : float or array
        :math:`s`, in steps; positive. The factor acts AT its multiples.
    gamma : float or array
        :math:`\gamma`, the factor; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    torch's ``StepLR``, Caffe's ``step``; `ExponentialDecay` with ``staircase=True`` under other names.

    Examples
    --------
    >>> StepDecay(0.8, step_size=10, gamma=0.5)([9, 10, 20])
    array([0.8, 0.4, 0.2])
    """

    not_negative: ClassVar = ("initial_lr", "gamma")
    positive: ClassVar = ("step_size",)

    initial_lr: float | np.ndarray
    step_size: float | np.ndarray
    gamma: float | np.ndarray = 0.1

    def at(self, t):
        return self.initial_lr * self.gamma ** np.floor_divide(t, self.step_size)


@dataclass(frozen=True, eq=False)
class MultiStepDecay(Schedule):
    r"""Multiply the rate by `gamma` at each milestone.

    .. math:: \eta_t = \eta_0 \, \gamma^{\#\{m \,:\, m \le t\}}

    Parameters
    ----------
    initial_lr : float or array
        :math:`\eta_0`, the rate before the first milestone; not negative.
    milestones : sequence of float or array
        Steps AT which the factor acts, in any order; one that stands twice multiplies twice.
    gamma : float or array
        :math:`\gamma`, the factor; not negative.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    torch's ``MultiStepLR``, Caffe's ``multistep`` (which lets a duplicate act one step late).

    Examples
    --------
    >>> MultiStepDecay(0.8, [10, 30], gamma=0.5)([9, 10, 30])
    array([0.8, 0.4, 0.2])
    """

    not_negative: ClassVar = ("initial_lr", "gamma")

    initial_lr: float | np.ndarray
    milestones: Sequence[float | np.ndarray]
    gamma: float | np.ndarray = 0.1

    def __post_init__(self):
        super().__post_init__()
        self.keep("milestones", checks.sequence("milestones", self.milestones, checks.not_negative))

    def at(self, t):
        passed = 0 * t
        for milestone in self.milestones:
            passed = passed + (t >= milestone)
        return self.initial_lr * self.gamma**passed
