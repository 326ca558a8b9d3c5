"""(a) A sweep of many rates as lanes, against one run after another with torch.optim, and against JAX with optax.

lrlib has two ways: on NumPy arrays, and with ``compile=True``. A row says which one was taken. Their targets are those
of what each is for: NumPy for one sweep, against JAX with its compilation; the compiled way for sweeps that are
repeated, against JAX once compiled. Against torch's loop the faster of the two has the target.

All sides compute the same gradients from the same formulas in float64 on one thread, see the same mini-batches and end
at the same losses, which is checked. torch's loop is given its gradients by hand too, without autograd. It runs for
20 of the rates only, evenly spread, and its time is scaled to all of them. SGD is measured for information.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from benchmarks.measuring import Row, peak, seconds
from lrlib import MLP, SGD, Adam, Quadratic, sweep

#: Rates for which torch's loop runs.
LOOPED = 20
STEPS = 500
RULES = {"Adam": (Adam(), torch.optim.Adam, optax.adam), "SGD": (SGD(), torch.optim.SGD, optax.sgd)}

#: Least ratio of the loop's time to that of the lanes, by number of rates.
TARGETS = {50: 200, 1_000: 2_000, 10_000: 2_000}
DIGITS_TARGET = 4


def rates(count):
    return np.logspace(-3, -1, count)


def curvatures(dim):
    return np.linspace(1, 10, dim)


def lanes(rule, dim, steps, compile=False):
    """A function of the rates that gives their final losses on the quadratic, by lrlib."""
    problem = Quadratic(curvatures(dim))  # one, so that what is compiled for it is found again
    return lambda values: sweep(problem, RULES[rule][0], lr=values, steps=steps, compile=compile).loss[:, 0]


def as_loop(rule, dim, some, steps):
    """The final losses of some rates on the quadratic, by torch."""
    curvature, losses = torch.tensor(curvatures(dim)), []
    with torch.no_grad():
        for rate in some:
            x = torch.ones(dim, dtype=torch.float64)
            optimizer = RULES[rule][1]([x], lr=float(rate))
            for _ in range(steps):
                x.grad = curvature * x
                optimizer.step()
            losses.append(0.5 * float((curvature * x * x).sum()))
    return losses


def compiled(rule, dim, steps):
    """A function of the rates that gives their final losses on the quadratic, by JAX; compiled at its first call."""

    def run(rate):
        curvature, optimizer, x = jnp.array(curvatures(dim)), RULES[rule][2](rate), jnp.ones(dim)

        def step(carry, _):
            x, state = carry
            change, state = optimizer.update(curvature * x, state, x)
            return (optax.apply_updates(x, change), state), None

        (x, _), _ = jax.lax.scan(step, (x, optimizer.init(x)), length=steps)
        return 0.5 * (curvature * x * x).sum()

    together = jax.jit(jax.vmap(run))

    def losses(values):
        with jax.enable_x64(True):
            return np.asarray(together(values))

    return losses


def digits_lanes(rule, count, steps):
    """The final losses of all rates on the digits network, by lrlib."""
    return sweep(MLP(), RULES[rule][0], lr=rates(count), steps=steps).loss[:, 0]


def digits_loop(rule, some, steps):
    """The final losses of some rates on the digits network, by torch, back-propagation written out."""
    net, losses = MLP(), []
    noise = np.random.default_rng(0).spawn(1)[0]
    batches = [net.sample(noise) for _ in range(steps)]
    batches = [(torch.tensor(b.images), torch.tensor(b.labels)) for b in batches]
    start = net.initialize(np.random.default_rng(0))
    with torch.no_grad():
        for rate in some:
            parts = [torch.tensor(array.copy()) for layer in net.layers(start) for array in layer]
            optimizer = RULES[rule][1](parts, lr=float(rate))
            weights, biases, out_weights, out_biases = parts
            for images, labels in batches:
                hidden = torch.tanh(images @ weights + biases)
                error = (torch.softmax(hidden @ out_weights + out_biases, -1) - labels) / len(labels)
                back = (error @ out_weights.T) * (1 - hidden * hidden)
                weights.grad, biases.grad = images.T @ back, back.sum(0)
                out_weights.grad, out_biases.grad = hidden.T @ error, error.sum(0)
                optimizer.step()
            losses.append(float(net.loss(np.concatenate([part.numpy().ravel() for part in parts]))))
    return losses


def quadratic_rows(rule, dim, count, steps=STEPS, repeats=5):
    """Both ways of lrlib against torch's loop, and against JAX with and without its compilation."""
    looped = np.linspace(0, count - 1, min(LOOPED, count)).round().astype(int)
    some, values = rates(count)[looped], rates(count)
    as_loop(rule, dim, some[:1], 2)
    plain, fast, other = lanes(rule, dim, steps), lanes(rule, dim, steps, compile=True), compiled(rule, dim, steps)
    (our_first, their_first), _ = seconds([partial(fast, values), partial(other, values)], 1)
    ways, results = seconds([partial(run, values) for run in (plain, fast, other)], repeats, least=0.05)
    (looping,), (loop,) = seconds([lambda: as_loop(rule, dim, some, steps)], repeats)
    ours, theirs = dict(zip(("NumPy", "compiled"), ways, strict=False)), ways[-1]
    looping *= count / len(some)
    agree(results[0][looped], loop)
    for losses in results[1:]:
        agree(results[0], losses)
    aimed, what, best = rule == "Adam", f"{rule}, {count:,} rates, {dim}-D", min(ours, key=ours.get)
    for way, time in ours.items():
        target = TARGETS.get(count) if aimed and way == best else None
        yield Row(f"{what}, {way}, against torch's loop", time, looping, target)
    yield Row(f"{what}, NumPy, against JAX, compiling", ours["NumPy"], their_first, 1 if aimed else None)
    yield Row(f"{what}, compiling, against JAX, compiling", our_first, their_first)
    yield Row(f"{what}, NumPy, against JAX, compiled", ours["NumPy"], theirs)
    yield Row(f"{what}, compiled, against JAX, compiled", ours["compiled"], theirs, 1 / 3 if aimed else None)


