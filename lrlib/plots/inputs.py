"""What the figures accept, checked before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np


def by_name(value, name: str, attributes: tuple[str, ...] = ()) -> dict:
    """Return {label: thing} of one thing or a mapping of things that have the attributes."""
    things = dict(value) if isinstance(value, Mapping) else {"": value}
    if not things:
        raise ValueError(f"{name} must hold at least one entry, got {value!r}")
    for label, thing in things.items():
        if not isinstance(label, str):
            raise TypeError(f"{name} must have text as labels, got {label!r}")
        missing = [a for a in attributes if not hasattr(thing, a)]
        if missing:
            where = f"{name}[{label!r}]" if label else name
            raise TypeError(f"{where} must have {' and '.join(missing)}, got {type(thing).__name__}")
    return things


def choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value


def interval(name: str, value) -> tuple[float, float]:
    """Return (low, high) with low < high, both finite."""
    try:
        low, high = (float(v) for v in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a pair (low, high), got {value!r}") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"{name} must be finite with low < high, got {value!r}")
    return low, high


def lanes_last(values, leading: int) -> np.ndarray:
    """Return (leading, *lanes) as a float array (leading, lanes): one column per lane."""
    values = np.asarray(values, dtype=float)
    return values.reshape(leading, -1)


def by_lane(trajectory, labels: Sequence[str]) -> dict:
    """Split a trajectory along its first lane axis: one label for each lane, to draw the lanes as separate runs.

    Parameters
    ----------
    trajectory : lrlib.minimize.Trajectory
        With lanes; further lane axes (seeds) stay.
    labels : sequence of str
        One name for each lane.

    Returns
    -------
    dict of str to Trajectory

    Examples
    --------
    >>> import numpy as np
    >>> from lrlib import SGD, Quadratic, minimize
    >>> run = minimize(Quadratic([1.0]), SGD(lr=np.array([[0.1], [0.5]])), steps=3)
    >>> [(label, one.loss.shape) for label, one in by_lane(run, ["slow", "fast"]).items()]
    [('slow', (4,)), ('fast', (4,))]
    """
    lanes = np.shape(trajectory.loss)[1:]
    if not lanes or len(labels) != lanes[0]:
        raise ValueError(f"labels must name each lane of the first lane axis, got {len(labels)} labels, lanes {lanes}")
    if len(set(labels)) < len(labels):
        raise ValueError(f"labels must differ, got {list(labels)}")
    parts = ("x", "loss", "lr", "grad_norm")
    return {
        label: replace(trajectory, **{part: getattr(trajectory, part)[:, i] for part in parts})
        for i, label in enumerate(labels)
    }
