"""The chapters of a book: which there are, what is made from each, and making it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from publishing.execute import CellError, execute
from publishing.notebook import Repository, prepare, read, write
from publishing.stale import RECORDED, fingerprint, library, result


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book under `root`.

    Parameters
    ----------
    root : Path
        The repository.
    name : str
        Part and topic, such as ``"optimizers/adam"``; the front page is ``"index"``.
    """

    root: Path
    name: str

    @property
    def text(self) -> Path:
        """What people edit."""
        return self.root / "chapters" / f"{self.name}.md"

    @property
    def notebook(self) -> Path:
        """What is made."""
        return self.root / "book" / f"{self.name}.ipynb"


class NotMade(Exception):
    """A chapter whose notebook could not be made; the message says where and why."""


def chapters(root: Path) -> list[Chapter]:
    """Return every chapter under `root`, by name, and the front page."""
    folder = root / "chapters"
    names = [text.relative_to(folder).with_suffix("").as_posix() for text in _visible(folder, ".md")]
    return [Chapter(root, name) for name in sorted(names)]


def orphans(root: Path) -> list[Path]:
    """Return the notebooks under ``book/`` that no chapter makes."""
    made = {chapter.notebook for chapter in chapters(root)}
    return sorted(path for path in _visible(root / "book", ".ipynb") if path not in made)


def unexecuted(chapter: Chapter, repository: Repository) -> NotebookNode:
    """Return a chapter's notebook as it is before it runs."""
    return prepare(read(chapter.text), chapter.name, repository)


def make(chapter: Chapter, repository: Repository) -> None:
    """Execute a chapter and write its notebook.

    Raises
    ------
    NotMade
        If the chapter has a bad cell; the notebook that was there stays.
    """
    today = fingerprint(chapter.root, chapter.text)
    notebook = unexecuted(chapter, repository)
    try:
        execute(notebook, chapter.name)
    except CellError as error:
        raise NotMade(f"{_place(chapter, error)}: {error}") from error
    notebook.metadata[RECORDED] = {"from": f"chapters/{chapter.name}.md", "result": result(notebook), **today}
    write(notebook, chapter.notebook)


def require_own_lrlib(root: Path) -> None:
    """Raise RuntimeError unless the lrlib that kernels import has the sources of the one under `root`."""
    finder = "import importlib.util as u; spec = u.find_spec('lrlib'); print(spec.origin if spec else '')"
    with tempfile.TemporaryDirectory() as empty:
        found = subprocess.run(
            [sys.executable, "-c", finder], cwd=empty, env=os.environ, capture_output=True, text=True, check=True
        ).stdout.strip()
    if not found:
        raise RuntimeError(f"notebooks cannot import lrlib: install it first (pip install -e {root})")
    package, own = Path(found).parent, root / "lrlib"
    if package == own:
        return
    if library(package, package / "results") != library(own, root / "experiments" / "results"):
        raise RuntimeError(f"notebooks would run with the lrlib in {package}, which is not the one in {own}")


def _visible(folder: Path, suffix: str) -> list[Path]:
    """Return the files of a folder and of the folders in it. Jupyter keeps its checkpoints in hidden ones."""
    return [*folder.glob(f"*{suffix}"), *folder.glob(f"[!.]*/*{suffix}")]


def _place(chapter: Chapter, error: CellError) -> str:
    """Name the line of the text where a cell begins, so that an editor can jump to it."""
    text = chapter.text.read_text("utf-8")
    start = text.find(error.source)
    line = f":{text.count(chr(10), 0, start) + 1}" if start >= 0 else ""
    return f"chapters/{chapter.name}.md{line}"
