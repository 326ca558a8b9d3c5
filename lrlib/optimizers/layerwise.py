"""A rule with norms or matrices on a vector that is made of layers."""

from dataclasses import dataclass, fields, replace

import numpy as np

from lrlib.optimizers.optimizer import Optimizer


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
        The layers of x, as in `Problem.blocks`.
    """

    rule: Optimizer
    blocks: tuple

    def at(self, t):
        return Layerwise(self.rule.at(t), self.blocks)

    def init(self, x):
        return [self.rule.init(part) for part in self.split(x)]

    def update(self, x, g, state, *, t, lr):
        arrays = {f.name: self.widen(getattr(self.rule, f.name)) for f in fields(self.rule) if f.name != "lr"}
        rule, new, new_state = replace(self.rule, **arrays), np.empty_like(x), []
        for (part, _), *layer in zip(self.blocks, self.split(x), self.split(g), state, strict=True):
            moved, after = rule.update(*layer, t=t, lr=self.widen(lr))
            new[..., part] = moved.reshape(*x.shape[:-1], part.stop - part.start)
            new_state.append(after)
        return new, new_state

    def split(self, x):
        """The layers of x, each with `core` axes after the lanes."""
        shapes = [(*shape, 1)[:2] if self.rule.core == 2 else (part.stop - part.start,) for part, shape in self.blocks]
        return [
            x[..., part].reshape(*x.shape[:-1], *shape) for (part, _), shape in zip(self.blocks, shapes, strict=True)
        ]

    def widen(self, value):
        """Lanes that broadcast against a vector, made to broadcast against the core."""
        return value[..., None] if np.ndim(value) and self.rule.core == 2 else value
