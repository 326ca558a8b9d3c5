"""Making what students get from a master, and proving masters: each fault is found."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

import lrlib.exercises.questions
from grader.__main__ import main
from grader.make import Folders, make
from grader.masters import MasterError, load
from grader.prove import faults

sys.path.insert(0, str(Path(__file__).parents[1] / "grader"))  # the tests are not installed

from small import MASTER, write_master


@pytest.fixture
def folders(tmp_path):
    """Folders with one master, whose text `folders.write` can change."""
    here = Folders(tmp_path / "masters", tmp_path / "students", tmp_path / "cases", tmp_path / "record.json")
    write_master(here.masters)
    return here


def write(folders, old, new):
    assert MASTER.count(old) >= 1
    return write_master(folders.masters, old=old, new=new)


def test_a_student_notebook_has_a_place_for_each_answer(folders):
    make(folders)
    cells = nbformat.read(folders.students / "part" / "topic.ipynb", as_version=4).cells
    sources = [cell.source for cell in cells]
    assert 'def double(x):\n    """Return twice x."""\n    raise NotImplementedError("your code here")' in sources
    assert "guess = ..." in sources
    assert "<!-- answer: topic.why -->\n*Your answer here.*" in sources
    assert not any("secret" in source or "123" in source or "ExerciseSet" in source for source in sources)


def test_the_notebook_says_which_set_and_version_it_is(folders):
    make(folders)
    notebook = nbformat.read(folders.students / "part" / "topic.ipynb", as_version=4)
    assert notebook.metadata["exercises"] == {"set": "part/topic", "version": 1}


def test_making_twice_changes_nothing_and_runs_nothing(folders, monkeypatch):
    assert len(make(folders)) == 2
    before = {path: path.read_bytes() for path in folders.students.parent.rglob("*.*") if path.is_file()}
    monkeypatch.setattr("grader.make.load", lambda path: pytest.fail("the master ran"))
    assert make(folders) == []
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_same_master_makes_the_same_bytes(folders, tmp_path):
    make(folders)
    again = Folders(folders.masters, tmp_path / "s", tmp_path / "c", tmp_path / "r.json")
    make(again)
    for one, other in zip(
        folders.made_from(folders.masters / "part/topic.md"),
        again.made_from(folders.masters / "part/topic.md"),
        strict=True,
    ):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("kind", [0, 1], ids=["notebook", "cases"])
def test_an_edited_or_missing_file_is_stale(folders, kind):
    make(folders)
    made = folders.made_from(folders.masters / "part" / "topic.md")[kind]
    made.write_text(made.read_text().replace("topic.double", "topic.edited"))
    assert make(folders, check=True) == [f"{made}: is not what its master makes"]
    made.unlink()
    assert len(make(folders, check=True)) == 1
    assert not made.exists()
    make(folders)
    assert make(folders, check=True, force=True) == []


def test_a_changed_master_is_stale(folders):
    make(folders)
    write(folders, "Too much.", "Far too much.")
    assert len(make(folders, check=True)) == 1


def test_what_has_no_master_is_removed(folders):
    make(folders)
    (folders.masters / "part" / "topic.md").unlink()
    assert len(make(folders, check=True)) == 2
    make(folders)
    assert not list(folders.students.glob("*/*")) and not list(folders.cases.glob("*/*"))


def test_cases_that_differ_in_the_last_digits_are_left_alone(folders):
    make(folders)
    path = folders.cases / "part" / "topic.json"
    content = json.loads(path.read_text())
    content["questions"]["topic.double"]["cases"][0]["expected"] *= 1 + 1e-13
    path.write_text(json.dumps(content))
    assert make(folders, check=True, force=True) == []
    content["questions"]["topic.double"]["cases"][0]["expected"] *= 1 + 1e-7
    path.write_text(json.dumps(content))
    assert len(make(folders, check=True, force=True)) == 1


def test_a_sound_master_has_no_faults(folders):
    assert faults(load(folders.masters / "part" / "topic.md")) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("return x + x", "return x + x + 1", "the reference does not agree with the solution"),
        ("return x + x", "return float('nan')", "the reference gives NaN"),
        ("lambda x: 3 * x", "lambda x: 2 * x", "check accepts mutant tripled"),
        ("lambda x: 3 * x", "lambda x: x", "mutants tripled and kept cannot be told apart"),
        ("lambda x: 3 * x", "lambda x: 2 * x + (x < 1.15)", "mutant tripled is right on every case"),
        ('("Too much.", "Three times is too much.")', '("Too much.",)', "mutant tripled must have at least 2 hints"),
        ("-123.25", "1232.6", "check takes mutant sign for ten-times"),
        ("    reference=reference,", "    reference=reference, returns=('a',),", "returns must name each part"),
        ('"float64"', '" "', "the tolerance has no reason"),
        ('check("topic.guess", guess)', "guess", 'no cell calls check("topic.guess", guess)'),
        ("<!-- answer: topic.why -->", "Why?", "no Markdown cell starts with <!-- answer: topic.why -->"),
        ("# A set", "# A set\n\n    return 2.0 * x", None),
        ('("Adam",)', '("Adan",)', "withheld: lrlib has no Adan"),
        ("import numpy as np", "import numpy as np\nfrom lrlib import Adam", "uses Adam, which is withheld"),
    ],
)
def test_each_fault_of_a_master_is_found(folders, old, new, fault):
    found = faults(load(write(folders, old, new)))
    if fault is None:  # what the prompt shows openly is no secret
        assert found == []
    else:
        assert any(fault in one for one in found), found


def test_a_leak_is_found_even_if_the_cutting_fails(folders, monkeypatch):
    monkeypatch.setattr("grader.masters._without_solution", lambda cell, where: cell.source)
    found = faults(load(folders.masters / "part" / "topic.md"))
    assert any("shows a hidden line: return 2.0 * x" in fault for fault in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"part/topic"', '"part/other"', "id must be"),
        ("import numpy as np", "1 / 0", "cell 2: ZeroDivisionError"),
        ('"topic.guess",\n    guess', '"topic.double",\n    guess', "used once in a set"),
        ("points=2,\n    cases", "points=0,\n    cases", "must be at least 1, got 0"),
        ('"three digits")', '"three digits"), near=1e-4', "near of topic.guess must be above the tolerance"),
    ],
)
def test_a_master_that_cannot_be_loaded_says_where(folders, old, new, message):
    with pytest.raises(MasterError, match=message):
        load(write(folders, old, new))


def test_markers_that_do_not_match_are_refused(folders):
    write(folders, "    ### END SOLUTION\n", "")
    with pytest.raises(MasterError, match="cell 4: BEGIN SOLUTION and END SOLUTION do not match"):
        make(folders)


def test_the_command_line_makes_checks_and_proves(folders, capsys):
    where = ["--masters", str(folders.masters), "--students", str(folders.students), "--cases", str(folders.cases)]
    assert main(["make", "--check", *where]) == 1
    assert main(["make", *where]) == 0
    assert main(["make", "--check", *where]) == 0
    assert main(["check-master", str(folders.masters / "part" / "topic.md")]) == 0
    assert "3 questions, all proved" in capsys.readouterr().out
    assert main(["check-master", str(write(folders, "return x + x", "return x"))]) == 1


def test_a_private_set_can_be_read_back(folders):
    make(folders)
    content = json.loads((folders.cases / "part" / "topic.json").read_text())
    public = lrlib.exercises.questions.parse(content)
    assert list(public) == ["topic.double", "topic.guess", "topic.why"]
    assert content["questions"]["topic.why"] == {"kind": "prose", "points": 2}
