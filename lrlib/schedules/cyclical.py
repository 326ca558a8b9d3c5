"""Cycles: rates that rise and fall, for ever or once, and the momentum against them."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib import checks
from lrlib.schedules.schedule import Schedule

MODES = ("triangular", "triangular2", "exp_range")
STRATEGIES = ("cos", "linear")


@dataclass(frozen=True, eq=False)
class Cyclical(Schedule):
    r"""Go from `base_lr` to `max_lr` and back in straight lines, for ever.

    .. math:: \eta_t = \eta_b + (\eta_m - \eta_b) \, h_t \, c_t

    with the height :math:`h_t` of the triangle between 0 and 1, and :math:`c_t = 1` ("triangular"), :math:`2^{-i}` in
    cycle :math:`i = 0, 1, \dots` ("triangular2") or :math:`\gamma^t` ("exp_range").

    Parameters
    ----------
    base_lr : float or array
        :math:`\eta_b`, the rate of step 0; not negative.
    max_lr : float or array
        :math:`\eta_m`, the rate at the first peak if nothing scales it; not negative. It may lie below `base_lr`.
    step_size_up, step_size_down : float or array
        Steps to the peak and back; positive. `step_size_down` is `step_size_up` if not given.
    mode : str
        "triangular", "triangular2" or "exp_range".
    gamma : float or array
        :math:`\gamma`, positive; of use in the mode "exp_range" only.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    torch's ``CyclicLR``; Smith, `Cyclical Learning Rates <https://arxiv.org/abs/1506.01186>`_. Its momentum cycle is
    another one of these, upside down: ``Cyclical(0.9, 0.8, ...)``.

    Examples
    --------
    >>> Cyclical(0.1, 0.5, step_size_up=2, step_size_down=4)([0, 1, 2, 4, 6])
    array([0.1, 0.3, 0.5, 0.3, 0.1])
    """

    not_negative: ClassVar = ("base_lr", "max_lr")
    positive: ClassVar = ("step_size_up", "gamma")

    base_lr: float | np.ndarray
    max_lr: float | np.ndarray
    step_size_up: float | np.ndarray = 2000
    step_size_down: float | np.ndarray | None = None
    mode: str = "triangular"
    gamma: float | np.ndarray = 1.0

    def __post_init__(self):
        super().__post_init__()
        if self.step_size_down is not None:
            self.keep("step_size_down", checks.positive("step_size_down", self.step_size_down))
        checks.one_of("mode", self.mode, MODES)

    def at(self, t):
        up = self.step_size_up
        down = up if self.step_size_down is None else self.step_size_down
        cycle, now = np.divmod(t, up + down)
        height = np.where(now <= up, now / up, (up + down - now) / down)
        return self.base_lr + (self.max_lr - self.base_lr) * height * self.scale(t, cycle)

    def scale(self, t, cycle):
        """What the mode multiplies the height by."""
        if self.mode == "exp_range":
            return self.gamma**t
        return 0.5**cycle if self.mode == "triangular2" else 1.0


@dataclass(frozen=True, eq=False)
class OneCycle(Schedule):
    r"""Rise to `max_lr` and fall far below the start, once.

    The rate is :math:`\eta_m / d` at step 0, :math:`\eta_m` at step :math:`p N - 1` and :math:`\eta_m / (d f)` at step
    :math:`N - 1`, where it stays; with `three_phase` it is back at :math:`\eta_m / d` at step :math:`2 p N - 2`. In
    between it moves along half cosine waves or straight lines.

    Parameters
    ----------
    max_lr : float or array
        :math:`\eta_m`, the highest rate; not negative.
    total_steps : int or array
        :math:`N`, the number of steps; whole, at least 2.
    pct_start : float or array
        :math:`p`, the part of the steps that rises; in [0, 1], with `three_phase` in [0, 0.5]. The first step is the
        highest one where :math:`p N \le 1`.
    anneal_strategy : str
        "cos" or "linear".
    div_factor, final_div_factor : float or array
        :math:`d` and :math:`f`; positive.
    three_phase : bool
        Smith's own form: fall as long as the rate rose, then further down. torch's default is without.

    Raises
    ------
    TypeError, ValueError
        For a value outside its range.

    Notes
    -----
    torch's ``OneCycleLR`` on steps 0 to N - 1. torch goes on to step N, where its rate rises again, and divides by
    zero if :math:`p N = 1`. Smith & Topin, `Super-Convergence <https://arxiv.org/abs/1708.07120>`_.

    Examples
    --------
    >>> cycle = OneCycle(0.1, total_steps=100)
    >>> round(cycle(0), 6), round(cycle(29), 6), cycle.momentum()(29)
    (0.004, 0.1, 0.85)
    """

    not_negative: ClassVar = ("max_lr",)
    positive: ClassVar = ("div_factor", "final_div_factor")
    flag: ClassVar = ("three_phase",)

    max_lr: float | np.ndarray
    total_steps: int | np.ndarray
    pct_start: float | np.ndarray = 0.3
    anneal_strategy: str = "cos"
    div_factor: float | np.ndarray = 25.0
    final_div_factor: float | np.ndarray = 1e4
    three_phase: bool = False

    def __post_init__(self):
        super().__post_init__()
        most, phases = (0.5, " with three_phase") if self.three_phase else (1, "")
        whole = ("be a whole number of at least 2", lambda v: (v >= 2) & (v % 1 == 0))
        part = (f"lie in [0, {most}]{phases}", lambda v: (v >= 0) & (v <= most))
        self.keep("total_steps", checks.check("total_steps", self.total_steps, *whole))
        self.keep("pct_start", checks.check("pct_start", self.pct_start, *part))
        checks.one_of("anneal_strategy", self.anneal_strategy, STRATEGIES)

    def at(self, t):
        low = self.max_lr / self.div_factor
        return self.through(t, [low, self.max_lr, low, low / self.final_div_factor])

    def through(self, t, values):
        """Values that move from each of four to the next in the phases of the cycle; two phases leave the third out."""
        first, peak, back, last = values
        top = np.maximum(self.pct_start * self.total_steps - 1, 0)
        end = self.total_steps - 1
        value = self.move(t, 0, top, first, peak)
        if self.three_phase:
            value = np.where(t > top, self.move(t, top, 2 * top, peak, back), value)
            return np.where(t > 2 * top, self.move(t, 2 * top, end, back, last), value)
        return np.where(t > top, self.move(t, top, end, peak, last), value)

    def move(self, t, start, end, a, b):
        """From `a` at step `start` to `b` at step `end`, where it stays."""
        part = np.where(t < end, (t - start) / np.where(end > start, end - start, 1), 1.0)
        if self.anneal_strategy == "linear":
            return a + (b - a) * part
        return b + (a - b) * (1 + np.cos(math.pi * part)) / 2

    def momentum(self, base_momentum=0.85, max_momentum=0.95):
        """The momentum that goes against the rate: lowest where the rate is highest.

        Parameters
        ----------
        base_momentum, max_momentum : float or array
            The lowest and the highest momentum, in [0, 1).

        Returns
        -------
        Schedule
            For a hyper-parameter such as ``SGD(lr=cycle, momentum=cycle.momentum())``.
        """
        return OneCycleMomentum(self, base_momentum, max_momentum)


@dataclass(frozen=True, eq=False)
class OneCycleMomentum(Schedule):
    """The momentum of a `OneCycle`, made by its method `momentum`."""

    not_negative: ClassVar = ()

    cycle: OneCycle
    base_momentum: float | np.ndarray
    max_momentum: float | np.ndarray

    def __post_init__(self):
        for name in ("base_momentum", "max_momentum"):
            self.keep(name, checks.below_one(name, getattr(self, name)))

    def at(self, t):
        return self.cycle.through(t, [self.max_momentum, self.base_momentum, self.max_momentum, self.max_momentum])
