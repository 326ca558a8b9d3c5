"""What every update rule shares: its rate, its weight decay, its arrays."""

import sys
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np

from lrlib import checks


def namespace(x):
    """The module that holds sign, where and maximum for an array: numpy, jax.numpy or torch."""
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    return sys.modules["torch"] if type(x).__module__.startswith("torch") else np


def off(value):
    """True for the plain number 0, with which a rule leaves a term out. An array is never off: its lanes may differ."""
    return isinstance(value, (int, float)) and value == 0


@dataclass(frozen=True, eq=False)
class Optimizer:
    """A pure update rule.

    A subclass is a frozen dataclass of hyper-parameters with two methods::

        init(x) -> state                                    # a dict of arrays, named as in the rule's chapter
        update(x, g, state, *, t, lr) -> (new x, new state) # t = 1, 2, ...

    Neither changes its inputs. `x` and `g` may be NumPy arrays, JAX arrays or torch tensors; the rule is written with
    operators, and with the functions of `namespace(x)` where operators do not reach.

    **Lanes.** A hyper-parameter may be an array that broadcasts against x: with x of shape (lanes, d) and lr of shape
    (lanes, 1), one call runs all lanes at once.

    **Core.** `core` says how many trailing axes of x make one parameter; the axes before them are lanes. It is 0 for
    element-wise rules, 1 for rules that take the norm of a vector, 2 for rules that treat x as a matrix. A rule
    reduces over its core axes only, and a vector that meets a rule with core 2 is a matrix of one column.

    Any hyper-parameter may be a schedule (a function of the 0-based step). `lr` reaches `update` as an argument; the
    others are fixed for one update by `at(t)`.
    """

    core: ClassVar[int] = 0
    not_negative: ClassVar[tuple[str, ...]] = ("lr", "weight_decay", "eps")
    below_one: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        for field in fields(self):
            for rule in ("not_negative", "below_one"):
                if field.name in getattr(self, rule):
                    value = getattr(checks, rule)(field.name, getattr(self, field.name))
                    object.__setattr__(self, field.name, value)

    def init(self, x):
        """The state before the first update, for parameters like `x`."""
        raise NotImplementedError

    def update(self, x, g, state, *, t, lr):
        """The parameters and the state after update `t` (1-based) with gradient `g` and rate `lr`."""
        raise NotImplementedError

    def rate(self, t):
        """The rate of update `t` (1-based): `lr` itself, or the schedule's value at step t - 1."""
        return self.lr(t - 1) if callable(self.lr) else self.lr

    def at(self, t):
        """This rule for update `t`: every hyper-parameter but `lr` that is a schedule takes its value at step t - 1."""
        names = [f.name for f in fields(self) if f.name != "lr" and callable(getattr(self, f.name))]
        return replace(self, **{name: getattr(self, name)(t - 1) for name in names}) if names else self

    def l2(self, g, x):
        """The gradient with an L2 penalty's share."""
        return g if off(self.weight_decay) else g + self.weight_decay * x
