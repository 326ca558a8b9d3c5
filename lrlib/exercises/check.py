"""`check` tells a student at once whether an answer is right, on which input it is not, and what may be wrong."""

import inspect
from dataclasses import dataclass

import numpy as np

from lrlib.exercises import questions, sealed
from lrlib.exercises.calls import Raised, call
from lrlib.exercises.comparison import as_numbers, difference, name
from lrlib.exercises.runs import Run

# How often each mistake was made since Python started: the hints get more specific.
_seen: dict[tuple[str, str | None], int] = {}


@dataclass(frozen=True)
class Result:
    """What `check` found. True when the answer is right."""

    question: str
    right: bool
    text: str  #: the message that was printed
    mistake: str | None = None  #: name of the known mistake that the answer makes, if it makes one
    hint: str | None = None

    def __bool__(self):
        return self.right

    def __repr__(self):
        return self.text

    def _ipython_display_(self):
        """Show nothing: in a notebook the message has been printed already."""


def check(question_id, answer):
    """Say whether `answer` is right. Prints the message and returns it as a `Result`.

    Works offline and compares with stored results; a wrong answer that is a known mistake gets a hint, a more specific
    one each time the mistake is made again.

    Parameters
    ----------
    question_id : str
        As the exercise gives it, such as "adam.update".
    answer : function, class or number
        The thing itself, not the result of calling it.

    Raises
    ------
    ValueError
        If there is no such question.
    """
    result = judge(questions.find(question_id), answer)
    print(result.text)
    return result


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an answer, by `check` to whoever tries or by the grader afterwards.

    `hints` go from a nudge to the cause; they are those of the mistake, if one was recognised.
    """

    mark: str  #: "✓" right, "✗" wrong, "○" not to be judged
    text: str
    hints: tuple = ()
    mistake: str | None = None


def judge(question, answer):
    """Return the `Result` of an answer to a `PublicQuestion`, with the hint that is next."""
    verdict = _judge(question, answer)
    text, hint = f"{verdict.mark} {question.id}: {verdict.text}", None
    if verdict.hints:
        key = (question.id, verdict.mistake)
        hint = verdict.hints[min(_seen.get(key, 0), len(verdict.hints) - 1)]
        _seen[key] = _seen.get(key, 0) + 1
        text += f"\n  Hint: {hint}"
    return Result(question.id, verdict.mark == "✓", text, verdict.mistake, hint)


def _judge(question, answer):
    if question.kind == "prose":
        return Verdict("○", "a person reads this one.")
    if question.kind == "number":

        def is_number(sealed_number, number, rtol):
            return sealed.opens(sealed_number, number, rtol=rtol, salt=question.salt)

        return judge_number(question, answer, is_number)
    if answer is Ellipsis:
        return UNWRITTEN
    complaint = _cannot_be_called(question, answer)
    if complaint:
        return Verdict("✗", complaint)
    return judge_outputs(question, (call(answer, case) for case in question.cases))


UNWRITTEN = Verdict("○", "not written yet.")


def judge_number(question, answer, is_number):
    """Return the `Verdict` on a predicted number.

    Parameters
    ----------
    question : PublicQuestion
    answer : object
    is_number : function
        ``is_number(target, number, rtol)`` tells whether a number is one of those kept in `question`.
    """
    if answer is Ellipsis:
        return UNWRITTEN
    number = as_numbers(answer)
    if number is None or number.ndim:
        return Verdict("✗", f"a number is asked for, {name(answer)} came.")
    number = float(number)
    if is_number(question.expected, number, question.rtol):
        return Verdict("✓", "right.")
    if is_number(question.close, number, question.near):
        more = "Too few digits, perhaps: give more of them or the whole expression, as in 5/7"
        return Verdict("✗", f"{number:.6g} is close, but not close enough. {more}.")
    # Known mistakes are recognised when they are rounded, too.
    mistake = next((m for m in question.mistakes if is_number(m.outputs, number, question.near)), None)
    text = f"{number:.6g} is not right (it may be off by {100 * question.rtol:g} %)."
    return Verdict("✗", text, *((mistake.hints, mistake.name) if mistake else (question.hints,)))


def judge_outputs(question, found):
    """Return the `Verdict` on what an answer gave.

    Parameters
    ----------
    question : PublicQuestion
    found : iterable
        For each case what `call` returns: the output, and the names of the inputs that were changed in place.
    """
    first, spoiled, possible = None, (), list(question.mistakes)
    for number, (case, expected, (output, changed)) in enumerate(
        zip(question.cases, question.expected, found, strict=True)
    ):
        if isinstance(output, Raised) and output.kind == "NotImplementedError":
            return UNWRITTEN
        spoiled = spoiled or changed
        reason = compare(question, expected, output)
        if reason and first is None:
            first = (number, case, expected, output, reason)
        possible = [m for m in possible if compare(question, m.outputs[number], output) is None]
    if first is not None:
        text = _mismatch(question, *first, spoiled)
        if possible:
            return Verdict("✗", text, possible[0].hints, possible[0].name)
        # What raises or changes its inputs has been told the cause: a general hint would lead away from it.
        return Verdict("✗", text, () if spoiled or isinstance(first[3], Raised) else question.hints)
    if spoiled:
        names = f"{' and '.join(spoiled)} {'is' if len(spoiled) == 1 else 'are'}"
        return Verdict("✗", f"the results are right, but {names} changed in place: whoever calls it loses data.")
    return Verdict("✓", f"right on all {len(question.cases)} inputs.")


def compare(question, expected, output):
    """Say how what came differs from what was expected, in the tolerance of the question, or return None."""
    if isinstance(expected, Raised):
        return None if expected.recognises(output) else "it did not raise this"
    if isinstance(output, Raised):
        return "it raised"
    tolerance = {"rtol": question.rtol, "atol": question.atol}
    if isinstance(expected, Run):
        return expected.difference(output, **tolerance)
    if question.kind == "stateful":
        steps = (difference(*pair, **tolerance) for pair in zip(expected, output, strict=True))
        count = len(expected)
        return next((f"step {number} of {count}: {reason}" for number, reason in enumerate(steps, 1) if reason), None)
    return difference(expected, output, names=question.returns, **tolerance)


def _cannot_be_called(question, answer):
    wanted = "class" if question.kind == "stateful" else "function"
    if not callable(answer):
        return f'the {wanted} itself is asked for, as in check("{question.id}", name); {name(answer)} came.'
    case = question.cases[0]
    try:
        inspect.signature(answer).bind(*case.inputs.values())
    except TypeError as error:
        return f"it must take {len(case.inputs)} arguments ({', '.join(case.inputs)}): {error}."
    except ValueError:  # a built-in without a signature; calling it will show
        pass
    if case.calls is not None and inspect.isclass(answer) and not callable(getattr(answer, "step", None)):
        return f"it must have a method step({', '.join(case.calls[0])})."
    return None


def _mismatch(question, number, case, expected, output, reason, spoiled):
    lines = [f"not right on input {number + 1} of {len(question.cases)}.", f"  input     {_show_inputs(case.inputs)}"]
    if case.calls is not None:
        lines.append(f"  steps     {'; '.join(_show_inputs(arguments) for arguments in case.calls)}")
    if isinstance(output, Raised):
        lines.append(f"  it raised {output.text}")
    elif isinstance(expected, Run):
        lines.append(f"  but {reason}")
    else:
        lines += [f"  expected  {_show(expected)}", f"  came      {_show(output)}", f"  {reason}"]
    if spoiled:
        lines.append(f"  it also changes {' and '.join(spoiled)} in place")
    return "\n".join(lines)


def _show_inputs(inputs):
    return ", ".join(f"{name} = {_show(value)}" for name, value in inputs.items())


def _show(value):
    if isinstance(value, (tuple, list)) and len(value) <= 8:
        return f"({', '.join(map(_show, value))})"
    numbers = as_numbers(value)
    if numbers is None:
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    if numbers.ndim == 0:
        return f"{numbers.item():.7g}"
    text = np.array2string(numbers, precision=5, threshold=12, edgeitems=2, separator=", ")
    return " ".join(text.split())
