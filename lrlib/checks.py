"""Errors that name the parameter, the rule and the value."""

import numpy as np


def check(name, value, rule, holds):
    """Return `value` if `holds` is true of every entry of it, lists as arrays.

    Schedules pass (they check their own parameters), and so do arrays of other libraries, which may be traced or
    live on another device.

    Raises
    ------
    TypeError
        If `value` is neither a number, an array nor a schedule.
    ValueError
        If an entry breaks the rule; the message reads "<name> must <rule>, got <entry>".
    """
    foreign = hasattr(value, "shape") and not isinstance(value, (np.ndarray, np.generic))
    if callable(value) or foreign:
        return value
    try:
        if isinstance(value, str):
            raise TypeError
        entries = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, an array or a schedule, got {value!r}") from None
    wrong = ~np.asarray(holds(entries))
    if wrong.any():
        raise ValueError(f"{name} must {rule}, got {entries[wrong].flat[0]:g}")
    return entries if isinstance(value, (list, tuple)) else value


def not_negative(name, value):
    return check(name, value, "be finite and not negative", lambda v: (v >= 0) & np.isfinite(v))


def positive(name, value):
    return check(name, value, "be finite and positive", lambda v: (v > 0) & np.isfinite(v))


def below_one(name, value):
    return check(name, value, "lie in [0, 1)", lambda v: (v >= 0) & (v < 1))


def whole(name, value, *, least):
    """Return `value` as an int if it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)
