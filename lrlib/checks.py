"""Errors that name the parameter, the rule and the value."""

from dataclasses import fields
from itertools import pairwise

import numpy as np


def check(name, value, rule, holds):
    """Return `value` if `holds` is true of every entry of it, lists as arrays.

    Arrays of other libraries pass, since they may be traced or live on another device.

    Raises
    ------
    TypeError
        If `value` is neither a number nor an array.
    ValueError
        If an entry breaks the rule; the message reads "<name> must <rule>, got <entry>".
    """
    if hasattr(value, "shape") and not isinstance(value, (np.ndarray, np.generic)):
        return value
    try:
        if isinstance(value, str):
            raise TypeError
        entries = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number or an array, got {value!r}") from None
    wrong = ~np.asarray(holds(entries))
    if wrong.any():
        raise ValueError(f"{name} must {rule}, got {entries[wrong].flat[0]:g}")
    return entries if isinstance(value, (list, tuple)) else value


def declared(instance, *, schedules=False):
    """Check each field of a frozen dataclass by the rule that its class declares for it.

    A class declares a rule by a class variable of the rule's name: ``below_one = ("momentum",)``. With `schedules`, a
    field that holds a number may hold a function of the step too. A field whose default is None may be None.
    """
    for field in fields(instance):
        value = getattr(instance, field.name)
        if value is None and field.default is None:
            continue
        for rule in (not_negative, not_positive, positive, below_one, at_least_one, flag):
            if field.name in getattr(instance, rule.__name__, ()):
                checked = varying(rule) if schedules and rule is not flag else rule
                object.__setattr__(instance, field.name, checked(field.name, value))


def varying(rule):
    """The rule for what may also be a schedule, which checks its own parameters."""

    def check(name, value):
        try:
            return value if callable(value) else rule(name, value)
        except TypeError:
            raise TypeError(f"{name} must be a number, an array or a schedule, got {value!r}") from None

    return check


def not_negative(name, value):
    return check(name, value, "be finite and not negative", lambda v: (v >= 0) & np.isfinite(v))


def not_positive(name, value):
    return check(name, value, "be finite and not positive", lambda v: (v <= 0) & np.isfinite(v))


def positive(name, value):
    return check(name, value, "be finite and positive", lambda v: (v > 0) & np.isfinite(v))


def below_one(name, value):
    return check(name, value, "lie in [0, 1)", lambda v: (v >= 0) & (v < 1))


def at_least_one(name, value):
    return check(name, value, "be finite and at least 1", lambda v: (v >= 1) & np.isfinite(v))


def whole(name, value, *, least):
    """Return `value` as an int if it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def flag(name, value):
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def one_of(name, value, choices):
    """Return `value` if it is one of the words `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def sequence(name, value, entry):
    """Return `value` as a tuple whose entries have passed the check `entry`."""
    if isinstance(value, str) or not np.iterable(value):
        raise TypeError(f"{name} must be a sequence, got {value!r}")
    return tuple(entry(f"{name}[{i}]", v) for i, v in enumerate(value))


def increasing(name, values):
    """Return `values` if each is greater than the one before, in every lane."""
    for before, after in pairwise(values):
        if not np.all(np.asarray(after) > before):
            raise ValueError(f"{name} must increase, got {after} after {before}")
    return values


def one_more(name, values, separators, boundaries):
    """Return `values` if there is one more of them than there are `boundaries` between them."""
    if len(values) != len(boundaries) + 1:
        raise ValueError(f"{name} must be one more than {separators}, got {len(values)} and {len(boundaries)}")
    return values
