"""Text to notebook: reading, derived cell ids, the Colab cell, writing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What the kernel reports, without the patch version of Python, which differs between machines.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


@dataclass(frozen=True)
class Repository:
    """Where readers find this book's source.

    Parameters
    ----------
    url : str
        Address that ``git clone`` understands.
    branch : str
        Branch that readers install from.
    """

    url: str
    branch: str


def read_repository(config: Path) -> Repository:
    """Return the repository named in a Jupyter Book configuration.

    Parameters
    ----------
    config : Path
        A ``_config.yml`` with ``repository: {url: ..., branch: ...}``.

    Raises
    ------
    ValueError
        If the address or the branch is missing.
    """
    entries = (yaml.safe_load(config.read_text("utf-8")) or {}).get("repository") or {}
    for key in ("url", "branch"):
        if not entries.get(key):
            raise ValueError(f"repository.{key} must be set in {config}, got {entries.get(key)!r}")
    return Repository(url=entries["url"].rstrip("/"), branch=entries["branch"])


def read(path: Path) -> NotebookNode:
    """Return the notebook that a MyST text (``.md``) or an ``.ipynb`` file holds, as it stands there."""
    path = Path(path)
    text = path.read_text("utf-8")
    return nbformat.reads(text, as_version=4) if path.suffix == ".ipynb" else jupytext.reads(text, fmt="md:myst")


def prepare(notebook: NotebookNode, name: str, repository: Repository) -> NotebookNode:
    """Return a copy that anyone can open: with the Colab cell, derived cell ids and fixed metadata.

    Outputs and execution counts are dropped. The same notebook, name and repository give the same result.

    Parameters
    ----------
    notebook : NotebookNode
        As `read` returns it.
    name : str
        What distinguishes this notebook in the book, such as ``"optimizers/adam"``. Cell ids depend on it.
    repository : Repository
        Where the Colab cell installs lrlib from.
    """
    metadata = {key: value for key, value in notebook.metadata.items() if key not in ("jupytext", "widgets")}
    metadata |= {"kernelspec": KERNEL, "language_info": LANGUAGE}
    cells = [_bare(cell) for cell in notebook.cells]
    # After the title, so that the page and the notebook still begin with it.
    title_first = bool(cells) and cells[0].cell_type == "markdown"
    cells.insert(1 if title_first else 0, _colab_cell(repository))
    _derive_ids(cells, name)
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a valid notebook to `path` in one move: either all of it is there or the old file is."""
    nbformat.validate(notebook)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    unfinished.replace(path)


def _bare(cell: NotebookNode) -> NotebookNode:
    bare = {"cell_type": cell.cell_type, "metadata": cell.metadata, "source": cell.source}
    if cell.cell_type == "code":
        bare |= {"execution_count": None, "outputs": []}
    return nbformat.from_dict(bare)


def _colab_cell(repository: Repository) -> NotebookNode:
    source = (
        "import sys\n\n"
        'if "google.colab" in sys.modules:  # anywhere else lrlib is already installed\n'
        f'    %pip install -q "lrlib @ git+{repository.url}@{repository.branch}"'
    )
    metadata = {"tags": ["colab", "remove-cell"]}
    return nbformat.from_dict(
        {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}
    )


def _derive_ids(cells: list[NotebookNode], name: str) -> None:
    # From the content and not from the position: a new paragraph leaves the ids after it alone.
    seen: dict[str, int] = {}
    for cell in cells:
        content = f"{name}\n{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell["id"] = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()[:12]
