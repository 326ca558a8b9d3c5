"""The same rules as a `torch.optim.Optimizer`."""

from dataclasses import fields, replace

import torch

from lrlib.optimizers import Optimizer as Rule


class Optimizer(torch.optim.Optimizer):
    """Any `lrlib` rule on torch parameters.

    A real torch optimizer: parameter groups (every hyper-parameter of the rule may differ by group), torch's
    schedulers on ``lr``, closures, `GradScaler`, and a `state_dict` from which a run resumes bit for bit. Parameters
    are updated in place; their storage is never replaced, so tied weights and `model.to` go on working. A parameter
    without a gradient is skipped, and its step count with it.

    A rule whose ``lr`` is a schedule sets the rate itself: step t of a parameter group uses the schedule at t - 1.

    Parameters
    ----------
    params : iterable of torch.Tensor, or of dicts
        Parameters or parameter groups, as in torch.
    rule : lrlib.Optimizer
        For example ``Adam(lr=3e-4)``. Its hyper-parameters are numbers or schedules.
    compile : bool
        Fuse the step with `torch.compile`.

    Raises
    ------
    TypeError
        If `rule` is not an `lrlib` rule.

    Examples
    --------
    >>> from lrlib import Adam
    >>> layer = torch.nn.Linear(2, 1)
    >>> optimizer = Optimizer(layer.parameters(), Adam(lr=3e-4))
    >>> layer(torch.ones(1, 2)).sum().backward()
    >>> optimizer.step()
    """

    def __init__(self, params, rule, compile=False):
        if not isinstance(rule, Rule):
            raise TypeError(f"rule must be an lrlib optimizer, got {rule!r}")
        self.rule = rule
        self.update = torch.compile(updated, dynamic=False) if compile else updated
        self.number = scalar if compile else float
        values = {f.name: getattr(rule, f.name) for f in fields(rule) if not callable(getattr(rule, f.name))}
        super().__init__(params, values | {"lr": rule.rate(1), "t": 0})

    def rule_of(self, group, t):
        """The rule with the hyper-parameters of one parameter group at update `t`."""
        names = [f.name for f in fields(self.rule) if f.name != "lr" and f.name in group]
        changed = {name: group[name] for name in names if group[name] is not getattr(self.rule, name)}
        return replace(self.rule, **changed).at(t) if changed else self.rule.at(t)

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter that has a gradient; gives back the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            group["t"] += 1
            if callable(self.rule.lr):
                group["lr"] = self.rule.rate(group["t"])
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.step_one(parameter, group)
        return loss

    def step_one(self, parameter, group):
        """One update of one parameter, all of whose axes are the rule's core."""
        state = self.state[parameter]
        t = state.get("t", 0) + 1
        rule = self.rule_of(group, t)
        x, g = as_core(parameter, rule.core), as_core(parameter.grad, rule.core)
        arrays = {name: as_core(value.to(x), rule.core) for name, value in state.items() if name != "t"}
        x, arrays = self.update(rule, x, g, arrays or rule.init(x), self.number(t), self.number(group["lr"]))
        parameter.copy_(x.view_as(parameter))
        state.update({name: value.view_as(parameter) for name, value in arrays.items()}, t=t)


def updated(rule, x, g, arrays, t, lr):
    return rule.update(x, g, arrays, t=t, lr=lr)


def scalar(value):
    """A number as a tensor without axes: a compiled step takes a new one without being compiled again."""
    return torch.as_tensor(value, dtype=torch.float64)


def as_core(tensor, core):
    """The tensor as one parameter of a rule: as it is, or with all axes in one vector or matrix."""
    if core == 0:
        return tensor.detach()
    return tensor.detach().reshape(-1) if core == 1 else tensor.detach().reshape(len(tensor) if tensor.ndim else 1, -1)
