"""Reading a master: running it for its questions, cutting it down to what students get."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import publishing
from grader.spec import ExerciseSet

CODE_SOLUTION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n.*?^[ \t]*### END SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE | re.DOTALL
)
PROSE_SOLUTION = re.compile(r"<!-- BEGIN SOLUTION -->\n(?P<text>.*?)<!-- END SOLUTION -->\n*", re.DOTALL)
MARKER = re.compile(r"(BEGIN|END) SOLUTION")
ANSWER = re.compile(r"\A<!-- answer: (?P<id>[\w.]+) -->\n")


class MasterError(Exception):
    """A master that cannot be used, with the file and, where it applies, the cell."""


@dataclass(frozen=True)
class Master:
    """A master that has been read and run.

    Parameters
    ----------
    path : Path
    notebook : NotebookNode
        As it stands in the file.
    exercises : ExerciseSet
        What its spec cells say.
    """

    path: Path
    notebook: NotebookNode
    exercises: ExerciseSet


def find(folder: Path) -> list[Path]:
    """Return the masters in a folder, ``<part>/<topic>.md``."""
    return sorted(Path(folder).glob("*/*.md"))


def load(path: Path) -> Master:
    """Read a master and run its code cells, in this process.

    Raises
    ------
    MasterError
        If a cell raises, or the cells make no `ExerciseSet`, several, or one that is named for another file.
    """
    notebook = publishing.read(path)
    namespace: dict = {"__name__": "__main__"}
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, f"{path}, cell {number}", "exec"), namespace)
            except Exception as error:
                raise MasterError(f"{path}, cell {number}: {type(error).__name__}: {error}") from error
            # The public cases that `check` would compare with are about to be made.
            namespace["check"] = lambda question_id, answer: None
    made = [value for value in namespace.values() if isinstance(value, ExerciseSet)]
    named = f"{path.parent.name}/{path.stem}"
    if len(made) != 1:
        raise MasterError(f"{path} must make one ExerciseSet, got {len(made)}")
    if made[0].name != named:
        raise MasterError(f"{path} must make the set {named!r}, got {made[0].name!r}")
    return Master(path, notebook, made[0])


def student_notebook(
    master: Master, repository: publishing.Repository, *, solutions: str = "", cases: dict | None = None
) -> NotebookNode:
    """Return the notebook that students get: no solution, no spec, nothing executed.

    Parameters
    ----------
    master : Master
    repository : Repository
    solutions : str
        Address of the worked solutions, as seen from this notebook; empty if students are not to find them.
    cases : dict, optional
        Public cases that lrlib does not bring.
    """
    notebook = nbformat.from_dict(master.notebook)
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        if "spec" in cell.metadata.get("tags", []):
            continue
        cell.source = _without_solution(cell, f"{master.path}, cell {number}")
        if cell.source.strip():
            cells.append(cell)
    if solutions:
        text = f"When you have an answer to every question, compare: [worked solutions]({solutions})."
        cells.append(nbformat.from_dict({"cell_type": "markdown", "metadata": {}, "source": text}))
    notebook.cells = with_cases(cells, cases)
    notebook.metadata["exercises"] = {"set": master.exercises.name, "version": master.exercises.version}
    return publishing.prepare(notebook, f"exercises/{master.exercises.name}", repository)


def with_cases(cells: list[NotebookNode], cases: dict | None) -> list[NotebookNode]:
    """Return the cells with one that brings public cases, below the title; if there are none, the same cells.

    A notebook is all that a student has, so what `check` needs to know must stand in it.
    """
    if cases is None:
        return cells
    packed = base64.b64encode(zlib.compress(json.dumps(cases, ensure_ascii=False).encode(), 9)).decode()
    lines = "\n".join(packed[start : start + 110] for start in range(0, len(packed), 110))
    source = (
        "# @title What `check` knows about these exercises. Run this cell and leave it as it is.\n"
        f'from lrlib.exercises import load\n\nload("""\n{lines}\n""")'
    )
    # Folded in Colab and in JupyterLab; the page of the book has no use for it.
    metadata = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["cases", "remove-cell"]}
    cell = {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}
    return [*cells[:1], nbformat.from_dict(cell), *cells[1:]]


def _without_solution(cell: NotebookNode, where: str) -> str:
    if cell.cell_type == "code":
        source = CODE_SOLUTION.sub(_instead, cell.source).rstrip("\n")
    else:
        # Elsewhere it explains a solution.
        instead = "*Your answer here.*" if ANSWER.match(cell.source) else ""
        source = PROSE_SOLUTION.sub(instead, cell.source).rstrip("\n")
    if MARKER.search(source):
        raise MasterError(f"{where}: BEGIN SOLUTION and END SOLUTION do not match")
    return source


def _instead(match: re.Match) -> str:
    # At the top level the lines around a solution say what is to be filled in, such as `rate = ...`.
    return f'{match["indent"]}raise NotImplementedError("your code here")\n' if match["indent"] else ""
