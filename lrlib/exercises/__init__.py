"""What students call: `check` says whether an answer is right, and if not, what is wrong with it."""

from lrlib.exercises.check import Result, check

__all__ = ["Result", "check"]
