"""Prodigy: Adam that estimates its own learning rate."""

from dataclasses import dataclass
from typing import ClassVar

from lrlib import checks
from lrlib.optimizers.optimizer import Optimizer, namespace
from lrlib.schedules.schedule import Rate


@dataclass(frozen=True, eq=False)
class Prodigy(Optimizer):
    r"""Adam times an estimate d of the distance from the start to the solution, which only grows.

    With :math:`\gamma_t = d_t \eta_t`, the step is Adam's, for gradients :math:`d_t g_t` and without bias correction:

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t g_t \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2) d_t^2 g_t^2 \\
        r_t &= \beta_3 r_{t-1} + \tfrac{d_t}{d_0} \gamma_t \, g_t^\top (\theta_0 - \theta_{t-1}) \qquad
        s_t = \beta_3 s_{t-1} + \tfrac{d_t}{d_0} \gamma_t \, g_t \\
        d_{t+1} &= \max\left(d_t, \; c \, r_t / \|s_t\|_1\right) \\
        \theta_t &= (1 - \gamma_t w) \theta_{t-1} - \gamma_t \frac{m_t}{\sqrt{v_t} + d_{t+1} \varepsilon}

    Parameters
    ----------
    lr : float, array or schedule
        A factor :math:`\eta` of the estimated rate, per step; not negative. Leave it at 1, or decay it from 1.
    beta1, beta2 : float, array or schedule
        Decay of the two running averages, in [0, 1).
    beta3 : float, array, schedule or None
        Decay of the sums that estimate d, in [0, 1). None means :math:`\sqrt{\beta_2}`.
    eps : float, array or schedule
        :math:`\varepsilon`, in units of the gradient; not negative.
    weight_decay : float, array or schedule
        :math:`w`, decoupled.
    d0 : float or array
        First estimate :math:`d_1 = d_0`, in units of the parameters; positive. Below the truth by any factor is fine.
    d_coef : float, array or schedule
        Factor :math:`c` of the estimate; positive. The knob to turn if there must be one.
    bias_correction : bool
        :math:`\gamma_t = d_t \eta_t \sqrt{1 - \beta_2^t} / (1 - \beta_1^t)` (optax).

    Raises
    ------
    TypeError, ValueError
        For a value of the wrong kind or outside its range.

    Notes
    -----
    State: ``m``, ``v``, ``s`` and the start ``x0``, shaped as x; ``r`` and ``d`` of shape (..., 1). The last axis of x
    holds all parameters of a model: there is one d, not one a layer. Source: Mishchenko & Defazio (2024). Names are
    those of the authors' ``prodigyopt``. With `bias_correction` equal to ``optax.contrib.prodigy``.

    Examples
    --------
    >>> from lrlib import Quadratic, minimize
    >>> run = minimize(Quadratic([1.0, 4.0], x0=[3.0, -2.0]), Prodigy(), steps=500)
    >>> bool(run.loss[-1] < 1e-3 * run.loss[0])
    True
    """

    core: ClassVar = 1
    whole: ClassVar = True
    positive: ClassVar = ("d0", "d_coef")
    below_one: ClassVar = ("beta1", "beta2", "beta3")
    flag: ClassVar = ("bias_correction",)

    lr: Rate = 1.0
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    beta3: Rate | None = None
    eps: Rate = 1e-8
    weight_decay: Rate = 0.0
    d0: Rate = 1e-6
    d_coef: Rate = 1.0
    bias_correction: bool = False

    def __post_init__(self):
        super().__post_init__()
        checks.positive("d0", self.d0)

    def init(self, x):
        zero = 0 * x[..., :1]
        return {"m": 0 * x, "v": 0 * x, "s": 0 * x, "x0": 1 * x, "r": zero, "d": zero + self.d0}

    def update(self, x, g, state, *, t, lr):
        xp, d = namespace(x), state["d"]
        beta3 = self.beta2**0.5 if self.beta3 is None else self.beta3
        rate = d * lr
        if self.bias_correction:
            rate = rate * (1 - self.beta2**t) ** 0.5 / (1 - self.beta1**t)
        m = self.beta1 * state["m"] + (1 - self.beta1) * (d * g)
        v = self.beta2 * state["v"] + (1 - self.beta2) * (d * g) ** 2
        r = beta3 * state["r"] + d / self.d0 * rate * xp.sum(g * (state["x0"] - x), axis=-1, keepdims=True)
        s = beta3 * state["s"] + d / self.d0 * rate * g
        length = xp.sum(abs(s), axis=-1, keepdims=True)
        d = xp.maximum(d, self.d_coef * r / xp.where(length > 0, length, 1.0))  # before any gradient, r is 0 too
        x = self.shrunk(x, rate) - rate * m / (v**0.5 + d * self.eps)
        return x, {"m": m, "v": v, "s": s, "x0": state["x0"], "r": r, "d": d}
