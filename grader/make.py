"""Writes what is made from the masters, where it is stale: student notebooks and public cases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nbformat

import publishing
from grader.masters import find, load, student_notebook
from grader.public import public_cases, same, write_json
from publishing.stale import digest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Folders:
    """Where things stand. Private masters have folders of their own."""

    masters: Path = ROOT / "exercises"
    students: Path = ROOT / "exercises" / "student"
    cases: Path = ROOT / "lrlib" / "exercises" / "cases"
    #: what the last run was made from, so that a second one has nothing to do
    record: Path = ROOT / "_build" / "exercises.json"

    def made_from(self, master: Path) -> tuple[Path, Path]:
        """Return the paths of the student notebook and of the public cases of a master."""
        name = Path(master.parent.name) / master.stem
        return self.students / name.with_suffix(".ipynb"), self.cases / name.with_suffix(".json")


def masters_in(folders: Folders) -> list[Path]:
    """Return the masters, which may stand beside the folder of the student notebooks."""
    return [path for path in find(folders.masters) if folders.students not in path.parents]


def make(folders: Folders, *, check: bool = False, force: bool = False) -> list[str]:
    """Make what is stale and return a line about each file that was (or, with `check`, would be) written or removed.

    Parameters
    ----------
    folders : Folders
    check : bool
        Write nothing.
    force : bool
        Run every master again, also where nothing has changed since the last time.
    """
    repository = publishing.read_repository(ROOT / "_config.yml")
    masters = masters_in(folders)
    done = json.loads(folders.record.read_text()) if folders.record.exists() else {}
    changes = _orphans(folders, masters, check=check)
    for path in masters:
        key = str(path.resolve())
        if not force and done.get(key) == _inputs(folders, path):
            continue
        master = load(path)
        notebook, cases = folders.made_from(path)
        changes += _write_notebook(student_notebook(master, repository), notebook, check=check)
        changes += _write_cases(public_cases(master.exercises), cases, check=check)
        done[key] = _inputs(folders, path)
    if not check:
        folders.record.parent.mkdir(parents=True, exist_ok=True)
        folders.record.write_text(json.dumps(done, indent=1))
    return changes


def _inputs(folders: Folders, master: Path) -> str:
    """Return a hash of all that the files made from a master depend on, and of these files."""
    code = [path for package in ("grader", "lrlib", "publishing") for path in (ROOT / package).rglob("*.py")]
    own = [path for path in folders.made_from(master) if path.exists()]
    return digest(ROOT, [*code, ROOT / "_config.yml"]) + digest(Path("/"), [p.resolve() for p in [master, *own]])


def _orphans(folders: Folders, masters: list[Path], *, check: bool) -> list[str]:
    wanted = {path for master in masters for path in folders.made_from(master)}
    found = [*folders.students.glob("*/*.ipynb"), *folders.cases.glob("*/*.json")]
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


def _write_cases(content: dict, path: Path, *, check: bool) -> list[str]:
    # Not compared byte by byte: another processor may round another way, and the committed file is as good.
    if path.exists() and same(json.loads(path.read_text("utf-8")), content):
        return []
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write_json(content) + "\n", encoding="utf-8", newline="\n")
    return [f"{path}: is not what its master makes"]
