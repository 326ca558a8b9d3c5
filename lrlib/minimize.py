"""Running a rule on a problem: every lane at once, every step kept."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from lrlib import checks
from lrlib.optimizers.layerwise import by_layer
from lrlib.optimizers.optimizer import Optimizer
from lrlib.problems.problem import points

#: A run whose loss ends this many times above its start counts as diverged, even if nothing overflowed yet.
DIVERGED = 1e6

#: Elements of x (all its lanes) that one call of a rule should get: the arrays of the rule's terms then stay in cache.
BLOCK = 2**17

#: Elements of an array that is taken and given back before a run. From then on glibc keeps the memory of each step's
#: arrays for the next step; else it may return it to the system and fetch it again page by page, and a run with arrays
#: of some 100 KB takes up to three times as long.
KEPT = 2**22 - 2**16


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a run left behind. `*lanes` stands for the lane axes, if there are any.

    A lane that overflows is data: from then on its `x`, `loss` and `grad_norm` are inf.
    """

    x: np.ndarray  #: (records, \*lanes, d) parameters: the rule's evaluation point
    loss: np.ndarray  #: (records, \*lanes) loss at x, over all data
    lr: np.ndarray  #: (steps, \*lanes) rate actually used at each step
    grad_norm: np.ndarray  #: (records, \*lanes) norm of the gradient that the step from x used, unclipped
    step: np.ndarray  #: (records,) number of updates made before each record

    @property
    def diverged(self):
        """(\\*lanes) True where the loss overflowed or ended more than `DIVERGED` times above its start."""
        first, last = self.loss[0], self.loss[-1]
        return ~np.isfinite(last) | ((first > 0) & (last > DIVERGED * first))


def minimize(problem, optimizer, steps, x0=None, seed=None, every=1, clip=None, compile=False):
    """Run `optimizer` on `problem` and keep the way.

    Lanes: hyper-parameters and `x0` may have leading axes that broadcast against (d,); all their combinations run at
    once, each as if it ran alone.

    Parameters
    ----------
    problem : Problem
        What to minimize. If it has `sample`, each step sees the gradient of a fresh mini-batch.
    optimizer : Optimizer
        The rule; its hyper-parameters may be arrays (lanes) or schedules.
    steps : int
        How many updates.
    x0 : array of shape (..., d), optional
        Where to start. By default `problem.x0`, or `problem.initialize` if there is one and a seed is given.
    seed : int or sequence of int, optional
        Seed of the start and the mini-batches. A sequence makes a lane of each seed, on the last lane axis.
        None means 0.
    every : int
        Record each `every`-th step only, and the last. With 1, records = steps + 1.
    clip : function of an array (..., d), optional
        Applied to each gradient before the rule sees it: ``clip=lambda g: lrlib.clip_by_norm(g, 1.0)``.
    compile : bool
        Run all steps as one loop that JAX compiles, for a problem without mini-batches. It pays when runs are repeated:
        the same problem and `clip` (the same objects, unchanged) with the same kind of rule and as many lanes are not
        compiled again, whatever the rates and, unless something is a schedule, `steps`. Equal up to rounding.

    Returns
    -------
    Trajectory

    Raises
    ------
    TypeError
        If `optimizer` or `clip` is of another kind, `x0` does not hold numbers, or with `compile` the problem, the rule
        or `clip` does not run on JAX arrays.
    ValueError
        If `steps` or `every` is not a whole number, `x0` is not finite or shapes do not broadcast; with `compile`, if
        the problem draws mini-batches.
    ImportError
        With `compile`, if JAX is not installed.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic
    >>> run = minimize(Quadratic([1.0]), SGD(lr=np.array([[0.5], [1.0]])), steps=2)
    >>> run.x[:, :, 0].tolist()
    [[1.0, 1.0], [0.5, 0.0], [0.25, 0.0]]
    """
    steps, every = checks.whole("steps", steps, least=0), checks.whole("every", every, least=1)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an lrlib optimizer, got {optimizer!r}")
    if clip is not None and not callable(clip):
        raise TypeError(f"clip must be a function of a gradient, got {clip!r}")
    checks.flag("compile", compile)
    start, rng = begin(problem, x0, seed)
    lanes = lane_shape(optimizer, start, rng)
    records = np.array([*range(0, steps, every), steps])
    run = of_numpy
    if compile:
        from lrlib.compiled import run  # not above: JAX is an extra, and slow to load
    with np.errstate(all="ignore"):  # a lane that overflows is data
        path, slope, lrs = run(problem, optimizer, np.broadcast_to(start, lanes), records, rng, clip)
        loss = problem.loss(path)
    lost = np.logical_or.accumulate(~(np.isfinite(loss) & np.isfinite(path).all(-1)), axis=0)
    path[lost] = loss[lost] = slope[lost] = np.inf
    return Trajectory(path, loss, used(optimizer, lrs, (steps, *lanes[:-1])), slope, records)


def of_numpy(problem, optimizer, start, records, rng, clip):
    """The records of the evaluation point and of the gradient's norm, and the rate of each step."""
    x, path = empty(start.shape, start.dtype), empty((len(records), *start.shape), start.dtype, records=True)
    x[...] = start
    slope, lrs, rule = np.empty(path.shape[:-1]), [], in_parts(optimizer, problem, x.shape)
    place, steps = {step: i for i, step in enumerate(records.tolist())}, int(records[-1])

    def watch(step, x, g, state, lr):
        lrs.append(lr)
        if step in place:
            path[place[step]] = rule.evaluation_point(x, state)
            slope[place[step]] = np.sqrt((g * g).sum(-1))

    np.empty(KEPT)
    x, state = advance(problem, optimizer, rule, x, rule.init(x), rng, range(1, steps + 1), clip, watch)
    watch(steps, x, gradient(problem, x, rng), state, None)
    return path, slope, lrs[:-1]


