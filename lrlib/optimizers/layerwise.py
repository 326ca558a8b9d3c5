"""A rule with norms or matrices on a vector that is made of layers."""

from dataclasses import dataclass, fields, replace

import numpy as np

from lrlib.optimizers.optimizer import Optimizer, namespace


def by_layer(rule, problem):
    """`rule` for the vector x of `problem`, which is one layer if the problem names none."""
    blocks = problem.blocks or ((slice(0, problem.dim), (problem.dim,)),)
    return Layerwise(rule, blocks) if rule.core and not rule.whole else rule


@dataclass(frozen=True, eq=False)
class Layerwise:
    """`rule` applied to each layer of a flat x by itself.

    A rule with core 1 sees each layer as a vector, a rule with core 2 as a matrix (biases as one column). The lane
    axes of x, of the rate and of the hyper-parameters stay in front.

    Parameters
    ----------
    rule : Optimizer
        A rule whose `core` is 1 or 2.
    blocks : sequence of (slice, shape)
        The layers of x in their order, as in `Problem.blocks`.
    """

    rule: Optimizer
    blocks: tuple

    def at(self, t):
        return Layerwise(self.rule.at(t), self.blocks)

    def init(self, x):
        return [self.rule.init(part) for part in self.split(x)]

    def update(self, x, g, state, *, t, lr):
        arrays = {f.name: self.widen(getattr(self.rule, f.name)) for f in fields(self.rule) if f.name != "lr"}
        rule, layers = replace(self.rule, **arrays), zip(self.split(x), self.split(g), state, strict=True)
        moved = [rule.update(*layer, t=t, lr=self.widen(lr)) for layer in layers]
        return self.joined(x, [part for part, _ in moved]), [after for _, after in moved]

    def evaluation_point(self, x, state):
        parts = [self.rule.evaluation_point(*layer) for layer in zip(self.split(x), state, strict=True)]
        return self.joined(x, parts)

    def joined(self, x, parts):
        """The layers as one vector again, shaped as x."""
        flat = [part.reshape(*x.shape[:-1], -1) for part in parts]
        return namespace(x).concatenate(flat, axis=-1).astype(x.dtype, copy=False)

    def split(self, x):
        """The layers of x, each with `core` axes after the lanes."""
        shapes = [(*shape, 1)[:2] if self.rule.core == 2 else (part.stop - part.start,) for part, shape in self.blocks]
        return [
            x[..., part].reshape(*x.shape[:-1], *shape) for (part, _), shape in zip(self.blocks, shapes, strict=True)
        ]

    def widen(self, value):
        """Lanes that broadcast against a vector, made to broadcast against the core."""
        lanes = np.ndim(value) and not isinstance(value, tuple)
        return value[..., None] if lanes and self.rule.core == 2 else value
