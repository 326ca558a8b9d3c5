"""Numbers, arrays and tuples as JSON and back, without loss (unless digits are asked for)."""

import math

import numpy as np


def encode(value, digits=None):
    """Return `value` as something `json.dumps` takes.

    An array becomes ``{"array": [...]}``, a float without a JSON form ``{"float": "inf"}``; tuples become lists.

    Parameters
    ----------
    value : None, bool, int, float, array, or a tuple or list of these
    digits : int, optional
        Significant digits kept of each float; all by default.

    Raises
    ------
    TypeError
        If `value` is anything else.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return {"float": str(value)}
        return float(f"{value:.{digits}g}") if digits else value
    if isinstance(value, np.generic):
        return encode(value.item(), digits)
    if isinstance(value, np.ndarray):
        return {"array": encode(value.tolist(), digits)}
    if isinstance(value, (tuple, list)):
        return [encode(part, digits) for part in value]
    raise TypeError(f"a case holds None, numbers, arrays and tuples of these, got {type(value).__name__}")


def decode(value):
    """Return what `encode` was given; lists come back as tuples."""
    if isinstance(value, dict):
        if "float" in value:
            return float(value["float"])
        return np.array(decode(value["array"]))
    if isinstance(value, list):
        return tuple(decode(part) for part in value)
    return value
