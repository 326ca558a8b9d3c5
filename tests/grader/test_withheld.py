"""lrlib as a submission has it: all of it works, except what the set asks for, which is nowhere."""

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader import withheld
from grader.make import COURSE, ROOT, masters_in
from grader.masters import load

MASTERS = masters_in(COURSE)


@pytest.fixture(autouse=True)
def made_anew():
    withheld.library.cache_clear()


def modules(folder):
    names = (path.relative_to(folder).with_suffix("") for path in sorted(folder.rglob("*.py")))
    names = [".".join(name.parts).removesuffix(".__init__") for name in names]
    return [name for name in names if name != "lrlib.torch"]  # importing torch takes its time


def run(folder, code):
    return subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_nothing_that_a_set_asks_for_is_defined_anywhere(path):
    names = load(path).exercises.withheld
    folder = withheld.library(tuple(names))
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            assert getattr(node, "name", None) not in names, file
    assert not any(path.suffix == ".json" for path in folder.rglob("*"))  # no public cases


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_every_module_can_still_be_imported(path):
    folder = withheld.library(tuple(load(path).exercises.withheld))
    done = run(folder, "import importlib\nfor name in " + repr(modules(folder)) + ": importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


def test_what_is_built_on_a_withheld_name_goes_with_it():
    folder = withheld.library(("StaircaseSchedule",))
    done = run(
        folder, "import lrlib\nprint(hasattr(lrlib.schedules, 'Constant'), lrlib.__all__)\nlrlib.ExponentialDecay"
    )
    assert done.stdout.startswith("True")
    assert "ExponentialDecay" not in done.stdout
    assert "ExponentialDecay is what this set of exercises asks for" in done.stderr


def test_the_folder_is_made_once():
    folder = withheld.library(("SGD",))
    made = (folder / "lrlib" / "__init__.py").stat().st_mtime_ns
    withheld.library.cache_clear()
    assert withheld.library(("SGD",)) == folder
    assert (folder / "lrlib" / "__init__.py").stat().st_mtime_ns == made
    assert withheld.library(("Adam",)) != folder
    assert list((folder / "lrlib" / "optimizers" / "__pycache__").iterdir())


def test_a_name_that_lrlib_does_not_have_is_refused():
    with pytest.raises(ValueError, match="got Adem"):
        withheld.library(("Adem",))
    left = [path.name for path in (ROOT / "_build" / "grader").iterdir()]
    assert all(name.startswith("lrlib-") for name in left), left


def test_a_repository_that_cannot_be_written_will_do(monkeypatch):
    def refused(*given, **named):
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refused)
    monkeypatch.setattr(withheld, "digest", lambda *given: "another state")
    with monkeypatch.context() as patch:
        patch.setattr(withheld, "_make", lambda *given: None)
        folder = withheld.library(("SGD",))
    assert folder.parent == Path(tempfile.gettempdir())
