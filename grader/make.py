"""Writes what is made from the masters, where it is stale: student notebooks, public cases and worked solutions."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import nbformat

import publishing
from grader import solutions
from grader.masters import Master, MasterError, find, load, student_notebook
from grader.public import public_cases, same, write_json
from publishing.stale import digest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Folders:
    """Where things stand. Private masters have folders of their own.

    Parameters
    ----------
    masters, students, cases : Path
    solutions : Path, optional
        Without it no worked solutions are written, so that nobody hands them out by mistake.
    record : Path
        What the last run was made from, so that a second one has nothing to do.

    Raises
    ------
    ValueError
        If the worked solutions would lie among what students get, or the other way round.
    """

    masters: Path
    students: Path
    cases: Path
    solutions: Path | None = None
    record: Path = ROOT / "_build" / "exercises.json"

    def __post_init__(self) -> None:
        for name in ("students", "cases"):
            given = getattr(self, name)
            if self.solutions and (
                given in (self.solutions, *self.solutions.parents) or self.solutions in given.parents
            ):
                raise ValueError(f"solutions must lie apart from {name} ({given}), got {self.solutions}")

    @property
    def published(self) -> bool:
        """Whether the set is part of the course: lrlib brings its cases, and students may find its solutions."""
        return self.cases == COURSE.cases

    def made_from(self, master: Path) -> tuple[Path, ...]:
        """Return the paths of what is made from a master: student notebook, public cases, and worked solutions."""
        name = Path(master.parent.name) / master.stem
        made = self.students / name.with_suffix(".ipynb"), self.cases / name.with_suffix(".json")
        return (*made, self.solutions / name.with_suffix(".ipynb")) if self.solutions else made


COURSE = Folders(
    masters=ROOT / "exercises",
    students=ROOT / "exercises" / "student",
    cases=ROOT / "lrlib" / "exercises" / "cases",
    solutions=ROOT / "exercises" / "solutions",
)


def masters_in(folders: Folders) -> list[Path]:
    """Return the masters, which may stand beside the folders of what is made from them."""
    return [path for path in find(folders.masters) if folders.students not in path.parents]


def make(folders: Folders, *, check: bool = False, force: bool = False) -> list[str]:
    """Make what is stale and return a line about each file that was (or, with `check`, would be) written or removed.

    Parameters
    ----------
    folders : Folders
    check : bool
        Write nothing.
    force : bool
        Run every master again, and its worked solutions, also where nothing has changed since the last time.

    Raises
    ------
    MasterError
        If something cannot be made from a master.
    """
    repository = publishing.read_repository(ROOT / "_config.yml")
    masters = masters_in(folders)
    done = json.loads(folders.record.read_text()) if folders.record.exists() else {}
    changes = _orphans(folders, masters, check=check)
    for path in masters:
        key = str(path.resolve())
        there = all(made.exists() for made in folders.made_from(path))
        if there and not force and done.get(key) == _inputs(folders, path):
            continue
        master = load(path)
        notebook, cases, *solution = folders.made_from(path)
        content = _public_cases(master, cases)
        brought = {} if folders.published else {"cases": content}
        compare = _address(solution[0], notebook) if solution and folders.published else ""
        given = student_notebook(master, repository, solutions=compare, **brought)
        changes += _write_notebook(given, notebook, check=check)
        changes += _write_cases(content, cases, check=check)
        for file in solution:
            wanted = solutions.solution_notebook(master, repository, exercises=_address(notebook, file), **brought)
            changes += _write_solutions(wanted, file, master, check=check, force=force)
        done[key] = _inputs(folders, path)
    if not check:
        folders.record.parent.mkdir(parents=True, exist_ok=True)
        folders.record.write_text(json.dumps(done, indent=1))
    return changes


def _address(page: Path, seen_from: Path) -> str:
    return Path(os.path.relpath(page, seen_from.parent)).as_posix()


def _public_cases(master: Master, path: Path) -> dict:
    made = public_cases(master.exercises)
    there = json.loads(path.read_text("utf-8")) if path.exists() else None
    # Not compared byte by byte: another processor may round another way, and the file that is there is as good.
    return there if same(there, made) else made


def _inputs(folders: Folders, master: Path) -> str:
    """Return a hash of all that the files made from a master depend on, and of these files."""
    code = [path for package in ("grader", "lrlib", "publishing") for path in (ROOT / package).rglob("*.py")]
    own = [path for path in folders.made_from(master) if path.exists()]
    return digest(ROOT, [*code, ROOT / "_config.yml"]) + digest(Path("/"), [p.resolve() for p in [master, *own]])


def _orphans(folders: Folders, masters: list[Path], *, check: bool) -> list[str]:
    wanted = {path for master in masters for path in folders.made_from(master)}
    found = [*folders.students.glob("*/*.ipynb"), *folders.cases.glob("*/*.json")]
    found += folders.solutions.glob("*/*.ipynb") if folders.solutions else []
    orphans = [path for path in sorted(found) if path not in wanted]
    if not check:
        for path in orphans:
            path.unlink()
    return [f"{path}: has no master" for path in orphans]


def _write_notebook(notebook: nbformat.NotebookNode, path: Path, *, check: bool) -> list[str]:
    if path.exists() and path.read_text("utf-8") == nbformat.writes(notebook) + "\n":
        return []
    if not check:
        publishing.write(notebook, path)
    return [f"{path}: is not what its master makes"]


def _write_solutions(
    wanted: nbformat.NotebookNode, path: Path, master: Master, *, check: bool, force: bool
) -> list[str]:
    fresh = path.exists() and not solutions.stale(publishing.read(path), wanted)
    if fresh and (check or not force):
        return []
    if not check:
        from publishing.chapters import require_own_lrlib  # not above: where one only grades, nothing runs notebooks

        try:
            require_own_lrlib(ROOT)
        except RuntimeError as error:
            raise MasterError(f"{path}: {error}") from error
        before = path.read_bytes() if path.exists() else b""
        solutions.run(wanted, master)
        publishing.write(wanted, path)
        if path.read_bytes() == before:
            return []
    return [f"{path}: is not what its master makes"]


def _write_cases(content: dict, path: Path, *, check: bool) -> list[str]:
    if path.exists() and json.loads(path.read_text("utf-8")) == content:
        return []
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write_json(content) + "\n", encoding="utf-8", newline="\n")
    return [f"{path}: is not what its master makes"]
