"""The worked solutions of a set: its master with the answers, why they are right, and the mistakes that are known."""

from __future__ import annotations

import re

import nbformat
from nbformat import NotebookNode

import publishing
from grader.masters import ANSWER, CODE_SOLUTION, MARKER, PROSE_SOLUTION, Master, MasterError, with_cases
from grader.spec import Question
from publishing.stale import RECORDED, result

TITLE = re.compile(r"\A# (?:Exercises: )?(?P<topic>[^\n]+)\n*")
MARKER_LINE = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE)
#: What students overwrite with their answer.
PLACEHOLDER = re.compile(r"^\w+ = \.\.\.\n", re.MULTILINE)
#: What Markdown would take for its own, outside of code.
MARKDOWN = re.compile(r"(?P<code>`[^`]*`)|(?P<sign>[*_<$\[\]\\])")


def solution_notebook(
    master: Master, repository: publishing.Repository, *, exercises: str = "", cases: dict | None = None
) -> NotebookNode:
    """Return the notebook of the worked solutions, not executed.

    Parameters
    ----------
    master : Master
    repository : Repository
    exercises : str
        Address of the student notebook, as seen from this one; empty if it is not to be linked.
    cases : dict, optional
        Public cases that lrlib does not bring.
    """
    questions = {question.id: question for question in master.exercises.questions}
    cells: list[NotebookNode] = []
    for number, cell in enumerate(nbformat.from_dict(master.notebook).cells, start=1):
        if "spec" in cell.metadata.get("tags", []):
            continue
        here = _code(cell, questions) if cell.cell_type == "code" else _prose(cell, questions)
        for made in here:
            if MARKER.search(made.source):
                raise MasterError(f"{master.path}, cell {number}: BEGIN SOLUTION and END SOLUTION do not match")
        cells += here
    if not cells or not TITLE.match(cells[0].source):
        raise MasterError(f"{master.path}: must begin with a title, as in # Exercises: gradient descent")
    cells[0].source = _head(cells[0].source, exercises)
    notebook = nbformat.from_dict({**master.notebook, "cells": with_cases(cells, cases)})
    return publishing.prepare(notebook, f"solutions/{master.exercises.name}", repository)


def run(notebook: NotebookNode, master: Master) -> None:
    """Execute the worked solutions, in place.

    Raises
    ------
    MasterError
        If a cell fails, or `check` does not accept an answer.
    """
    from publishing.execute import CellError, execute  # not above: where one only grades, nothing runs notebooks

    try:
        execute(notebook, f"solutions/{master.exercises.name}")
    except CellError as error:
        raise MasterError(f"{master.path}: the worked solutions do not run: {error}") from error
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    for question in master.exercises.questions:
        if question.kind != "prose" and f"✓ {question.id}: " not in printed:
            raise MasterError(f"{master.path}: in the worked solutions check does not accept {question.id}")
    # Else an output that was edited by hand would look made.
    notebook.metadata[RECORDED] = {"from": f"{master.exercises.name}.md", "result": result(notebook)}


def stale(notebook: NotebookNode, wanted: NotebookNode) -> bool:
    """Tell whether an executed notebook is another one than `wanted`, which is not executed, or was edited by hand."""
    recorded = notebook.metadata.get(RECORDED, {}).get("result")
    return _before_it_ran(notebook) != _before_it_ran(wanted) or recorded != result(notebook)


def _before_it_ran(notebook: NotebookNode) -> list:
    cells = []
    for cell in notebook.cells:
        metadata = {**cell.metadata, "mystnb": {**cell.metadata.get("mystnb", {}), "image": None}}  # a figure's text
        cells.append((cell.get("id"), cell.source, metadata))
    return cells


def _head(source: str, exercises: str) -> str:
    title = TITLE.match(source)[0].strip("# \n")
    set_of_questions = f"[{title}]({exercises})" if exercises else title
    note = (
        f"> **Solutions.** This page answers every question of {set_of_questions}. Try them first: a solution that you "
        "have looked for is one that you remember. Each answer is folded, and so are the reason for it and the "
        "mistakes that are often made."
    )
    return TITLE.sub(lambda title: f"# Worked solutions: {title['topic']}\n\n{note}\n\n", source).rstrip("\n")


def _code(cell: NotebookNode, questions: dict[str, Question]) -> list[NotebookNode]:
    solved = CODE_SOLUTION.search(cell.source)
    if solved:
        cell.source = PLACEHOLDER.sub("", MARKER_LINE.sub("", cell.source)).rstrip("\n")
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        cell.metadata["mystnb"] = {"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
    asked = [question for id, question in questions.items() if f'check("{id}"' in cell.source]
    return [cell, *(_folded_cell("Mistakes seen here", _mistakes(question)) for question in asked)]


def _prose(cell: NotebookNode, questions: dict[str, Question]) -> list[NotebookNode]:
    answer = ANSWER.match(cell.source)
    title = "An answer" if answer else "Why"
    cell.source = PROSE_SOLUTION.sub(lambda found: _folded(title, found["text"].strip("\n")) + "\n\n", cell.source)
    cell.source = ANSWER.sub("", cell.source).rstrip("\n")
    rubric = questions[answer["id"]].rubric if answer and answer["id"] in questions else ()
    if not rubric:
        return [cell]
    lines = [f"- {points} {'point' if points == 1 else 'points'}: {_escaped(line)}" for points, line in rubric]
    return [cell, _folded_cell("What a marker looks for", "\n".join(lines))]


def _mistakes(question: Question) -> str:
    named: dict[str, str] = {}
    for mutant in question.mutants:
        # The last hint names the cause. Several spellings of one mistake share it.
        named.setdefault(mutant.hints[-1], mutant.name)
    return "\n".join(f"- **{_words(name)}.** {_escaped(hint)}" for hint, name in named.items())


def _words(name: str) -> str:
    if name == "as-given":
        return "The code as given"
    return _escaped(name[:1].upper() + name[1:].replace("-", " "))


def _escaped(text: str) -> str:
    return MARKDOWN.sub(lambda found: found["code"] or f"\\{found['sign']}", text)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _folded_cell(title: str, text: str) -> NotebookNode:
    return nbformat.from_dict({"cell_type": "markdown", "metadata": {}, "source": _folded(title, text)})
