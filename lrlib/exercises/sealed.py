"""A number that can be compared with a guess but not read: how predictions are kept in the public cases.

The number line is cut, on a logarithmic scale, into intervals as wide as the tolerance allows, with the answer in the
middle of one. Kept are where between the cuts the answer lies and a slow salted hash of which interval it is. Whoever
wants to can try all intervals; whoever opens the file by accident learns nothing.
"""

import hashlib
import math

ROUNDS = 10_000


def seal(value, *, rtol, salt):
    """Return a JSON object that `opens` compares with a guess.

    Parameters
    ----------
    value : float
        The answer, finite and not 0.
    rtol : float
        Relative tolerance: guesses between value / (1 + rtol) and value * (1 + rtol) are right.
    salt : str
        Different for each question.

    Raises
    ------
    ValueError
        If `value` is 0 or not finite.
    """
    if value == 0 or not math.isfinite(value):
        raise ValueError(f"a sealed number must be finite and not 0, got {value!r}")
    position = _position(value, rtol)
    phase = round(position - round(position), 6)
    return {"phase": phase, "digest": _digest(value, round(position - phase), salt)}


def opens(sealed, guess, *, rtol, salt):
    """Tell whether `guess` lies within the tolerance of the sealed number."""
    if guess == 0 or not math.isfinite(guess):
        return False
    interval = round(_position(guess, rtol) - sealed["phase"])
    return _digest(guess, interval, salt) == sealed["digest"]


def _position(value, rtol):
    return math.log(abs(value)) / (2 * math.log1p(rtol))


def _digest(value, interval, salt):
    key = f"{'-' if value < 0 else '+'}{interval}"
    return hashlib.pbkdf2_hmac("sha256", key.encode(), salt.encode(), ROUNDS, dklen=16).hex()
