"""Runs a chapter once, and once more for each mutant from where it differs: `python mutation.py CHAPTER MUTANTS`.

A mutant is a change that makes one claim false. Its process is forked off the chapter's own just before the
first cell that it changes, so that what comes before is computed once. Prints what happened as JSON.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import linecache
import os
import signal
import sys
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from unittest.mock import MagicMock

import yaml

MUTANT_TIMEOUT = 60  # seconds
KEYS = ({"replace", "with"}, {"before"}, {"before", "at"}, {"replace", "with", "before"})


@dataclass(frozen=True)
class Mutant:
    """A change of the chapter under which the claim `id` should fail.

    Parameters
    ----------
    id : str
        The claim.
    label : str
        The id and the number of the mutant in its list, for messages.
    cells : tuple of str
        The code of the chapter with the change.
    first : int
        Index of the first cell that the change touches.
    last : int
        Index of the cell that holds the claim.
    """

    id: str
    label: str
    cells: tuple[str, ...]
    first: int
    last: int


@dataclass
class Outcome:
    """What became of a chapter and its mutants.

    Parameters
    ----------
    defects : list of str
        What is wrong with the file of mutants itself.
    ran : list of str
        Ids of the claims that the chapter made, in order.
    error : str
        The traceback if the unchanged chapter fails, else empty.
    mutants : dict
        For each mutant's label, the id of the claim that failed first, or what happened instead.
    """

    defects: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    error: str = ""
    mutants: dict[str, str] = field(default_factory=dict)


def claims(cells: list[str]) -> dict[str, int]:
    """Return the ids that cells claim, in order, with the index of the cell.

    Raises
    ------
    ValueError
        If an id is not a plain string, or stands twice.
    """
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        calls = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
        for call in calls:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
            if name != "claim":
                continue
            id = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
            if not isinstance(id, str):
                raise ValueError(f"a claim's id must be a plain string, its first argument: {ast.unparse(call)}")
            if id in found:
                raise ValueError(f"claim {id} is made twice")
            found[id] = index
    return found


def mutants(cells: list[str], written: dict) -> tuple[list[Mutant], list[str]]:
    """Return the mutants that a file describes, and what is wrong with those that cannot be applied.

    Parameters
    ----------
    cells : list of str
        The code of the chapter.
    written : dict
        Claim id -> list of changes. A change is ``{replace: TEXT, with: TEXT}``, where the text stands
        once in the chapter's code, or ``{before: CODE}``, which runs before the chapter, or
        ``{before: CODE, at: TEXT}``, which runs before the one cell that holds the text.
    """
    made, defects = [], []
    known = claims(cells)
    defects += [f"claim {id} has no mutant" for id in known if not written.get(id)]
    defects += [f"there is no claim {id}" for id in written if id not in known]
    for id in known:
        for number, change in enumerate(written.get(id) or [], start=1):
            label = f"{id} [{number}]"
            try:
                made.append(_mutant(id, label, cells, change, known[id]))
            except (ValueError, SyntaxError) as error:
                defects.append(f"{label}: {error}")
    return made, defects


def _mutant(id: str, label: str, cells: list[str], change: dict, last: int) -> Mutant:
    if set(change) not in KEYS:
        raise ValueError(f"a change is replace and with, or before, perhaps with at; got {sorted(change)}")
    changed, touched = list(cells), []
    if "replace" in change:
        index = _only_cell(cells, change["replace"])
        if change["replace"] == change["with"]:
            raise ValueError("changes nothing")
        changed[index] = cells[index].replace(change["replace"], change["with"])
        touched.append(index)
    if "before" in change:
        index = _only_cell(cells, change["at"]) if "at" in change else 0
        changed[index] = f"{change['before']}\n{changed[index]}"
        touched.append(index)
    if max(touched) > last:
        raise ValueError(f"changes cell {max(touched) + 1}, but the claim is made in cell {last + 1}")
    for index in touched:
        ast.parse(changed[index])
    return Mutant(id, label, tuple(changed), min(touched), last)


def _only_cell(cells: list[str], text: str) -> int:
    holding = [index for index, cell in enumerate(cells) for _ in range(cell.count(text))]
    if len(holding) != 1:
        raise ValueError(f"must stand once in the chapter's code, stands {len(holding)} times: {text!r}")
    return holding[0]


def still_figures() -> None:
    """Make lrlib's figures cost nothing: no claim is about pixels."""
    for module in map(importlib.import_module, ("lrlib.plots", "lrlib.widgets")):
        for name, value in vars(module).items():
            drawn = inspect.signature(value).return_annotation if inspect.isfunction(value) else ""
            if getattr(drawn, "__name__", str(drawn)).endswith("Figure"):
                setattr(module, name, MagicMock(name=name))


def run(cells: list[str], planned: list[Mutant], jobs: int) -> Outcome:
    """Run a chapter's code and every mutant of it, `jobs` mutants at once."""
    import lrlib

    outcome = Outcome()
    true_claim = lrlib.claims.claim

    def noted_claim(id, *args, **options):
        true_claim(id, *args, **options)
        outcome.ran.append(id)

    lrlib.claim = lrlib.claims.claim = noted_claim
    scope = {"__name__": "__main__", "display": lambda *shown, **options: None}
    waiting: dict[int, Mutant] = {}  # by the file that its result comes from
    for index, cell in enumerate(cells):
        for mutant in planned:
            if mutant.first == index:
                if len(waiting) >= jobs:
                    _collect(waiting, outcome)
                waiting[_fork(mutant, scope)] = mutant
        try:
            _execute(cell, index, scope)
        except BaseException:
            outcome.error = traceback.format_exc()
            break
    while waiting:
        _collect(waiting, outcome)
    return outcome


def _execute(cell: str, index: int, scope: dict) -> None:
    name = f"cell {index + 1}"
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)  # for tracebacks
    exec(compile(cell, name, "exec", dont_inherit=True), scope)


def _fork(mutant: Mutant, scope: dict) -> int:
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return reading
    signal.alarm(MUTANT_TIMEOUT)  # ends the process
    os.write(writing, _first_failure(mutant, scope).encode()[:4000])
    os._exit(0)


def _first_failure(mutant: Mutant, scope: dict) -> str:
    from lrlib.claims import ClaimError

    for index in range(mutant.first, mutant.last + 1):
        try:
            _execute(mutant.cells[index], index, scope)
        except ClaimError as error:
            return error.id
        except BaseException:
            return f"no claim failed, but cell {index + 1} raised:\n{traceback.format_exc()}"
    return "no claim failed"


def _collect(waiting: dict[int, Mutant], outcome: Outcome) -> None:
    reading = next(iter(waiting))
    mutant = waiting.pop(reading)
    with os.fdopen(reading) as pipe:
        outcome.mutants[mutant.label] = pipe.read() or f"no claim failed within {MUTANT_TIMEOUT} s"
    os.wait()


def main(chapter: Path, file: Path) -> Outcome:
    """Run the chapter at `chapter` and the mutants in `file`."""
    from publishing import read

    cells = [cell.source for cell in read(chapter).cells if cell.cell_type == "code"]
    written = yaml.safe_load(file.read_text("utf-8")) or {} if file.exists() else {}
    try:
        planned, defects = mutants(cells, written)
    except ValueError as error:
        return Outcome(defects=[str(error)])
    still_figures()
    outcome = run(cells, planned, jobs=os.cpu_count() or 1)
    outcome.defects = defects
    return outcome


if __name__ == "__main__":
    report = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # what the chapter prints is of no interest
        result = main(Path(sys.argv[1]), Path(sys.argv[2]))
    os.write(report, json.dumps(asdict(result)).encode())
