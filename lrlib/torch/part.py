"""What one call of a rule moves: a tensor where it lies, or many small ones gathered in a vector."""

from math import prod

import torch

SMALL = 2**14  # elements; smaller tensors of an element-wise rule are moved together
BLOCK = 2**17  # elements; longer vectors are moved in pieces, so that what the rule computes with stays in the cache


def moved(rule, x, g, state, t, lr):
    """One update, in place."""
    new, values = rule.update(x, g, state, t=t, lr=lr)
    for name, value in values.items():
        state[name].copy_(value)
    x.copy_(new)


def parted(params, rule, state):
    """The parameters of one group that have a gradient, divided into what is moved together.

    An element-wise rule moves small tensors of one dtype, device and step count together.
    """
    lots = {}
    for parameter in params:
        gradient = parameter.grad
        if gradient is None or not parameter.numel():
            continue
        if gradient.layout is not torch.strided:
            raise TypeError(f"gradients must be dense, got {gradient.layout} for a parameter of shape {gradient.shape}")
        lot = id(parameter)
        if rule.whole:
            lot = "whole"
        elif rule.core == 0 and parameter.numel() < SMALL:
            lot = parameter.dtype, parameter.device, state[parameter].get("t", 0)
        lots.setdefault(lot, []).append(parameter)
    return list(lots.values())


class Part:
    """Parameters that one call of the rule's `update` moves.

    A single contiguous tensor is moved where it lies. All others are copied into a vector (or one non-contiguous
    tensor into a matrix) for the step, and back. The state is kept in the shape in which the rule sees it.

    Parameters
    ----------
    rule : lrlib.Optimizer
    params : list of torch.Tensor
        Of one dtype and device; more than one for an element-wise rule, or one that is `whole`.
    entries : list of dict
        What the optimizer's state holds for each of them. It takes part in the state from here on: what is shaped as
        x as a view in the parameter's shape, anything else as it is, for each parameter the same tensor.
    compiled : bool
        Do not cut into blocks, and let the lengths of vectors be powers of two, so that few of them are compiled.
    """

    def __init__(self, rule, params, entries, compiled):
        if len({(p.dtype, p.device) for p in params}) > 1:
            kinds = ", ".join(sorted({f"{p.dtype} on {p.device}" for p in params}))
            raise ValueError(f"{type(rule).__name__} measures a group's parameters together: one kind, got {kinds}")
        self.params, self.entries = params, entries
        self.t = max(entry.get("t", 0) for entry in entries)
        shape = core_shape(params, rule, compiled)
        self.gathered = len(params) > 1 or prod(shape) > params[0].numel() or not params[0].is_contiguous()
        if self.gathered:
            self.x, self.g = params[0].new_zeros(shape), params[0].new_zeros(shape)
            self.places = self.shares(self.x) + self.shares(self.g)
            torch._foreach_copy_(self.places[: len(params)], params)
        else:
            self.x = params[0].detach().view(shape)
        self.state = {name: self.kept(name, value) for name, value in rule.init(self.x).items()}
        in_blocks = rule.core == 0 and not rule.whole and not compiled
        self.block = BLOCK if in_blocks else len(self.x)
        columns = [value.split(self.block) for value in (self.x, *self.state.values())] if in_blocks else None
        rows = zip(*columns, strict=True) if columns else [(self.x, *self.state.values())]
        self.pieces = [(x, dict(zip(self.state, values, strict=True))) for x, *values in rows]

    def shares(self, tensor):
        """Each parameter's share of a tensor shaped as x, in the parameter's shape."""
        sizes = [p.numel() for p in self.params]
        shares = tensor.view(-1)[: sum(sizes)].split(sizes)
        return [share.view(p.shape) for share, p in zip(shares, self.params, strict=True)]

    def kept(self, name, value):
        """A tensor of the rule's state, with what the parameters have of it already."""
        value = value.clone()  # a rule may begin with x itself
        shares = self.shares(value) if value.shape == self.x.shape else [value] * len(self.params)
        for share, entry in zip(shares, self.entries, strict=True):
            if name in entry:
                if entry[name].shape != share.shape:
                    raise ValueError(f"{name} must have the shape {tuple(share.shape)}, got {tuple(entry[name].shape)}")
                share.copy_(entry[name])
            entry[name] = share
        return value

    def step(self, update, lr):
        """Move by ``update(x, g, state, t, lr)``, which works in place."""
        if self.gathered:
            torch._foreach_copy_(self.places, self.params + [p.grad for p in self.params])
            g = self.g
        else:
            g = self.params[0].grad.reshape(self.x.shape).contiguous()  # as a compiled loop takes it for granted
        self.t += 1
        slopes = g.split(self.block) if len(self.pieces) > 1 else (g,)
        for (x, state), slope in zip(self.pieces, slopes, strict=True):
            update(x, slope, state, self.t, lr)
        if self.gathered:
            torch._foreach_copy_(self.params, self.places[: len(self.params)])
        for entry in self.entries:
            entry["t"] = self.t


def core_shape(params, rule, compiled):
    """The shape in which a rule sees parameters: a vector, or a matrix of one column for a vector."""
    size = sum(p.numel() for p in params)
    if rule.core == 2:
        rows = len(params[0]) if params[0].ndim else 1
        return rows, size // rows
    if compiled and rule.core == 0 and not rule.whole and size < SMALL * 4 and len(params) > 1:
        return (1 << (size - 1).bit_length(),)
    return (size,)
