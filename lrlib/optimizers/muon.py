"""Muon: momentum made orthogonal, so that every direction of a matrix moves alike."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib import checks
from lrlib.optimizers.optimizer import Optimizer, norm
from lrlib.schedules.schedule import Rate


@dataclass(frozen=True, eq=False)
class Muon(Optimizer):
    r"""Steps along the nearest orthogonal matrix to the momentum.

    .. math::
        m_t = \beta m_{t-1} + (1 - \beta) g_t, \qquad
        \theta_t = (1 - \eta_t w) \theta_{t-1} - \eta_t s \operatorname{NS}(\beta m_t + (1 - \beta) g_t)

    or :math:`\operatorname{NS}(m_t)` without `nesterov`. :math:`\operatorname{NS}(M)` takes
    :math:`X = M / (\|M\| + \varepsilon)`, with the root of the sum of squares as norm, through `ns_steps` rounds of

    .. math:: X \leftarrow a X + b (X X^\top) X + c (X X^\top)^2 X

    which keep the singular vectors of :math:`M` and bring its singular values near 1: with the default coefficients and
    steps, those above 1 % of :math:`\|M\|` into [0.68, 1.14].

    Parameters
    ----------
    lr : float, array or schedule
        Learning rate :math:`\eta`, per step: about the length of the step along each singular direction, before
        :math:`s`; not negative.
    weight_decay : float, array or schedule
        :math:`w`, decoupled: the parameters shrink by :math:`1 - \eta w`.
    momentum : float, array or schedule
        :math:`\beta` in [0, 1).
    nesterov : bool
        Look ahead.
    ns_coefficients : sequence of three numbers
        :math:`(a, b, c)`.
    eps : float, array or schedule
        :math:`\varepsilon`, in units of the gradient's norm; not negative.
    ns_steps : int
        Rounds of the iteration; at least 1.
    adjust_lr_fn : str
        :math:`s`: ``"original"`` is :math:`\sqrt{\max(1, \text{outputs} / \text{inputs})}`, ``"match_rms_adamw"`` is
        :math:`0.2 \sqrt{\max(\text{outputs}, \text{inputs})}`, with which rates tuned for AdamW carry over.
    inputs_first : bool
        The rows of x are the inputs of the layer (optax, and this library's `MLP`), not its outputs (torch).
    bias_correction : bool
        Divide :math:`m_t` by :math:`1 - \beta^{t+1}` and :math:`g_t` by :math:`1 - \beta^t` in the look-ahead (optax).

    Raises
    ------
    TypeError, ValueError
        For a value of the wrong kind or outside its range.

    Notes
    -----
    State: ``m``, shaped as x. The last two axes of x are one matrix. A vector is a matrix of one column, whose step is
    0.70 times the momentum divided by its length; Muon is meant for weights, and torch refuses vectors. Source: Jordan
    et al. (2024), a blog post. Equal to ``torch.optim.Muon`` but for the precision: torch iterates in bfloat16, this
    rule in that of x. With `inputs_first` and `bias_correction` equal to ``optax.contrib.muon``.

    Examples
    --------
    A direction with a hundredth of the gradient moves as far as the others:

    >>> import numpy as np
    >>> rule, x = Muon(lr=1.0, weight_decay=0.0), np.zeros((2, 2))
    >>> x, state = rule.update(x, np.diag([1.0, 100.0]), rule.init(x), t=1, lr=1.0)
    >>> x.round(2).tolist()
    [[-0.7, 0.0], [0.0, -0.7]]
    """

    core: ClassVar = 2
    below_one: ClassVar = ("momentum",)
    flag: ClassVar = ("nesterov", "inputs_first", "bias_correction")

    lr: Rate = 1e-3
    weight_decay: Rate = 0.1
    momentum: Rate = 0.95
    nesterov: bool = True
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315)
    eps: Rate = 1e-7
    ns_steps: int = 5
    adjust_lr_fn: str = "original"
    inputs_first: bool = False
    bias_correction: bool = False

    def __post_init__(self):
        super().__post_init__()
        checks.whole("ns_steps", self.ns_steps, least=1)
        checks.one_of("adjust_lr_fn", self.adjust_lr_fn, ("original", "match_rms_adamw"))
        numbers = checks.sequence("ns_coefficients", self.ns_coefficients, coefficient)
        if len(numbers) != 3:
            raise ValueError(f"ns_coefficients must be three numbers, got {len(numbers)}")
        object.__setattr__(self, "ns_coefficients", numbers)

    def init(self, x):
        return {"m": 0 * x}

    def update(self, x, g, state, *, t, lr):
        m = self.momentum * state["m"] + (1 - self.momentum) * g
        c1, c2 = (1 - self.momentum**t, 1 - self.momentum ** (t + 1)) if self.bias_correction else (1, 1)
        ahead = self.momentum * m / c2 + (1 - self.momentum) * g / c1 if self.nesterov else m
        return self.shrunk(x, lr) - lr * self.scale(x.shape) * self.orthogonal(ahead), {"m": m}

    def orthogonal(self, x):
        """`ns_steps` rounds of the Newton-Schulz iteration on each matrix."""
        tall = x.shape[-2] > x.shape[-1]  # the smaller of the two products is the cheaper one
        a, b, c = self.ns_coefficients
        x = x / (norm(x, core=2) + self.eps)
        x = x.mT if tall else x
        for _ in range(self.ns_steps):
            square = x @ x.mT
            x = a * x + (b * square + c * square @ square) @ x
        return x.mT if tall else x

    def scale(self, shape):
        """The factor of the step that belongs to a matrix of this shape."""
        inputs, outputs = shape[-2:] if self.inputs_first else (shape[-1], shape[-2])
        if self.adjust_lr_fn == "match_rms_adamw":
            return 0.2 * max(inputs, outputs) ** 0.5
        return max(1, outputs / inputs) ** 0.5


def coefficient(name, value):
    """A finite number, of either sign."""
    return float(checks.check(name, value, "be finite", np.isfinite))
