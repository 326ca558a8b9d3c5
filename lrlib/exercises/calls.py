"""Calling an answer on one case, whatever it does."""

import copy
import linecache
import traceback
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One input of a question.

    Parameters
    ----------
    inputs : dict
        Arguments by name, in the order in which they are passed. For a stateful rule: those of its constructor.
    calls : tuple of dict, optional
        For a stateful rule: the arguments of `step`, one dict a call.
    """

    inputs: dict
    calls: tuple | None = None


@dataclass(frozen=True)
class Raised:
    """An answer that raised instead of returning.

    Parameters
    ----------
    kind : str
        Type of the exception.
    text : str
        What it said, and where. Of a known mistake: the part of this by which the mistake is recognised.
    """

    kind: str
    text: str = ""

    def recognises(self, output):
        """Tell whether `output` is this known mistake: the same type of exception, with this text in its own."""
        return isinstance(output, Raised) and output.kind == self.kind and self.text in output.text


def call(answer, case):
    """Return what `answer` gives for `case`, and the names of the inputs that it changed in place.

    The answer gets copies. A stateful rule is built from ``case.inputs`` and then driven by ``case.calls``; what it
    returned call by call is a list.

    Returns
    -------
    output : object or Raised
    changed : tuple of str
    """
    given, calls = copy.deepcopy(case.inputs), copy.deepcopy(case.calls)
    try:
        with np.errstate(all="ignore"):  # an overflow is judged by its result
            output = answer(*given.values())
            if calls is not None:
                # Copied at once: a rule may return the array that its next step changes.
                output = [copy.deepcopy(output.step(*arguments.values())) for arguments in calls]
    except (Exception, SystemExit) as error:
        output = Raised(type(error).__name__, _describe(error, answer))
    pairs = [(case.inputs, given), *zip(case.calls or (), calls or (), strict=True)]
    changed = [name for before, after in pairs for name in before if not _same(before[name], after[name])]
    return output, tuple(dict.fromkeys(changed))


def _same(before, after):
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    return before is after or before == after  # a nan equals nothing, not even itself


def _describe(error, answer):
    """Return the message of `error` and the line of the student's code that it comes from."""
    code = getattr(answer, "__code__", None) or getattr(getattr(answer, "step", None), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not own:
        return message
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip()
    return f"{message} (line {own[-1].lineno}{': ' + line if line else ''})"
