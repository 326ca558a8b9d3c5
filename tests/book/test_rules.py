"""The rules of the book notice what is against them, and nothing else."""

from __future__ import annotations

import nbformat
import pytest
import rules
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from publishing.execute import VIEW

WORDS = "The loss falls by half at every one of the first ten steps."
GOOD = r"""# Title

A note with `{x}` in `code`, $\theta_{t}$, and sets $\{1, 2\}$.

```python
# not a heading
f"{a}"
```

$$x = \begin{aligned} 1 \end{aligned} \tag{1}$$

## Section

$$
y = 2 \tag{2}
$$
"""


def prose(text):
    return new_notebook(cells=[new_markdown_cell(text)])


def code(source="1", count=1, data=None, **metadata):
    outputs = [new_output("display_data", data=data)] if data else []
    return new_code_cell(source, execution_count=count, outputs=outputs, metadata=metadata)


def figure(text, alt="", **data):
    return code(data={"image/png": "AAAA", "text/plain": text, **data}, mystnb={"image": {"alt": alt}})


def live(text=WORDS):
    return code(data={VIEW: {"model_id": "1"}, "image/png": "AAAA", "text/plain": text})


@pytest.mark.parametrize("rule", rules.OF_CHAPTERS, ids=lambda rule: rule.__name__)
def test_plain_chapter_is_accepted(rule):
    assert list(rule(prose(GOOD))) == []


@pytest.mark.parametrize("rule", rules.OF_NOTEBOOKS, ids=lambda rule: rule.__name__)
def test_executed_notebook_is_accepted(rule):
    second = figure(WORDS, WORDS)
    second.execution_count = 2
    assert list(rule(new_notebook(cells=[live(), second]))) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (rules.of_markdown, "```{note}\nx\n```"),
        (rules.of_markdown, ":::{admonition} Title\n:::"),
        (rules.of_markdown, "see {cite:p}`adam`"),
        (rules.of_markdown, "see {ref}`there`"),
        (rules.of_headings, "no title"),
        (rules.of_headings, "# One\n\n# Two"),
        (rules.of_headings, "# One\n\n### Three"),
        (rules.of_headings, "# One\n\n## Same\n\n## Same"),
        (rules.of_headings, "\n## Late\n\n# Title"),
        (rules.of_equations, "$$x \\tag{2}$$"),
        (rules.of_equations, "$$x \\tag{1}$$\n\n$$y \\tag{1}$$"),
        (rules.of_equations, "$$x \\tag{1}"),
        (rules.of_equations, "$x$ \\tag{1}"),
        (rules.of_equations, "\\begin{align}x\\end{align}"),
        (rules.of_equations, "\\[x\\]"),
    ],
)
def test_text_against_a_rule_is_noticed(rule, text):
    assert list(rule(prose(text))) != []


@pytest.mark.parametrize(
    ("rule", "cell"),
    [
        (rules.of_code, code("x = 1\n" * 21)),
        (rules.of_code, code("# nothing")),
        (rules.of_execution, code(count=None)),
        (rules.of_execution, code(count=2)),
        (rules.of_execution, new_code_cell("1", execution_count=1, outputs=[new_output("error", evalue="bad")])),
        (rules.of_execution, new_code_cell("1", execution_count=1, outputs=[new_output("stream", name="stderr")])),
        (rules.of_machines, code(data={"text/plain": "/home/me/file"})),
        (rules.of_machines, code(data={"text/plain": "<object at 0x7f1ed1608810>"})),
        (rules.of_machines, new_code_cell("1", outputs=[new_output("stream", text="at 2026-01-01T10:00:00")])),
        (rules.of_machines, code(execution={"iopub.execute_input": "x"})),
        (rules.of_figures, live("")),
        (rules.of_figures, live("<LiveFigure with a great many words in its representation>")),
        (rules.of_figures, code(data={VIEW: {"model_id": "1"}, "text/plain": WORDS})),
    ],
)
def test_cell_against_a_rule_is_noticed(rule, cell):
    assert list(rule(new_notebook(cells=[cell]))) != []


@pytest.mark.parametrize(
    ("text", "alt"),
    [("<Figure size 640x480 with 1 Axes>", WORDS), (WORDS, "Figure 1"), (WORDS, ""), ("A figure.", "A figure.")],
)
def test_figure_without_a_description_is_noticed(text, alt):
    assert list(rules.of_figures(new_notebook(cells=[live(), figure(text, alt)]))) != []


def test_notebook_without_a_live_figure_is_noticed():
    assert list(rules.of_figures(new_notebook(cells=[figure(WORDS, WORDS)]))) == ["has no live figure"]


def test_version_of_python_is_noticed():
    notebook = nbformat.from_dict(new_notebook(metadata={"language_info": {"name": "python", "version": "3.11.7"}}))
    assert list(rules.of_machines(notebook)) == ["records the version of Python"]
