"""What students call: `check` says whether an answer is right, and if not, what is wrong with it."""

from lrlib.exercises.check import Result, check
from lrlib.exercises.questions import load

__all__ = ["Result", "check", "load"]
