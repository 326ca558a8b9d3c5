"""A whole run as one compiled loop, by JAX: what ``minimize(..., compile=True)`` does."""

from dataclasses import fields
from functools import lru_cache

import numpy as np

from lrlib.optimizers.layerwise import by_layer

try:
    import jax
    import jax.numpy as jnp
    from jax.experimental.layout import Layout, with_layout_constraint
except ImportError as error:
    raise ImportError('compile=True needs JAX: pip install "lrlib[jax]"') from error

#: Compiled loops that are kept for later runs; the one that was not used for longest goes first.
LOOPS = 32


def run(problem, optimizer, x, records, rng, clip):
    """The records of the evaluation point and of the gradient's norm, and the rate of each step if it is scheduled.

    `records` holds the numbers of updates before each record, ascending from 0. A loop is compiled once for a problem,
    a kind of rule with its plain numbers but for the rate, and a `clip`: all of these it keeps. Rates, arrays of
    hyper-parameters and what schedules say are its inputs, and so is the start.

    Raises
    ------
    TypeError
        If the gradient, the rule or `clip` does not run on JAX arrays.
    ValueError
        If the problem draws mini-batches.
    """
    if hasattr(problem, "sample") and problem.sample(rng) is not problem:
        raise ValueError(f"compile must be False for mini-batches, and {type(problem).__name__} draws them")
    values = {field.name: getattr(optimizer, field.name) for field in fields(optimizer)}
    steps = range(max(1, int(records[-1])))
    moving = {k: np.array([v(t) for t in steps], x.dtype) for k, v in values.items() if callable(v)}
    arrays = {k: v for k, v in values.items() if k not in moving and (k == "lr" or hasattr(v, "shape"))}
    numbers = tuple((k, v) for k, v in values.items() if k not in moving and k not in arrays)
    arrays = {k: np.asarray(v, x.dtype) for k, v in arrays.items()}
    try:
        with jax.enable_x64(True):
            path, slope = loop(problem, type(optimizer), numbers, clip)(x, records, arrays, moving)
            return np.array(path), np.array(slope), moving.get("lr", ())[: records[-1]]
    except TypeError as error:  # all that JAX raises where it meets NumPy's functions, an `if` or an assignment
        names = f"{type(problem).__name__}, {type(optimizer).__name__}" + (" and clip" if clip else "")
        raise TypeError(f"compile needs what runs on JAX arrays, got {names}: {error}") from error


@lru_cache(LOOPS)
def loop(problem, kind, numbers, clip):
    """The compiled loop of a problem (which it takes as unchanging) and a kind of rule with some of its numbers."""

    def run(x, records, arrays, moving):
        def rule(i):
            return kind(**dict(numbers), **arrays, **{name: values[i] for name, values in moving.items()})

        def step(i, carry):
            (x, state), now = carry, rule(i)
            g = problem.grad(x)
            return by_layer(now, problem).update(x, clip(g) if clip else g, state, t=i + 1, lr=now.lr)

        def settled(new, old):
            new = new.astype(old.dtype)
            return with_layout_constraint(new, layout) if new.shape == x.shape else new

        def seen(carry):
            g = problem.grad(carry[0])
            return first.evaluation_point(*carry), jnp.sqrt((g * g).sum(-1))

        def stretch(carry, between):
            end = jax.lax.fori_loop(*between, lambda i, now: jax.tree.map(settled, step(i, now), now), carry)
            return end, seen(carry)

        # Lanes are neighbours in memory where they outnumber the coordinates: XLA's inner loops then run along them.
        axes = tuple(range(x.ndim))
        layout = Layout(axes if x.size <= x.shape[-1] ** 2 else (axes[-1], *axes[:-1]))
        first = by_layer(rule(0), problem)
        # The state begins in the shape that it takes once all lanes have moved it.
        state = first.init(x)
        moved = jax.eval_shape(step, 0, (x, state))[1]
        state = jax.tree.map(lambda now, then: jnp.broadcast_to(now, then.shape).astype(then.dtype), state, moved)
        end, before = jax.lax.scan(stretch, (x, state), (records[:-1], records[1:]))
        return jax.tree.map(lambda rows, row: jnp.concatenate([rows, row[None]]), before, seen(end))

    return jax.jit(run)
