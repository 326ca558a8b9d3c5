"""Runs a notebook in an empty folder and leaves in it only what every run and every machine would."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path

import ipykernel.kernelspec
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
CELL_TIMEOUT = 120  # seconds
# A cell with this tag may print to stderr; anywhere else a warning is a defect of the chapter.
MAY_WARN = "may-warn"
# Several notebooks run at once, and a sum over several threads may differ in its last digit.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{8,16}\b")
_MODEL_REFERENCE = re.compile(r"IPY_MODEL_([0-9a-f]{32})")


class CellError(Exception):
    """A cell that raised, warned, or shows what cannot be published.

    Parameters
    ----------
    number : int
        The cell's place in the notebook, from 1, Markdown cells counted.
    source : str
        The cell's code.
    reason : str
        What is wrong, with the traceback if there is one.
    """

    def __init__(self, number: int, source: str, reason: str) -> None:
        self.number = number
        self.source = source
        self.reason = reason
        code = "\n".join(f"    {line}" for line in source.splitlines())
        super().__init__(f"cell {number}:\n{code}\n{reason}")


class _ThisPython(KernelSpecManager):
    """Finds the kernel of the running Python, whatever kernels a user has installed under its name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=ipykernel.kernelspec.RESOURCES, **ipykernel.kernelspec.get_kernel_dict())


def execute(notebook: NotebookNode, name: str) -> None:
    """Run a prepared notebook and fill in its outputs, in place.

    The kernel starts in an empty folder and sees the lrlib that is installed or given by ``PYTHONPATH``.

    Parameters
    ----------
    notebook : NotebookNode
        As `publishing.prepare` returns it.
    name : str
        What distinguishes this notebook in the book; the ids of its widgets depend on it.

    Raises
    ------
    CellError
        If a cell raises, takes longer than `CELL_TIMEOUT`, prints to stderr without the tag `MAY_WARN`,
        or shows a memory address or two figures.
    """
    with tempfile.TemporaryDirectory(prefix="notebook-") as scratch:
        _run(notebook, Path(scratch))
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            _check_clean(number, cell)
            _describe_figure(number, cell)
    _keep_widgets_in_use(notebook, name)


def _run(notebook: NotebookNode, scratch: Path) -> None:
    language = notebook.metadata.language_info
    empty = scratch / "empty"
    empty.mkdir()
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython())
    if os.name == "posix":
        # Kernels that start at the same moment can pick the same TCP port; files of their own cannot clash.
        kernel.transport, kernel.ip = "ipc", str(scratch / "kernel")
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_TIMEOUT,
        resources={"metadata": {"path": str(empty)}},
        record_timing=False,
        store_widget_state=True,
        coalesce_streams=True,  # else the number of outputs depends on when the kernel flushed
        force_raise_errors=True,
    )
    # An own IPython folder: a user's start-up files and history stay out of the book.
    environment = os.environ | ONE_THREAD | {"IPYTHONDIR": str(scratch / "ipython")}
    reached = [0]
    client.on_cell_execute = lambda cell, cell_index: reached.append(cell_index)
    with open(scratch / "kernel.log", "w+", encoding="utf-8") as log:
        try:
            client.execute(env=environment, cleanup_kc=True, stderr=log)
        except Exception as error:
            cell = notebook.cells[reached[-1]]
            log.seek(0)
            why = _traceback(cell) or f"{type(error).__name__}: {error}\n{log.read()}"
            raise CellError(reached[-1] + 1, cell.source, why) from error
    notebook.metadata.language_info = language


def _traceback(cell: NotebookNode) -> str:
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return "\n".join(_TERMINAL_COLOUR.sub("", line) for error in errors for line in error.traceback)


def _check_clean(number: int, cell: NotebookNode) -> None:
    for output in cell.outputs:
        text = output.get("text") or str(output.get("data", {}).get("text/plain", ""))
        if output.get("name") == "stderr" and MAY_WARN not in cell.metadata.get("tags", []):
            raise CellError(number, cell.source, f"printed to stderr (mend it, or tag the cell {MAY_WARN}):\n{text}")
        if _ADDRESS.search(text):
            raise CellError(number, cell.source, f"shows a memory address, which every run changes:\n{text}")


def _describe_figure(number: int, cell: NotebookNode) -> None:
    """Copy a figure's text into the cell's metadata, where MyST-NB looks for an image's alternative text."""
    shown = [output.get("data", {}) for output in cell.outputs]
    figures = [data for data in shown if "image/png" in data and VIEW not in data]
    if len(figures) > 1:
        raise CellError(number, cell.source, "shows 2 figures or more: a cell has room for one alternative text")
    if figures and "text/plain" in figures[0]:
        image = cell.metadata.setdefault("mystnb", {}).setdefault("image", {})
        image.setdefault("alt", " ".join(figures[0]["text/plain"].split()))


def _keep_widgets_in_use(notebook: NotebookNode, name: str) -> None:
    """Drop the state of models that no output shows, and give the others ids that every run gives."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]
    if not shown:
        notebook.metadata.pop("widgets", None)
        return
    state = notebook.metadata.widgets[STATE]["state"]
    in_use = list(dict.fromkeys(shown))
    for model in in_use:  # grows as models name further models
        references = _MODEL_REFERENCE.findall(json.dumps(state[model], sort_keys=True))
        in_use += [found for found in dict.fromkeys(references) if found not in in_use]
    notebook.metadata.widgets[STATE]["state"] = {model: state[model] for model in in_use}

    # Model ids are 32 random hexadecimal digits: nothing else in a notebook can be mistaken for one.
    text = json.dumps(notebook)
    for position, model in enumerate(in_use):
        text = text.replace(model, hashlib.sha256(f"{name} widget {position}".encode()).hexdigest()[:32])
    notebook.clear()
    notebook.update(nbformat.from_dict(json.loads(text)))
