"""Statements of the book, each beside the check that would fail if it were false."""

from numbers import Number


class ClaimError(AssertionError):
    """A statement of the book that does not hold; `id` says which."""

    def __init__(self, id, message):
        super().__init__(message)
        self.id = id


def claim(id, statement, holds, evidence):
    """Print `statement` with its evidence if it holds, and raise if it does not.

    Parameters
    ----------
    id : str
        Name of the claim, unique in the book and never changed: it is the address of the claim on its page.
    statement : str
        The sentence that is claimed.
    holds : bool
        Whether it is true; computed, never typed.
    evidence : str, number or dict of name -> number or str
        What was measured; numbers are shown with 4 significant digits.

    Raises
    ------
    ClaimError
        If `holds` is false.
    TypeError
        If `holds` is not a truth value (an array must say `.all()` or `.any()`).
    """
    if getattr(holds, "shape", ()) != () or not isinstance(getattr(holds, "item", lambda: holds)(), bool):
        raise TypeError(f"claim {id}: holds must be one truth value, got {holds!r}")
    items = evidence.items() if isinstance(evidence, dict) else [("", evidence)]
    shown = ", ".join(f"{name} {rounded(value)}".strip() for name, value in items)
    if not holds:
        raise ClaimError(id, f"claim {id} does not hold: {statement} ({shown})")
    print(f"✓ {id}: {statement} ({shown})")


def rounded(value):
    """A number with 4 significant digits; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, Number) and not isinstance(value, (bool, int)) else f"{value}"
