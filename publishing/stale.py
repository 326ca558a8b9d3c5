"""Tells which notebooks no longer are what their text and sources make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from publishing.notebook import read, read_repository

SOURCES = {".py", ".js", ".css", ".json"}
RECORDED = "made"  # the notebook's metadata key
# What of this package shapes a notebook; the command line does not.
SHAPING = ("notebook.py", "execute.py")


def fingerprint(root: Path, chapter: Path) -> dict[str, str]:
    """Return a hash of everything that a notebook depends on, by kind.

    Parameters
    ----------
    root : Path
        The repository.
    chapter : Path
        The text that the notebook is made from.
    """
    return {
        "text": digest(root, [chapter]),
        # Exercises import lrlib, no chapter imports the exercises: a new hint leaves the chapters alone.
        **library(root / "lrlib", root / "experiments" / "results", without=root / "lrlib" / "exercises"),
        "publishing": digest(Path(__file__).parent, [Path(__file__).with_name(name) for name in SHAPING]),
        "repository": hashlib.sha256(repr(read_repository(root / "_config.yml")).encode()).hexdigest()[:16],
    }


def library(package: Path, records: Path, without: Path | None = None) -> dict[str, str]:
    """Return a hash of lrlib's sources and one of the recorded results that it reads.

    Parameters
    ----------
    package : Path
        The folder ``lrlib``, of the repository or installed.
    records : Path
        The folder of the records: ``experiments/results``, or ``results`` in an installed ``lrlib``.
    without : Path, optional
        A folder of the package that does not count.
    """
    sources = [
        path
        for path in package.rglob("*")
        if path.suffix in SOURCES
        and "__pycache__" not in path.parts
        and not {records, without}.intersection(path.parents)
    ]
    return {"lrlib": digest(package, sources), "records": digest(records, records.glob("*.json"))}


def digest(base: Path, files: Iterable[Path]) -> str:
    """Return a hash of the names relative to `base` and of the contents of `files`."""
    total = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{path.relative_to(base).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()[:16]


def reason(notebook: Path, today: dict[str, str]) -> str | None:
    """Say why a notebook has to be made again, or return None if it has not."""
    if not notebook.exists():
        return "not made yet"
    content = read(notebook)
    recorded = content.metadata.get(RECORDED, {})
    changed = [kind for kind, value in today.items() if recorded.get(kind) != value]
    if changed:
        return f"changed since it was made: {', '.join(changed)}"
    return None if recorded.get("result") == result(content) else "edited by hand, or merged"


def result(notebook: NotebookNode) -> str:
    """Return a hash of a notebook's cells, outputs and widgets.

    A notebook that is run again is compared by its texts alone: only this hash notices a figure that is gone.
    """
    content = json.dumps([notebook.cells, notebook.metadata.get("widgets")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
