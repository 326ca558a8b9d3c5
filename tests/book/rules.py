"""What every chapter and every notebook made from one must be: each rule returns what is against it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from publishing.execute import VIEW

LONGEST_CELL = 20  # lines of code
SHORTEST_DESCRIPTION = 8  # words

_DIRECTIVE = re.compile(r"^\s*(?:`{3,}|:{3,})\{(?!code-cell\})[\w:-]+\}", re.M)
_ROLE = re.compile(r"(?<![`\\$\w])\{[a-z]+(?::[a-z]+)?\}`[^`]")
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.M | re.S)
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_ENVIRONMENT = re.compile(r"\\begin\{(?:equation|align|gather|multline)\*?\}|\\\[|\\\]")
_MACHINE = re.compile(
    r"/(?:home|root|tmp|work|Users|content|var|opt|usr)/[\w.-]+|site-packages|[A-Z]:\\\\|ipykernel_\d|"
    r"\d{4}-\d\d-\d\dT\d\d:\d\d|\b0x[0-9a-f]{8,16}\b"
)


def of_markdown(notebook: NotebookNode) -> Iterator[str]:
    """Colab, Jupyter and GitHub show MyST as it is written: a chapter is plain Markdown."""
    for text in _prose(notebook):
        for pattern in (_DIRECTIVE, _ROLE):
            yield from (f"only Jupyter Book understands {found.group().strip()!r}" for found in pattern.finditer(text))


def of_headings(notebook: NotebookNode) -> Iterator[str]:
    """One title, which comes first, and no level left out below it."""
    titles = [line for text in _prose(notebook) for line in _FENCE.sub("", text).splitlines() if re.match(r"#+ ", line)]
    levels = [len(title.split()[0]) for title in titles]
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        yield "does not begin with its title"
    if levels.count(1) != 1:
        yield f"has {levels.count(1)} titles"
    for above, level, title in zip(levels, levels[1:], titles[1:], strict=False):
        if level > above + 1:
            yield f"leaves out a level above {title!r}"
    yield from (f"has two headings {title!r}" for title in sorted(set(titles)) if titles.count(title) > 1)


def of_equations(notebook: NotebookNode) -> Iterator[str]:
    r"""Displayed equations stand between ``$$`` and are numbered with ``\tag`` in their order."""
    numbers: list[str] = []
    for text in _prose(notebook):
        text = _INLINE_CODE.sub("", _FENCE.sub("", text))
        parts = text.split("$$")
        if len(parts) % 2 == 0:
            yield f"has an odd number of $$ after {parts[-1][:40]!r}"
        for outside in parts[::2]:
            yield from (f"sets {found.group()} outside $$" for found in _ENVIRONMENT.finditer(outside))
            if "\\tag" in outside:
                yield f"has a \\tag outside $$: {outside[:40]!r}"
        numbers += re.findall(r"\\tag\{([^}]*)\}", "".join(parts[1::2]))
    if numbers != [str(number) for number in range(1, len(numbers) + 1)]:
        yield f"numbers its equations {', '.join(numbers)}"


def of_code(notebook: NotebookNode) -> Iterator[str]:
    """A cell is read at one glance."""
    for cell in _code(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]
        if len(lines) > LONGEST_CELL:
            yield f"has a cell of {len(lines)} lines of code, which begins {lines[0]!r}"
        if not lines:
            yield "has an empty code cell"


def of_execution(notebook: NotebookNode) -> Iterator[str]:
    """Every cell ran, once, in order, and none failed."""
    counts = [cell.execution_count for cell in _code(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"counts its cells {counts}"
    for cell in _code(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"shows an error: {output.evalue}"
            if output.get("name") == "stderr" and "may-warn" not in cell.metadata.get("tags", []):
                yield f"shows a warning: {output.text}"


def of_machines(notebook: NotebookNode) -> Iterator[str]:
    """Nothing tells on which machine or when it was made."""
    for cell in _code(notebook):
        if "execution" in cell.metadata:
            yield "records when its cells ran"
        texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        yield from (f"shows {found.group()!r}" for text in texts for found in _MACHINE.finditer(str(text)))
    if "version" in notebook.metadata.get("language_info", {}):
        yield "records the version of Python"


def of_figures(notebook: NotebookNode) -> Iterator[str]:
    """Every figure says in words what it shows, and one at least is live."""
    live = 0
    for cell in _code(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            live += VIEW in data
            if VIEW not in data and "image/png" not in data and "image/svg+xml" not in data:
                continue
            own = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            for described in {data.get("text/plain", ""), own or data.get("text/plain", "")}:
                if len(described.split()) < SHORTEST_DESCRIPTION or described.startswith("<"):
                    yield f"has a figure described as {described!r}"
            if VIEW not in data and not own:
                yield f"has a figure without alternative text on the page: {data.get('text/plain')!r}"
            if VIEW in data and "image/png" not in data:
                yield "has a live figure without a still image"
    if not live:
        yield "has no live figure"


def _prose(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


OF_CHAPTERS = (of_markdown, of_headings, of_equations, of_code)
OF_NOTEBOOKS = (of_execution, of_machines, of_figures)
