"""Alternative text: numbers and curves in words, the same on every machine."""

from collections.abc import Iterable

import numpy as np

TINY = 1e-12  # below this, rounding errors decide the digits, and they differ between processors


def number(value: float) -> str:
    """Return a number with three significant digits, or that it is below 1e-12."""
    value = float(value)
    if np.isnan(value):
        return "undefined"
    if np.isinf(value):
        return "infinity" if value > 0 else "minus infinity"
    if value == 0:
        return "0"
    if abs(value) < TINY:
        return "below 1e-12" if value > 0 else "above -1e-12"
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def point(values: Iterable[float]) -> str:
    """Return a point as (a, b), or as a where it has one coordinate; what rounding errors decide is 0."""
    parts = [number(0.0 if abs(v) < TINY else v) for v in values]
    return f"({', '.join(parts)})" if len(parts) > 1 else parts[0]


def count(n: int, thing: str) -> str:
    """Return "1 run", "2 runs"."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def listing(names: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *most, last = [str(name) for name in names]
    return f"{', '.join(most)} and {last}" if most else last


def named(label: str, sentence: str) -> str:
    """Return "label: sentence.", or the sentence with a capital where the label is empty."""
    return f"{label}: {sentence}." if label else f"{sentence[:1].upper()}{sentence[1:]}."


def curve(x: np.ndarray, y: np.ndarray, unit: str) -> str:
    """Say how finite values `y` run over `x`: from where to where, over which turning point, steadily or not.

    Parameters
    ----------
    unit : str
        What x counts, as in "at step 12".
    """
    first, last = y[0], y[-1]
    size = np.abs(y).max()
    if size == 0 or np.ptp(y) <= 1e-9 * size:
        return f"constant at {number(first)}"
    moves = np.diff(y)
    moves = moves[np.abs(moves) > 1e-9 * size]
    reversals = int((moves[1:] * moves[:-1] < 0).sum())
    direction = "rises" if last > first else "falls"
    if reversals == 0:
        return f"{direction} from {number(first)} to {number(last)}"
    low, high = int(y.argmin()), int(y.argmax())
    turns = []
    if y[low] < min(first, last) - TINY:
        turns.append(f"its lowest, {number(y[low])}, at {unit} {number(x[low])}")
    if y[high] > max(first, last) + TINY:
        turns.append(f"its highest, {number(y[high])}, at {unit} {number(x[high])}")
    words = f"{direction} from {number(first)} to {number(last)}"
    if reversals > 2:
        return f"{words}, going up and down on the way" + (f" ({listing(turns)})" if turns else "")
    return f"starts at {number(first)}, reaches {listing(turns)}, ends at {number(last)}" if turns else words
