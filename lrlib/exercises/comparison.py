"""When an answer counts as equal to what was expected: the one rule of `check` and of the grader."""

import numpy as np


def difference(expected, got, *, rtol, atol=0.0, names=()):
    """Say how `got` differs from `expected`, or return None if it counts as equal.

    - An array or a float is met by numbers of the same shape, each within ``atol + rtol * |expected|``. Lists count
      as arrays, a float32 or a NumPy scalar as a number. Infinities and NaNs must stand where they are expected.
    - An int is a count and is met exactly.
    - A tuple or list is met by as many things, one by one.
    - None is met by None.

    Parameters
    ----------
    expected : float, int, None, array, or a tuple or list of these
    got : object
        Whatever a student's code returned.
    rtol, atol : float
        How far a number may be off, relative to the expected one and absolutely.
    names : sequence of str, optional
        What the parts of a tuple are called.

    Examples
    --------
    >>> difference(0.5, 0.5000001, rtol=1e-6)
    >>> difference(0.5, 0.6, rtol=1e-6)
    '0.5 was expected, 0.6 came'
    >>> difference((1.0, 2.0), (1.5, 2.0), rtol=1e-6, names=("x", "m"))
    'part 1 of 2 (x): 1 was expected, 1.5 came; m is right'
    """
    if expected is None:
        return None if got is None else f"None was expected, {name(got)} came"
    if isinstance(expected, (tuple, list)):
        return _difference_of_parts(expected, got, names, rtol=rtol, atol=atol)
    numbers = as_numbers(got)
    if numbers is None:
        return f"{name(expected)} was expected, {name(got)} came"
    wanted = np.asarray(expected)
    if numbers.shape != wanted.shape:
        return f"{name(expected)} was expected, {name(numbers)} came"
    if isinstance(expected, (int, np.integer)):
        return None if numbers == expected else f"{expected} was expected, {_short(numbers)} came"
    return _difference_of_numbers(wanted, numbers, rtol=rtol, atol=atol)


def as_numbers(got):
    """Return `got` as an array of real numbers, or None if it is something else (True and False are)."""
    try:
        numbers = np.asarray(got)
    except Exception:  # what an arbitrary object raises when asked to be an array is its own affair
        return None
    return numbers if numbers.dtype.kind in "iuf" else None


def name(value):
    """Return what kind of thing `value` is, in a few words: 'an array of shape (3,)', 'a number', 'None'."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return str(value)
    if isinstance(value, str):
        return "text"
    if isinstance(value, (tuple, list)) and (isinstance(value, tuple) or as_numbers(value) is None):
        return f"a {type(value).__name__} of {len(value)}"
    numbers = as_numbers(value)
    if numbers is not None:
        return "a number" if numbers.ndim == 0 else f"an array of shape {numbers.shape}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "a function" if callable(value) else f"an object of type {type(value).__name__}"


def _difference_of_parts(expected, got, names, *, rtol, atol):
    if isinstance(got, np.ndarray) and got.ndim:
        got = tuple(got)
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        return f"{len(expected)} things were expected, {name(got)} came"
    reasons = [difference(part, came, rtol=rtol, atol=atol) for part, came in zip(expected, got, strict=True)]
    wrong = [place for place, reason in enumerate(reasons) if reason]
    if not wrong:
        return None
    first, *others = wrong
    names = list(names) or [f"part {place + 1}" for place in range(len(reasons))]
    called = f" ({names[first]})" if names[first] != f"part {first + 1}" else ""
    text = f"part {first + 1} of {len(reasons)}{called}: {reasons[first]}"
    for places, one, many in (
        (others, "differs too", "differ too"),
        ([place for place in range(len(reasons)) if place not in wrong], "is right", "are right"),
    ):
        if places:
            text += f"; {_listed([names[place] for place in places])} {one if len(places) == 1 else many}"
    return text


def _listed(words):
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _difference_of_numbers(wanted, numbers, *, rtol, atol):
    finite = np.isfinite(wanted)
    with np.errstate(all="ignore"):
        close = np.abs(numbers - wanted) <= atol + rtol * np.abs(wanted)
    same = (numbers == wanted) | (np.isnan(numbers) & np.isnan(wanted))
    wrong = ~np.where(finite, close, same)
    if not wrong.any():
        return None
    if wanted.ndim == 0:
        return f"{_short(wanted)} was expected, {_short(numbers)} came"
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = ", ".join(map(str, first))
    return f"at [{where}] {_short(wanted[first])} was expected, {_short(numbers[first])} came"


def _short(number):
    return f"{np.asarray(number).item():.7g}"
