"""`python -m publishing`: what it makes, when it makes it again, and what it says when it cannot."""

from __future__ import annotations

import json
import re

import pytest

from publishing import Repository, prepare, read, read_repository, write
from publishing.chapters import chapters, orphans
from publishing.execute import STATE, VIEW
from publishing.stale import RECORDED


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_two_runs_make_the_same_bytes(made):
    first = made.chapter.notebook.read_bytes()
    assert made.publish("--force") == 0
    assert made.chapter.notebook.read_bytes() == first


def test_notebook_has_outputs_and_consecutive_counts(made):
    cells = code_cells(read(made.chapter.notebook))
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4]
    assert [len(cell.outputs) for cell in cells] == [0, 1, 1, 1]
    assert cells[1].outputs[0].text == "two 2\n"


def test_notebook_names_neither_machine_nor_moment(made):
    text = made.chapter.notebook.read_text("utf-8")
    assert str(made.root) not in text
    assert "execution" not in read(made.chapter.notebook).cells[2].metadata
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:", text)
    assert "version" not in read(made.chapter.notebook).metadata.language_info


def test_text_of_a_figure_becomes_the_alternative_text_of_its_image(made):
    figure = code_cells(read(made.chapter.notebook))[2]
    assert figure.metadata.mystnb.image.alt == "A line that rises from 0 to 1."
    assert figure.metadata.mystnb.figure.caption == "One message."


def test_alternative_text_that_the_author_wrote_stays(miniature):
    text = miniature.chapter.text.read_text("utf-8")
    own = text.replace("  figure:\n", "  image:\n    alt: The author's words.\n  figure:\n")
    miniature.write("chapters/part/topic.md", own)
    assert miniature.publish() == 0
    assert code_cells(read(miniature.chapter.notebook))[2].metadata.mystnb.image.alt == "The author's words."


def test_only_the_models_of_shown_widgets_are_kept(made):
    notebook = read(made.chapter.notebook)
    state = notebook.metadata.widgets[STATE]["state"]
    shown = code_cells(notebook)[3].outputs[0].data[VIEW]["model_id"]
    assert len(state) == 2  # the widget and its layout
    assert state[shown]["state"]["layout"].removeprefix("IPY_MODEL_") in state
    assert state[shown]["buffers"][0]["data"] == "MTIzNA=="


def test_colab_cell_is_the_first_code_cell_and_does_nothing_elsewhere(made):
    notebook = read(made.chapter.notebook)
    colab = code_cells(notebook)[0]
    assert notebook.cells.index(colab) == 1
    assert "colab" in colab.metadata.tags
    assert '%pip install -q "lrlib @ git+https://example.org/course@main"' in colab.source
    assert colab.outputs == []


def test_cell_ids_follow_the_content_and_not_the_position(miniature):
    repository = Repository("https://example.org/course", "main")
    before = prepare(read(miniature.chapter.text), "part/topic", repository)
    text = miniature.chapter.text.read_text("utf-8").replace("## A section", "A new paragraph.\n\n+++\n\n## A section")
    miniature.write("chapters/part/topic.md", text)
    after = prepare(read(miniature.chapter.text), "part/topic", repository)
    ids = [cell.id for cell in after.cells]
    assert len(set(ids)) == len(ids) == len(before.cells) + 1
    assert {cell.id for cell in before.cells} < set(ids)


def test_equal_cells_have_different_ids(miniature):
    miniature.write("chapters/part/topic.md", "# T\n\n```{code-cell}\n1\n```\n\n```{code-cell}\n1\n```\n")
    first, second = prepare(read(miniature.chapter.text), "a/b", Repository("u", "b")).cells[2:]
    assert first.source == second.source
    assert first.id != second.id


def test_what_is_not_stale_is_left_alone(made):
    before = made.chapter.notebook.stat().st_mtime_ns
    assert made.publish("--check") == 0
    assert made.publish() == 0
    assert made.chapter.notebook.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("chapters/part/topic.md", "text"),
        ("lrlib/rule.py", "lrlib"),
        ("lrlib/widgets/live.js", "lrlib"),
        ("experiments/results/run.json", "records"),
    ],
)
def test_change_of_a_source_makes_a_notebook_stale(made, capsys, path, kind):
    old = (made.root / path).read_text("utf-8") if (made.root / path).exists() else ""
    made.write(path, old + "\n1\n")
    assert made.publish("--check") == 1
    assert f"book/part/topic.ipynb: changed since it was made: {kind}\n" in capsys.readouterr().err


def test_change_of_the_address_makes_a_notebook_stale_and_other_settings_do_not(made):
    made.write("_config.yml", "title: T\nrepository: {url: https://example.org/course/, branch: main}\n")
    assert made.publish("--check") == 0
    made.write("_config.yml", "repository: {url: https://example.org/course, branch: next}\n")
    assert made.publish("--check") == 1


@pytest.mark.parametrize("gone", ["image/png", VIEW])
def test_notebook_without_its_figure_is_stale(made, capsys, gone):
    notebook = read(made.chapter.notebook)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            output.get("data", {}).pop(gone, None)
    write(notebook, made.chapter.notebook)
    assert made.publish("--check") == 1
    assert "edited by hand" in capsys.readouterr().err


def test_notebook_that_no_chapter_makes_is_named(made, capsys):
    made.chapter.notebook.with_name("gone.ipynb").write_bytes(made.chapter.notebook.read_bytes())
    assert made.publish("--check") == 1
    assert "book/part/gone.ipynb: no chapter makes it" in capsys.readouterr().err


