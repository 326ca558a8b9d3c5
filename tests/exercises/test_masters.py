"""Every question of every set: the solution is right, every known mistake is recognised, nothing is given away."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

import publishing
from grader.make import COURSE, ROOT, make
from grader.masters import MARKER
from grader.prove import faults
from lrlib.exercises import check, questions
from lrlib.exercises.check import judge
from lrlib.exercises.comparison import difference
from lrlib.exercises.runs import Run


def made_from(master):
    notebook, cases, _ = COURSE.made_from(master.path)
    return nbformat.read(notebook, as_version=4), json.loads(cases.read_text("utf-8"))


def with_code(questions):
    return [question for question in questions if question.kind not in ("number", "prose")]


def test_a_set_has_five_to_seven_questions_of_at_least_three_kinds(master):
    exercises = master.exercises.questions
    assert 5 <= len(exercises) <= 7
    # A chosen rate, a bug and a variation are functions too: tell them by what they are made of.
    given = {mutant.name for question in exercises for mutant in question.mutants}
    kinds = {question.kind for question in exercises}
    assert {"function", "number"} <= kinds
    assert "as-given" in given, "no bug to find"


def test_nothing_is_wrong_with_the_master(master):
    assert faults(master) == []


def test_what_is_committed_is_what_the_masters_make(tmp_path):
    assert make(replace(COURSE, record=tmp_path / "record.json"), check=True, force=True) == []


def test_check_accepts_the_solution(master):
    for question in master.exercises.questions:
        if question.kind != "prose":
            assert check(question.id, question.solution), question.id


def test_check_gives_each_mutant_its_own_hints_in_order(master):
    for question in master.exercises.questions:
        for mutant in question.mutants:
            results = [check(question.id, mutant.answer) for _ in mutant.hints]
            assert {result.mistake for result in results} == {mutant.name}, question.id
            assert tuple(result.hint for result in results) == tuple(mutant.hints)


def test_the_reference_is_not_the_solution(master):
    for question in master.exercises.questions:
        if question.kind != "prose":
            assert question.reference is not question.solution
            names = question.reference.__code__.co_names
            assert getattr(question.solution, "__name__", "") not in names, question.id


def test_an_answer_within_the_tolerance_passes_and_one_beyond_it_fails(master):
    for question in with_code(master.exercises.questions):
        case = question.draw(7)[-1]
        expected = question.expected(case)
        if isinstance(expected, Run):
            continue
        rtol, atol = question.tolerance.rtol, question.tolerance.atol
        for part, fits in ((0.5, True), (-0.5, True), (3.0, False), (-3.0, False)):
            got = shifted(expected, part, rtol, atol)
            if rtol or fits:
                assert question.accepts(expected, got) is fits, question.id


def shifted(value, part, rtol, atol):
    if isinstance(value, (tuple, list)):
        return [shifted(one, part, rtol, atol) for one in value]
    if value is None or isinstance(value, int):
        return value
    return value + part * (atol + rtol * np.abs(value))


def test_another_seed_draws_other_inputs_and_the_same_seed_the_same(master):
    for question in with_code(master.exercises.questions):
        one, again, other = (json.dumps(str(question.draw(seed))) for seed in (1, 1, 2))
        assert one == again
        assert one != other, question.id


def test_the_student_notebook_holds_no_solution_and_no_spec(master):
    notebook, _ = made_from(master)
    assert all("spec" not in cell.metadata.get("tags", []) for cell in notebook.cells)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert not MARKER.search(text)
    assert "grader" not in text
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)


def test_the_worked_solutions_answer_and_explain_every_question(master):
    _, _, path = COURSE.made_from(master.path)
    cells = nbformat.read(path, as_version=4).cells
    assert all("spec" not in cell.metadata.get("tags", []) for cell in cells)
    text = "\n".join(cell.source for cell in cells)
    assert not MARKER.search(text) and "your code here" not in text and "grader" not in text
    printed = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    questions = [question for question in master.exercises.questions if question.kind != "prose"]
    assert re.findall(r"^✓ ([\w.]+): right", printed, re.MULTILINE) == [question.id for question in questions]
    assert text.count("<summary>Why</summary>") == text.count("<summary>Mistakes seen here</summary>") == len(questions)
    for question in questions:
        for mutant in question.mutants:
            assert mutant.hints[-1] in re.sub(r"\\(.)", r"\1", text), mutant.name


def test_the_book_shows_the_exercises_and_then_the_solutions(master):
    sections = re.findall(r"- file: (exercises/.+)", (ROOT / "_toc.yml").read_text("utf-8"))
    first = sections.index(f"exercises/student/{master.exercises.name}")
    assert sections[first + 1] == f"exercises/solutions/{master.exercises.name}"


def test_the_public_cases_hold_no_code(master):
    text = json.dumps(made_from(master)[1], ensure_ascii=False)
    source = "\n".join(cell.source for cell in master.notebook.cells if cell.cell_type == "code")
    lines = map(str.strip, source.splitlines())
    code = {line for line in lines if re.match(r"(def|class|return|for|if|self\.\w+ =|\w+ =) ?.{8,}", line)}
    assert len(code) > 50
    assert [line for line in code if json.dumps(line, ensure_ascii=False)[1:-1] in text] == []


def test_predicted_numbers_cannot_be_read(master):
    notebook, cases = made_from(master)
    for question in master.exercises.questions:
        if question.kind == "number":
            entry = json.dumps(cases["questions"][question.id])
            text = entry + "\n".join(cell.source for cell in notebook.cells)
            assert f"{question.reference():.3g}" not in text, question.id


def test_the_untouched_notebook_runs_and_scores_nothing(master, capsys):
    notebook, _ = made_from(master)
    results = []

    def recorded(question_id, answer):
        results.append(check(question_id, answer))

    namespace = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "colab" not in cell.metadata.get("tags", []):
            exec(cell.source, namespace)
            namespace["check"] = recorded
    asked = [question.id for question in master.exercises.questions if question.kind != "prose"]
    assert [result.question for result in results] == asked
    assert not any(results)
    assert all("not written yet" in result.text or result.mistake == "as-given" for result in results)


def test_the_master_runs_under_nbval_and_every_check_says_right(master, tmp_path):
    notebook = nbformat.from_dict(publishing.read(master.path))
    public = questions.parse(made_from(master)[1])
    expected = 0
    for cell in notebook.cells:
        call = re.match(r'check\("([\w.]+)", ', cell.source)
        if call:
            text = judge(public[call[1]], solution_of(master, call[1])).text
            assert text.startswith("✓")
            cell.execution_count = 1  # without it nbval does not compare
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{text}\n")]
            expected += 1
    assert expected == sum(question.kind != "prose" for question in master.exercises.questions)
    run_nbval(notebook, tmp_path)


def solution_of(master, question_id):
    return next(question.solution for question in master.exercises.questions if question.id == question_id)


def run_nbval(notebook, folder):
    empty, packages = folder / "empty", folder / "packages"
    empty.mkdir()
    packages.mkdir()
    for package in ("grader", "publishing"):
        (packages / package).symlink_to(ROOT / package)
    publishing.write(notebook, empty / "master.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    path = {"PYTHONPATH": str(packages), "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [*command, "--rootdir", empty, "master.ipynb"],
        cwd=empty,
        env=os.environ | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", sorted(COURSE.cases.glob("*/*.json")), ids=lambda path: path.stem)
def test_public_cases_are_small(path: Path):
    assert path.stat().st_size < 60_000


def test_difference_and_check_are_one_rule():
    """The grader compares by the same function as `check`."""
    from grader import spec

    assert spec.difference is difference
