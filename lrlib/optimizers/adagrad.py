"""Adagrad: a rate per coordinate that shrinks with the gradients seen so far."""

from dataclasses import dataclass
from typing import ClassVar

from lrlib import checks
from lrlib.optimizers.optimizer import Optimizer
from lrlib.schedules.schedule import Rate


@dataclass(frozen=True, eq=False)
class Adagrad(Optimizer):
    r"""Adagrad.

    .. math::
        s_t = s_{t-1} + g_t^2 \qquad
        \theta_t = \theta_{t-1} - \frac{\eta_t}{1 + (t - 1) \, \delta} \, \frac{g_t}{\sqrt{s_t} + \varepsilon}

    Parameters
    ----------
    lr : float, array or schedule
        Learning rate :math:`\eta`, per step; not negative.
    lr_decay : float, array or schedule
        :math:`\delta`, which lowers the rate further as steps go by; not negative.
    weight_decay : float, array or schedule
        L2 penalty, added to the gradient first; not negative.
    initial_accumulator_value : float or array
        :math:`s_0`, in units of the squared gradient; not negative. A positive one shortens the first steps.
    eps : float, array or schedule
        :math:`\varepsilon`, in units of the gradient (of its square with `eps_in_sqrt`); not negative. With 0, and no
        gradient yet, the step is 0/0.
    eps_in_sqrt : bool
        Divide by :math:`\sqrt{s_t + \varepsilon}` (Keras, optax).

    Raises
    ------
    TypeError
        For a value of the wrong kind, a schedule as `initial_accumulator_value` among them.
    ValueError
        For a value outside its range.

    Notes
    -----
    State: ``s``, shaped as x. Source: Duchi, Hazan & Singer (2011). Equal to ``torch.optim.Adagrad``; to Keras and
    optax with `eps_in_sqrt`, ``initial_accumulator_value=0.1`` and ``eps=1e-7``; to TensorFlow 1 with
    ``initial_accumulator_value=0.1`` and ``eps=0``.

    Examples
    --------
    >>> import numpy as np
    >>> rule, x, path = Adagrad(lr=0.1), np.zeros(1), []
    >>> state = rule.init(x)
    >>> for t in (1, 2, 3, 4):
    ...     x, state = rule.update(x, np.ones(1), state, t=t, lr=0.1)
    ...     path.append(round(float(x[0]), 4))
    >>> path  # steps of 0.1 / sqrt(t)
    [-0.1, -0.1707, -0.2284, -0.2784]
    """

    not_negative: ClassVar = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
    flag: ClassVar = ("eps_in_sqrt",)

    lr: Rate = 1e-2
    lr_decay: Rate = 0.0
    weight_decay: Rate = 0.0
    initial_accumulator_value: Rate = 0.0
    eps: Rate = 1e-10
    eps_in_sqrt: bool = False

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("initial_accumulator_value", self.initial_accumulator_value)

    def init(self, x):
        return {"s": 0 * x + self.initial_accumulator_value}

    def update(self, x, g, state, *, t, lr):
        g = self.l2(g, x)
        s = state["s"] + g * g
        root = (s + self.eps) ** 0.5 if self.eps_in_sqrt else s**0.5 + self.eps
        return x - lr / (1 + (t - 1) * self.lr_decay) * g / root, {"s": s}
