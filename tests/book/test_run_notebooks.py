"""`run_notebooks.py`: each notebook runs alone, with today's lrlib, and a difference is a failure."""

from __future__ import annotations

import shutil

import nbformat
import pytest
import run_notebooks
from nbformat import v4

from publishing import read


def solutions(source):
    return nbformat.writes(v4.new_notebook(cells=[v4.new_markdown_cell("# Answers"), v4.new_code_cell(source)]))


@pytest.fixture
def installed(made):
    """Return a repository in miniature whose lrlib is also installed as a package."""
    shutil.copytree(made.root / "lrlib", made.root / "_build" / "package" / "lrlib")
    return made


def test_notebook_as_made_passes(installed):
    installed.write("exercises/solutions/part/topic.ipynb", solutions("answer = 42"))
    assert run_notebooks.main(["--jobs", "1"], root=installed.root) == 0


def test_notebook_with_another_output_fails(installed, capfd):
    text = installed.chapter.notebook.read_text("utf-8")
    installed.chapter.notebook.write_text(text.replace('"two 2\\n"', '"two 3\\n"'), "utf-8")
    assert run_notebooks.main(["--jobs", "1"], root=installed.root) == 1
    assert "Cell outputs differ" in capfd.readouterr().out


def test_solution_that_fails_is_a_failure(made):
    made.write("exercises/solutions/part/topic.ipynb", solutions("answer = 1 / 0"))
    shutil.rmtree(made.root / "book")
    shutil.copytree(made.root / "lrlib", made.root / "_build" / "package" / "lrlib")
    assert run_notebooks.main(["--jobs", "1"], root=made.root) == 1


def test_each_notebook_gets_a_folder_of_its_own(made, tmp_path):
    made.write("exercises/solutions/part/topic.ipynb", solutions("answer = 42"))
    run_notebooks.stage(made.root, tmp_path / "stage", [])
    files = sorted(path for path in (tmp_path / "stage").rglob("*") if path.is_file())
    names = [path.relative_to(tmp_path / "stage").as_posix() for path in files]
    assert names == ["book/part/topic/topic.ipynb", "exercises/part/topic/topic.ipynb"]
    assert [cell.source for cell in read(files[1]).cells] == ["# Answers", "answer = 42"]


def test_installed_package_of_yesterday_is_refused(installed):
    installed.write("lrlib/new.py", "")
    with pytest.raises(RuntimeError, match="is not this repository's lrlib"):
        run_notebooks.main([], root=installed.root)


def test_unknown_name_is_refused(made, tmp_path):
    with pytest.raises(ValueError, match="no notebook part/gone; there are part/topic"):
        run_notebooks.stage(made.root, tmp_path / "stage", ["part/gone"])