def test_missing_notebook_is_named(miniature, capsys):
    assert miniature.publish("--check") == 1
    assert "book/part/topic.ipynb: not made yet" in capsys.readouterr().err


def test_failing_cell_is_reported_the_old_notebook_stays_and_others_are_made(made, capsys):
    old = made.chapter.notebook.read_bytes()
    made.write("chapters/part/other.md", "# Other\n\n```{code-cell}\nprint(1)\n```\n")
    made.write("chapters/part/topic.md", "# Bad\n\n```{code-cell}\nx = 0\n1 / x\n```\n")
    assert made.publish("--jobs", "2") == 1
    error = capsys.readouterr().err
    assert "chapters/part/topic.md:4: cell 3:" in error
    assert "    1 / x" in error
    assert "ZeroDivisionError: division by zero" in error
    assert "\x1b[" not in error
    assert made.chapter.notebook.read_bytes() == old
    assert (made.root / "book/part/other.ipynb").exists()


def test_cell_that_exits_its_kernel_is_reported(miniature, capsys):
    miniature.write("chapters/part/topic.md", "# Bad\n\n```{code-cell}\nimport os\nos._exit(3)\n```\n")
    assert miniature.publish() == 1
    assert "os._exit(3)" in capsys.readouterr().err


def test_warning_is_an_error_unless_the_cell_is_tagged(miniature, capsys):
    cell = "import warnings\nwarnings.warn('deprecated')\n```\n"
    miniature.write("chapters/part/topic.md", "# Loud\n\n```{code-cell}\n" + cell)
    assert miniature.publish() == 1
    assert "UserWarning: deprecated" in capsys.readouterr().err
    miniature.write("chapters/part/topic.md", "# Loud\n\n```{code-cell}\n:tags: [may-warn]\n" + cell)
    assert miniature.publish() == 0


def test_memory_address_is_refused(miniature, capsys):
    miniature.write("chapters/part/topic.md", "# Loud\n\n```{code-cell}\nobject()\n```\n")
    assert miniature.publish() == 1
    assert "memory address" in capsys.readouterr().err


def test_two_figures_in_one_cell_are_refused(miniature, capsys):
    body = "import lrlib\ndisplay(lrlib.Figure())\nlrlib.Figure()\n"
    miniature.write("chapters/part/topic.md", f"# Two\n\n```{{code-cell}}\n{body}```\n")
    assert miniature.publish() == 1
    assert "shows 2 figures" in capsys.readouterr().err


def test_notebook_runs_in_an_empty_folder(miniature):
    cell = "import os, sys\nprint(os.listdir(), [path for path in sys.path if path == os.getcwd()])"
    miniature.write("chapters/part/topic.md", f"# Where\n\n```{{code-cell}}\n{cell}\n```\n")
    assert miniature.publish() == 0
    assert code_cells(read(miniature.chapter.notebook))[1].outputs[0].text == "[] []\n"


def test_another_lrlib_than_this_repository_s_is_refused(miniature, monkeypatch, capsys):
    miniature.write("elsewhere/lrlib/__init__.py", "")
    monkeypatch.setenv("PYTHONPATH", str(miniature.root / "elsewhere"))
    assert miniature.publish() == 1
    assert "elsewhere/lrlib, which is not the one in" in capsys.readouterr().err


def test_notebook_can_be_chosen_by_its_text_or_by_its_notebook(made, monkeypatch):
    monkeypatch.chdir(made.root)
    made.write("chapters/part/other.md", "# Other\n")
    assert made.publish("--check", "chapters/part/topic.md") == 0
    assert made.publish("--check", "book/part/topic.ipynb") == 0
    assert made.publish("--check", "chapters/part/other.md") == 1


def test_front_page_is_made_like_a_chapter(made):
    made.write("chapters/index.md", "# Front\n")
    made.write("book/left.ipynb", "{}")
    assert [chapter.name for chapter in chapters(made.root)] == ["index", "part/topic"]
    assert orphans(made.root) == [made.root / "book" / "left.ipynb"]
    (made.root / "book" / "left.ipynb").unlink()
    assert made.publish() == 0
    assert read(made.root / "book" / "index.ipynb").cells[0].source == "# Front"


@pytest.mark.parametrize("arguments", [["chapters/part/none.md"], ["--jobs", "0"]])
def test_bad_arguments_are_refused_by_name(miniature, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        miniature.publish(*arguments)
    assert stopped.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


@pytest.mark.parametrize("config", ["", "repository: {url: u}", "repository: {branch: b}"])
def test_repository_without_address_or_branch_is_refused(tmp_path, config):
    (tmp_path / "_config.yml").write_text(config)
    with pytest.raises(ValueError, match=r"repository\.(url|branch) must be set"):
        read_repository(tmp_path / "_config.yml")


def test_write_and_read_return_the_same_notebook(miniature, tmp_path):
    notebook = prepare(read(miniature.chapter.text), "a/b", Repository("u", "b"))
    write(notebook, tmp_path / "new" / "topic.ipynb")
    assert read(tmp_path / "new" / "topic.ipynb") == notebook
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["topic.ipynb"]


def test_record_of_sources_is_in_the_notebook(made):
    recorded = json.loads(made.chapter.notebook.read_text("utf-8"))["metadata"][RECORDED]
    assert recorded["from"] == "chapters/part/topic.md"
    assert {"text", "lrlib", "records", "publishing", "repository", "result"} < set(recorded)
