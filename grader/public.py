"""The public cases of a set: what `lrlib.exercises.check` compares with. Inputs and outputs, no code."""

from __future__ import annotations

import json

from grader.spec import ExerciseSet, Question
from lrlib.exercises import sealed
from lrlib.exercises.calls import Raised
from lrlib.exercises.questions import salt
from lrlib.exercises.runs import Run
from lrlib.exercises.values import encode

# Outputs differ between processors in the last digits; the tolerance of every question is far above this.
DIGITS = 12


def public_cases(exercises: ExerciseSet) -> dict:
    """Return the content of ``lrlib/exercises/cases/<part>/<topic>.json``."""
    questions = {question.id: _entry(exercises, question) for question in exercises.questions}
    return {"set": exercises.name, "version": exercises.version, "questions": questions}


def _entry(exercises: ExerciseSet, question: Question) -> dict:
    entry = {"kind": question.kind, "points": question.points}
    if question.kind == "prose":
        return entry
    tolerance = question.tolerance
    entry["tolerance"] = {"rtol": tolerance.rtol, "atol": tolerance.atol, "because": tolerance.because}
    entry["hints"] = list(question.hints)
    mutants = [{"name": mutant.name, "hints": list(mutant.hints)} for mutant in question.mutants]
    if question.kind == "number":
        kept = {"salt": salt(exercises.name, exercises.version, question.id)}
        number = question.reference()
        entry["sealed"] = sealed.seal(number, rtol=tolerance.rtol, **kept)
        entry["near"] = question.near
        entry["close"] = sealed.seal(number, rtol=question.near, **kept)
        for made, mutant in zip(mutants, question.mutants, strict=True):
            made["sealed"] = sealed.seal(mutant.answer, rtol=question.near, **kept)
    else:
        if question.returns:
            entry["returns"] = list(question.returns)
        cases = question.draw(exercises.public_seed(question))
        entry["cases"] = [_case(case) | {"expected": _output(question.expected(case))} for case in cases]
        for made, mutant in zip(mutants, question.mutants, strict=True):
            made["outputs"] = [_output(output, mutant.raising) for output in question.outputs(mutant.answer, cases)]
    return entry | {"mutants": mutants}


def _case(case) -> dict:
    entry = {"inputs": {name: encode(value) for name, value in case.inputs.items()}}
    if case.calls is not None:
        entry["calls"] = [{name: encode(value) for name, value in call.items()} for call in case.calls]
    return entry


def _output(output: object, raising: str = "") -> object:
    if isinstance(output, Raised):
        return {"raises": output.kind} | ({"saying": raising} if raising else {})
    if isinstance(output, Run):
        return output.encode()
    return encode(output, DIGITS)


def same(old: object, new: object, rtol: float = 1e-9) -> bool:
    """Tell whether two JSON contents are equal, floats within the differences between machines."""
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= rtol * max(abs(old), abs(new)) + 1e-15
    if isinstance(old, dict) and isinstance(new, dict):
        return list(old) == list(new) and all(same(old[key], new[key], rtol) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(a, b, rtol) for a, b in zip(old, new, strict=True))
    return type(old) is type(new) and old == new


def write_json(content: object, indent: int = 0, width: int = 110) -> str:
    """Return JSON in which whatever fits stands on one line, so that a change is a short difference."""
    flat = json.dumps(content, ensure_ascii=False)
    if len(flat) + indent <= width or not isinstance(content, (dict, list)):
        return flat
    inner = " " * (indent + 1)
    if isinstance(content, dict):
        lines = [f"{json.dumps(key)}: {write_json(value, indent + 1, width)}" for key, value in content.items()]
        return "{\n" + inner + f",\n{inner}".join(lines) + "\n" + " " * indent + "}"
    lines = [write_json(value, indent + 1, width) for value in content]
    return "[\n" + inner + f",\n{inner}".join(lines) + "\n" + " " * indent + "]"
