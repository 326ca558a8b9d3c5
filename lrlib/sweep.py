"""Many hyper-parameters and many seeds in one batched run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from lrlib import checks
from lrlib.minimize import BLOCK, minimize
from lrlib.problems.problem import numbers


@dataclass(frozen=True, eq=False)
class Sweep:
    """Where each combination ended. The axes are those of `grid`, in its order, then the seeds."""

    grid: dict[str, np.ndarray]  #: name of the hyper-parameter -> its values
    seeds: tuple[int, ...]
    loss: np.ndarray  #: (\*grid, seeds) loss at the end, over all data; inf where the lane overflowed
    x: np.ndarray  #: (\*grid, seeds, d) parameters at the end
    diverged: np.ndarray  #: (\*grid, seeds) as `Trajectory.diverged`

    @classmethod
    def of_record(cls, record, label=None):
        """Read a sweep over the learning rate from a record, so that its best rate and its basin can be asked for.

        Parameters
        ----------
        record : Mapping
            With the rates (n,) as "rates" or "lr", in any order, and the final losses (n,) or (n, seeds) as "loss".
            A loss that is None or not finite is a run that diverged.
        label : str, optional
            Which losses, where record["loss"] is a dict of these.

        Returns
        -------
        Sweep
            With ascending rates and, since records do not keep them, no parameters: `x` has no coordinates.

        Raises
        ------
        ValueError
            If rates or losses are missing, do not fit each other, or a rate is not positive.

        Examples
        --------
        >>> record = {"rates": [0.1, 0.2, 0.4, 0.8], "loss": {"SGD": [3.0, 1.5, 1.0, None]}}
        >>> Sweep.of_record(record, "SGD").basin()
        (0.2, 0.4)
        """
        rates, loss = record.get("rates", record.get("lr")), record.get("loss")
        if rates is None or loss is None:
            raise ValueError(f"record must have rates (or lr) and loss, got {', '.join(record) or 'nothing'}")
        if isinstance(loss, Mapping):
            if label not in loss:
                raise ValueError(f"label must be one of {', '.join(loss)}, got {label!r}")
            loss = loss[label]
        rates, loss = np.asarray(rates, dtype=float), np.asarray(loss, dtype=float)  # None becomes nan
        if rates.ndim != 1 or loss.ndim not in (1, 2) or len(loss) != len(rates):
            raise ValueError(f"record must have rates (n,) and losses (n, seeds), got {rates.shape} and {loss.shape}")
        if not (np.isfinite(rates) & (rates > 0)).all():
            raise ValueError(f"record must have positive rates, got {rates.min():g}")
        order = np.argsort(rates, kind="stable")
        loss = np.where(np.isfinite(loss), loss, np.inf).reshape(len(rates), -1)[order]
        return cls({"lr": rates[order]}, tuple(range(loss.shape[1])), loss, np.empty((*loss.shape, 0)), np.isinf(loss))

    @property
    def median(self):
        """(\\*grid) Median of the final loss over the seeds."""
        return np.median(self.loss, axis=-1)

    @property
    def best(self):
        """The grid point with the lowest median loss, as name -> value."""
        index = np.unravel_index(np.argmin(self.median), self.median.shape)
        return {name: float(values[i]) for (name, values), i in zip(self.grid.items(), index, strict=True)}

    def basin(self, factor=2.0):
        """Lowest and highest rate, in one run of grid points around the best, whose median loss is near the best.

        Parameters
        ----------
        factor : float
            "Near" means at most this many times the best median loss.

        Returns
        -------
        low, high : float

        Raises
        ------
        ValueError
            If the grid has more than one axis, `factor` is below 1 or a median loss is negative.
        """
        if len(self.grid) != 1:
            raise ValueError(f"basin needs a grid of one axis, got {list(self.grid)}")
        if not factor >= 1:
            raise ValueError(f"factor must be at least 1, got {factor:g}")
        (values,), median = self.grid.values(), self.median
        if median.min() < 0:
            raise ValueError(f"basin needs losses that are not negative, got {median.min():g}")
        near, best = median <= factor * median.min(), int(np.argmin(median))
        low = best - int(np.argmin(np.append(near[best::-1], False))) + 1
        high = best + int(np.argmin(np.append(near[best:], False))) - 1
        return float(values[low]), float(values[high])


def sweep(problem, optimizer, *, steps, seeds=1, x0=None, clip=None, compile=False, **grid):
    """Run `optimizer` on `problem` for every combination of the given hyper-parameters and seeds, all at once.

    Parameters
    ----------
    problem : Problem
    optimizer : Optimizer
        Gives the hyper-parameters that are not swept.
    steps : int
    seeds : int or sequence of int
        How many seeds (0, 1, ...), or which.
    x0 : array of shape (d,), optional
        As in `minimize`.
    clip : function of an array (..., d), optional
        As in `minimize`.
    compile : bool
        As in `minimize`: for a sweep that is repeated, with other values of the same hyper-parameters.
    **grid : array of shape (n,)
        Values by name of the hyper-parameter: ``lr=np.logspace(-4, 0, 60)``.

    Returns
    -------
    Sweep

    Raises
    ------
    TypeError
        If the optimizer has no hyper-parameter of that name, a grid does not hold numbers, or with `compile` the
        problem, the rule or `clip` does not run on JAX arrays.
    ValueError
        If a grid is empty or not a vector, a value is outside its range, the optimizer or `x0` has lanes already, or
        with `compile` the problem draws mini-batches.
    ImportError
        With `compile`, if JAX is not installed.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic
    >>> sweep(Quadratic([1.0, 10.0]), SGD(), steps=100, lr=[0.01, 0.15, 0.3]).best
    {'lr': 0.15}
    """
    names = [field.name for field in fields(optimizer)]
    for name in grid:
        if name not in names:
            raise TypeError(f"{type(optimizer).__name__} has no hyper-parameter {name!r}; it has {', '.join(names)}")
    grid = {name: numbers(name, values) for name, values in grid.items()}
    for name, values in grid.items():
        if values.ndim != 1 or not values.size:
            raise ValueError(f"{name} must be a vector of values, got shape {values.shape}")
    for name in set(names) - set(grid):
        shape = getattr(getattr(optimizer, name), "shape", ())
        if shape:
            raise ValueError(f"{name} must be one value; several are swept as {name}=[...], got shape {shape}")
    if x0 is not None and numbers("x0", x0).shape != (problem.dim,):
        raise ValueError(f"x0 must have shape ({problem.dim},), got {np.shape(x0)}")
    seeds = tuple(range(checks.whole("seeds", seeds, least=1))) if np.ndim(seeds) == 0 else tuple(seeds)
    if not seeds:
        raise ValueError("seeds must hold at least one seed, got none")
    axes = len(grid) + 2  # the seeds and the coordinates come last
    shapes = np.ones((len(grid), axes), int) - 2 * np.eye(len(grid), axes, dtype=int)  # -1 on an axis of its own
    lanes = {name: values.reshape(shape) for (name, values), shape in zip(grid.items(), shapes, strict=True)}
    ends = []
    axis, blocks = in_blocks(lanes, len(seeds) * problem.dim)
    for block in blocks:
        rule = replace(optimizer, **block)
        run = minimize(problem, rule, steps, x0=x0, seed=list(seeds), every=max(steps, 1), clip=clip, compile=compile)
        ends.append((run.loss[-1], run.x[-1].copy(), run.diverged))  # a view would keep the whole run
    loss, x, diverged = (np.concatenate(parts, axis) for parts in zip(*ends, strict=True))
    return Sweep(grid, seeds, loss, x, diverged)


def in_blocks(lanes, elements):
    """The longest axis of the grid, and the lanes in blocks along it: a run then stays in cache, and memory bounded.

    `elements` is the size of x at one grid point. A block draws its mini-batches anew from the seeds, so each lane sees
    what it would see in one run of all lanes.
    """
    if not lanes:
        return 0, [lanes]
    name, values = max(lanes.items(), key=lambda item: item[1].size)
    axis, beside = list(lanes).index(name), int(np.prod([other.size for other in lanes.values()])) // values.size
    count = max(1, BLOCK // (beside * elements))
    parts = np.split(values, range(count, values.size, count), axis) if count < values.size else [values]
    return axis, [{**lanes, name: part} for part in parts]
