"""RMSProp: the gradient divided by a running root mean square of itself."""

from dataclasses import dataclass
from typing import ClassVar

from lrlib import checks
from lrlib.optimizers.optimizer import Optimizer, namespace, off
from lrlib.schedules.schedule import Rate


@dataclass(frozen=True, eq=False)
class RMSProp(Optimizer):
    r"""RMSProp, plain, centered and with momentum.

    .. math::
        v_t = \alpha v_{t-1} + (1 - \alpha) g_t^2 \qquad
        b_t = \mu b_{t-1} + \frac{g_t}{\sqrt{v_t} + \varepsilon} \qquad \theta_t = \theta_{t-1} - \eta_t b_t

    Parameters
    ----------
    lr : float, array or schedule
        Learning rate :math:`\eta`, per step; not negative.
    alpha : float, array or schedule
        Decay of the running averages, in [0, 1).
    eps : float, array or schedule
        :math:`\varepsilon`, in units of the gradient (of its square with `eps_in_sqrt`); not negative.
    weight_decay : float, array or schedule
        L2 penalty, added to the gradient first; not negative.
    momentum : float, array or schedule
        :math:`\mu` in [0, 1).
    centered : bool
        Divide by the root of the variance :math:`v_t - m_t^2`, where m averages the gradient as v its square.
    eps_in_sqrt : bool
        Put :math:`\varepsilon` under the root (Keras, TensorFlow 1, optax).
    initial_accumulator_value : float or array
        :math:`v_0`, in units of the squared gradient; not negative. TensorFlow 1 starts at 1.
    classic : bool
        Keep the rate inside the momentum, :math:`b_t = \mu b_{t-1} + \eta_t g_t / \dots`, and step by
        :math:`b_t` (Keras, TensorFlow 1, optax). It differs only while the rate changes.

    Raises
    ------
    TypeError
        For a value of the wrong kind, a schedule as `initial_accumulator_value` among them.
    ValueError
        For a value outside its range.

    Notes
    -----
    State: ``v``, with `centered` ``m`` and with momentum ``b``, shaped as x. Source: Tieleman & Hinton (2012), lecture
    6.5; Graves (2013) for the centered form. Equal to ``torch.optim.RMSprop``; to Keras (``alpha=0.9``,
    ``eps=1e-7``) with `eps_in_sqrt` and `classic`, and to TensorFlow 1 (``eps=1e-10``) with
    ``initial_accumulator_value=1`` too.

    Examples
    --------
    The first step is :math:`\eta / \sqrt{1 - \alpha}`, or :math:`\eta` where the average starts at the squared
    gradient:

    >>> import numpy as np
    >>> for start in (0.0, 1.0):
    ...     rule, x = RMSProp(lr=0.01, initial_accumulator_value=start), np.zeros(1)
    ...     x, state = rule.update(x, np.ones(1), rule.init(x), t=1, lr=0.01)
    ...     print(x.round(6).tolist())
    [-0.1]
    [-0.01]
    """

    not_negative: ClassVar = ("lr", "eps", "weight_decay", "initial_accumulator_value")
    below_one: ClassVar = ("alpha", "momentum")
    flag: ClassVar = ("centered", "eps_in_sqrt", "classic")

    lr: Rate = 1e-2
    alpha: Rate = 0.99
    eps: Rate = 1e-8
    weight_decay: Rate = 0.0
    momentum: Rate = 0.0
    centered: bool = False
    eps_in_sqrt: bool = False
    initial_accumulator_value: Rate = 0.0
    classic: bool = False

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("initial_accumulator_value", self.initial_accumulator_value)

    def init(self, x):
        state = {"v": 0 * x + self.initial_accumulator_value}
        if self.centered:
            state["m"] = 0 * x
        return state if off(self.momentum) else state | {"b": 0 * x}

    def update(self, x, g, state, *, t, lr):
        g = self.l2(g, x)
        v = self.alpha * state["v"] + (1 - self.alpha) * g * g
        new = {"v": v}
        if self.centered:
            m = new["m"] = self.alpha * state["m"] + (1 - self.alpha) * g
            v = namespace(v).maximum(v - m * m, 0 * v)  # rounding must not make a variance negative
        push = g / ((v + self.eps) ** 0.5 if self.eps_in_sqrt else v**0.5 + self.eps)
        if off(self.momentum):
            return x - lr * push, new
        b = new["b"] = self.momentum * state["b"] + (lr * push if self.classic else push)
        return x - (b if self.classic else lr * b), new
