"""(c) Adam on one large x with `minimize`, against torch's foreach Adam: same gradients, float64, one thread.

The time is that of the whole run, `minimize`'s records of the start and the end included; once on NumPy arrays and once
with ``compile=True``, already compiled. The faster of the two has the target.
"""

import numpy as np
import torch

from benchmarks.measuring import Row, peak, seconds
from lrlib import Adam, Quadratic, minimize

STEPS = 50
SIZES = (1_000_000, 10_000_000)


def bowl(size):
    """Curvatures from 1 to 10, and a start that differs in each coordinate."""
    return Quadratic(np.linspace(1, 10, size), x0=np.random.default_rng(0).uniform(-1, 1, size))


def by_lrlib(problem, steps, compile=False):
    """The final loss by `minimize`."""
    return minimize(problem, Adam(1e-3), steps, every=steps, compile=compile).loss[-1]


def by_torch(problem, steps):
    """The final loss by torch.optim."""
    x, curvature = torch.tensor(problem.x0), torch.from_numpy(problem.curvature)
    optimizer = torch.optim.Adam([x], lr=1e-3, foreach=True)
    with torch.no_grad():
        for _ in range(steps):
            x.grad = curvature * x
            optimizer.step()
        return 0.5 * float((curvature * x * x).sum())


def size_rows(size, steps=STEPS, repeats=3):
    problem = bowl(size)
    by_torch(problem, 2)
    by_lrlib(problem, steps, compile=True)
    ways = {"NumPy": lambda: by_lrlib(problem, steps), "compiled": lambda: by_lrlib(problem, steps, compile=True)}
    times, losses = seconds([*ways.values(), lambda: by_torch(problem, steps)], repeats)
    for loss in losses[:-1]:
        np.testing.assert_allclose(loss, losses[-1], rtol=1e-9, err_msg="the two sides do not compute the same")
    *ours, theirs = (time / steps for time in times)
    for way, time in zip(ways, ours, strict=True):
        target = 1.0 if time == min(ours) else None
        yield Row(f"Adam, {size:,} parameters, {way}, against torch's foreach", time, theirs, target)


def rows():
    """Seconds a step."""
    torch.set_num_threads(1)
    for size in SIZES:
        yield from size_rows(size)


def run_lrlib(size, steps, compile=False):
    return by_lrlib(bowl(size), steps, compile)


def run_torch(size, steps):
    torch.set_num_threads(1)
    return by_torch(bowl(size), steps)


def peaks():
    """Peak memory as (what, ours, theirs), in MiB; the problem itself, 24 bytes a parameter, is in both."""
    for size in SIZES:
        theirs = peak(run_torch, (10, 2), (size, 5))
        for way, compile in (("NumPy", False), ("compiling", True)):
            what = f"Adam, {size:,} parameters, {way}, against torch's foreach"
            yield what, peak(run_lrlib, (10, 2, compile), (size, 5, compile)), theirs