def advance(problem, optimizer, rule, x, state, rng, updates, clip=None, watch=None):
    """x and the state after the given updates (1-based) of `optimizer`, in the form of `rule` that meets x.

    Before each update, `watch` sees how many went before it, x, the gradient, the state and the rate.
    """
    moving = any(callable(getattr(optimizer, f.name)) for f in fields(optimizer) if f.name != "lr")
    for t in updates:
        g, lr = gradient(problem, x, rng), optimizer.rate(t)
        if watch:
            watch(t - 1, x, g, state, lr)
        x, state = (rule.at(t) if moving else rule).update(x, clip(g) if clip else g, state, t=t, lr=lr)
    return x, state


def gradient(problem, x, rng):
    """The gradient at x, of a fresh mini-batch where the problem has them."""
    return (problem.sample(rng) if hasattr(problem, "sample") else problem).grad(x)


def begin(problem, x0, seed):
    """The start and the source of mini-batches: one generator, or a list with one a lane; None for one not needed."""
    many = isinstance(seed, (Sequence, np.ndarray))
    seeds = [checks.whole("seed", s, least=0) for s in (seed if many else [0 if seed is None else seed])]
    if not seeds:
        raise ValueError("seed must hold at least one number, got none")
    if x0 is not None:
        start = points("x0", x0, problem.dim, problem.x0.dtype)
    elif hasattr(problem, "initialize") and seed is not None:
        rngs = [np.random.default_rng(s) for s in seeds]
        start = problem.initialize(rngs if many else rngs[0])
    else:
        start = problem.x0
    drawn = hasattr(problem, "sample")
    # The batches have a stream apart from the start, so that x0= leaves them alone.
    noise = [np.random.default_rng(s).spawn(1)[0] if drawn else None for s in seeds]
    return start, noise if many else noise[0]


def lane_shape(optimizer, start, rng):
    """The shape that x takes when every hyper-parameter and every seed has its lane."""
    shape = np.broadcast_shapes(start.shape, (len(rng), 1)) if isinstance(rng, list) else start.shape
    for field in fields(optimizer):
        value = getattr(optimizer, field.name)
        lanes = np.shape(value(0)) if callable(value) else getattr(value, "shape", ())
        if not lanes:
            continue
        try:
            joint = np.broadcast_shapes(shape, lanes)
        except ValueError:
            joint = ()
        if joint[-1:] != start.shape[-1:] or (field.name == "lr" and lanes[-1] != 1):
            raise ValueError(
                f"{field.name} of shape {lanes} does not broadcast against x of shape {shape};"
                f" one value a lane has shape (lanes, 1)"
            )
        shape = joint
    return shape


def in_parts(optimizer, problem, shape):
    """The rule as it meets an x of this shape: layer by layer if it measures them, piece by piece if x is large."""
    width = max(1, BLOCK // int(np.prod(shape[:-1])))
    values = [getattr(optimizer, field.name) for field in fields(optimizer)]
    by_coordinate = any(np.shape(value(0) if callable(value) else value)[-1:] not in ((), (1,)) for value in values)
    if optimizer.core or by_coordinate or shape[-1] <= width:
        return by_layer(optimizer, problem)
    return Piecewise(optimizer, [slice(i, i + width) for i in range(0, shape[-1], width)])


@dataclass(frozen=True, eq=False)
class Piecewise:
    """An element-wise rule, applied to one slice of the coordinates after the other."""

    rule: Optimizer
    pieces: list[slice]

    def at(self, t):
        return Piecewise(self.rule.at(t), self.pieces)

    def init(self, x):
        return [self.rule.init(x[..., piece]) for piece in self.pieces]

    def update(self, x, g, state, *, t, lr):
        new, after = np.empty_like(x), []
        for piece, before in zip(self.pieces, state, strict=True):
            new[..., piece], now = self.rule.update(x[..., piece], g[..., piece], before, t=t, lr=lr)
            after.append(now)
        return new, after

    def evaluation_point(self, x, state):
        pairs = zip(self.pieces, state, strict=True)
        return np.concatenate([self.rule.evaluation_point(x[..., piece], now) for piece, now in pairs], -1)


def used(optimizer, lrs, shape):
    """The rates (steps, \\*lanes) that a run used: those of a schedule, or one, without memory for each step."""
    if not callable(optimizer.lr):
        return np.broadcast_to(np.asarray(by_lane(optimizer.lr), dtype=float), shape)
    rates = np.empty(shape)
    for step, lr in enumerate(lrs):
        rates[step] = by_lane(lr)
    return rates


def by_lane(lr):
    """A rate without the axis that broadcasts against the coordinates."""
    return lr if np.ndim(lr) == 0 else lr[..., 0]


def empty(shape, dtype, records=False):
    """Memory for x, or for records of it; lanes are neighbours where they outnumber the coordinates.

    NumPy's inner loops then run along the lanes, not along the few coordinates.
    """
    first = 1 if records else 0
    if np.prod(shape[first:-1]) <= shape[-1]:
        return np.empty(shape, dtype)
    return np.moveaxis(np.empty((*shape[:first], shape[-1], *shape[first:-1]), dtype), first, -1)