def digits_rows(rule, count=50, steps=300, repeats=3):
    """The lanes against the loop on the digits network."""
    looped = np.linspace(0, count - 1, min(LOOPED, count)).round().astype(int)
    digits_loop(rule, rates(count)[:1], 2)
    times, (ours, loop) = seconds(
        [lambda: digits_lanes(rule, count, steps), lambda: digits_loop(rule, rates(count)[looped], steps)], repeats
    )
    agree(ours[looped], loop)
    what = f"{rule}, {count:,} rates, digits network, NumPy, against torch's loop"
    yield Row(what, times[0], times[1] * count / len(looped), DIGITS_TARGET if rule == "Adam" else None)


def agree(ours, theirs):
    """Stop unless both sides ended at the same losses; rounding grows where Adam circles a minimum."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, err_msg="the two sides do not compute the same")


def rows():
    torch.set_num_threads(1)
    for rule in RULES:
        for dim in (2, 10):
            for count in TARGETS:
                yield from quadratic_rows(rule, dim, count)
        yield from digits_rows(rule)


def run_lanes(rule, dim, count, steps, compile=False):
    return lanes(rule, dim, steps, compile)(rates(count))


def run_compiled(rule, dim, count, steps):
    return compiled(rule, dim, steps)(rates(count))


def run_loop(rule, dim, count, steps):
    return as_loop(rule, dim, rates(count)[:LOOPED], steps)


def peaks():
    """Peak memory as (what, ours, theirs), in MiB."""
    small, large = ("Adam", 10, 2, 2), ("Adam", 10, 10_000, STEPS)
    ours, loop, jax_peak = (peak(run, small, large) for run in (run_lanes, run_loop, run_compiled))
    fast = peak(run_lanes, (*small, True), (*large, True))
    for way, mib in (("NumPy", ours), ("compiling", fast)):
        yield f"Adam, 10,000 rates, 10-D, {way}, against torch's loop", mib, loop
        yield f"Adam, 10,000 rates, 10-D, {way}, against JAX, compiling", mib, jax_peak
    small, large = ("Adam", 1, 2), ("Adam", 50, 300)
    ours = peak(digits_lanes, small, large)
    theirs = peak(digits_loop, ("Adam", rates(1), 2), ("Adam", rates(50)[:LOOPED], 300))
    yield "Adam, 50 rates, digits network, NumPy, against torch's loop", ours, theirs
