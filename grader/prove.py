"""Proves a master: solutions are right, known mistakes wrong and told apart, and students see no solution."""

from __future__ import annotations

import json
import re
from itertools import combinations

import numpy as np

import lrlib
import publishing
from grader.make import ROOT
from grader.masters import ANSWER, MARKER, Master, student_notebook
from grader.public import public_cases
from grader.spec import Question
from lrlib.exercises import questions
from lrlib.exercises.check import compare, judge


def faults(master: Master, seeds: int = 20) -> list[str]:
    """Return what is wrong with a master, one sentence each; nothing if it can be used.

    Parameters
    ----------
    master : Master
    seeds : int
        For how many seeds, besides the public one, hidden cases are drawn and tried.
    """
    exercises = master.exercises
    public = questions.parse(json.loads(json.dumps(public_cases(exercises))))
    notebook = student_notebook(master, publishing.read_repository(ROOT / "_config.yml"))
    found = [f"withheld: lrlib has no {name}" for name in exercises.withheld if not hasattr(lrlib, name)]
    found += _leaks(master, notebook)
    for question in exercises.questions:
        about = _without_place(question, notebook)
        if question.kind != "prose":
            about += _bad_text(question) + _bad_answers(question, public[question.id])
            about += [f for seed in range(seeds) if question.cases for f in _bad_draw(question, seed)]
        found += [f"{question.id}: {fault}" for fault in dict.fromkeys(about)]
    return found


def _leaks(master, notebook):
    # Told by reading line by line, not by the patterns that cut the solutions out.
    open_lines, hidden, inside = set(), set(), False
    for cell in master.notebook.cells:
        for line in map(str.strip, cell.source.splitlines()):
            if MARKER.search(line):
                inside = "BEGIN" in line
            else:
                (hidden if inside or "spec" in cell.metadata.get("tags", []) else open_lines).add(line)
    shown = {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}
    found = [f"the student notebook shows a hidden line: {line}" for line in sorted((shown & hidden) - open_lines)]
    used = [name for name in master.exercises.withheld if any(re.search(rf"\blrlib\b.*\b{name}\b", s) for s in shown)]
    return found + [f"the student notebook uses {name}, which is withheld" for name in used]


def _without_place(question, notebook):
    if question.kind == "prose":
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        there = any(match["id"] == question.id for match in map(ANSWER.match, cells) if match)
        return [] if there else [f"no Markdown cell starts with <!-- answer: {question.id} -->"]
    call = f'check("{question.id}", {question.name})'
    there = any(call in cell.source for cell in notebook.cells if cell.cell_type == "code")
    return [] if there else [f"no cell calls {call}"]


def _bad_text(question):
    found = [] if question.tolerance.because.strip() else ["the tolerance has no reason"]
    if len(question.mutants) < 2:
        found.append(f"there must be at least 2 mutants, got {len(question.mutants)}")
    for mutant in question.mutants:
        if len(mutant.hints) < 2 or len(set(mutant.hints)) < len(mutant.hints):
            found.append(f"mutant {mutant.name} must have at least 2 hints, all different")
    return found


def _bad_answers(question: Question, public):
    result = judge(public, question.solution)
    found = [] if result else [f"check rejects the solution: {result.text}"]
    for mutant in question.mutants:
        result = judge(public, mutant.answer)
        if result:
            found.append(f"check accepts mutant {mutant.name}")
        elif result.mistake != mutant.name:
            found.append(f"check takes mutant {mutant.name} for {result.mistake}")
    if question.kind != "number":
        for one, other in combinations(public.mistakes, 2):
            if all(compare(public, a, b) is None for a, b in zip(one.outputs, other.outputs, strict=True)):
                found.append(f"mutants {one.name} and {other.name} cannot be told apart")
    return found


def _bad_draw(question, seed):
    cases = question.draw(seed)
    expected = [question.expected(case) for case in cases]
    found = [] if all(map(_finite, expected)) else [f"seed {seed}: the reference gives NaN"]
    if any(_parts(value) != len(question.returns) for value in expected if question.kind == "function"):
        found.append("returns must name each part of the result, if it is a tuple")
    outputs = question.outputs(question.solution, cases)
    if not all(map(question.accepts, expected, outputs)):
        found.append(f"seed {seed}: the reference does not agree with the solution")
    for mutant in question.mutants:
        if all(map(question.accepts, expected, question.outputs(mutant.answer, cases))):
            found.append(f"seed {seed}: mutant {mutant.name} is right on every case")
    return found


def _parts(value):
    return len(value) if isinstance(value, (tuple, list)) else 0


def _finite(value):
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not (isinstance(value, (float, np.ndarray, np.floating)) and np.isnan(value).any())
