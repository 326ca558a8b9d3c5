"""The pages for instructors and students: their commands exist, and what they show is what comes."""

import re
import shlex
import sqlite3
import subprocess
import sys

import pytest
from classroom import ROOT, graded, mark
from click.testing import CliRunner

from grader import exports, roster
from grader.__main__ import cli, main
from grader.gradebook import Gradebook
from lrlib.exercises import check

TEACHING = (ROOT / "book" / "teaching.md").read_text("utf-8")
EXERCISES = (ROOT / "book" / "exercises.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"python -m grader ([^`\n]+)", TEACHING.replace("\\\n", ""))))


def test_page_names_every_step_of_a_course():
    named = {shlex.split(command)[0] for command in COMMANDS}
    assert {
        "new-secret",
        "grade",
        "report",
        "mark",
        "feedback",
        "export",
        "similar",
        "regrade",
        "bundle",
        "forget",
    } <= named


@pytest.mark.parametrize("command", COMMANDS)
def test_command_exists_with_its_options(command):
    words = shlex.split(command)
    path, found = [], cli
    while hasattr(found, "commands"):
        path.append(words.pop(0))
        found = found.commands[path[-1]]
    shown = CliRunner().invoke(cli, [*path, "--help"])
    assert shown.exit_code == 0
    known = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    # The values fit too, as far as they can be told from the line.
    takes = [word for word in words if not word.startswith("--")]
    most = sum(2 if parameter.opts[0].startswith("--") else 1 for parameter in found.params)
    assert len(takes) <= most


def test_the_grader_runs_in_any_folder(tmp_path):
    command = [sys.executable, "-m", "grader", "new-secret"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\nmake env has put the path of this copy into the environment"
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = re.findall(r"`make ([a-z-]+)", TEACHING + EXERCISES)
    assert {"env", "grade"} <= set(named)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


def keeping_what_is_deleted(connect):
    """Open databases as some builds of SQLite do, which leave deleted texts in the file."""

    def connected(*arguments, **options):
        database = connect(*arguments, **options)
        database.execute("PRAGMA secure_delete = OFF")
        return database

    return connected


def test_student_can_be_removed_as_the_guide_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("grader.gradebook.sqlite3.connect", keeping_what_is_deleted(sqlite3.connect))
    path = tmp_path / "grades.sqlite"
    gone, stays = graded("s042", "Zephyrine Doe"), graded("s1", "Ada")
    with Gradebook(path) as book:
        book.enrol([gone.student, stays.student])
        for one in (gone, stays):
            book.add(one.result, one.attempt)
            book.mark(one.student.id, one.result.set, one.result.submission, "adam.explain", 1, who="A")
            book.fail(one.student.id, "schedules/exponential", "0" * 64, f"{one.student.id}.ipynb", "an error")
    (command,) = [command for command in COMMANDS if command.startswith("forget")]
    assert main([*shlex.split(command), "--yes"]) == 0
    assert b"s042" not in path.read_bytes() and b"Zephyrine" not in path.read_bytes()
    with Gradebook(path) as book:
        assert [one.student.id for one in book.results()] == ["s1"]
        assert len(book.results()[0].marks) == len(book.failures()) == len(book.students()) == 1


def test_gradebook_of_canvas_is_a_roster_and_goes_back(tmp_path):
    path = tmp_path / "canvas.csv"
    path.write_text('Student,ID,SIS User ID,SIS Login ID,Section,Adam (9)\n"Lovelace, Ada",4711,u7,ada,Group A,\n')
    (student,) = roster.read(path)
    data = exports.canvas([graded("4711", student=student, marks=(mark(1),))], {"optimizers/adam": "Adam (9)"})
    head, _, row = data.decode().splitlines()
    assert head == path.read_text().splitlines()[0]
    assert row == '"Lovelace, Ada",4711,u7,ada,Group A,6'


def test_what_check_says_is_what_the_page_shows(capsys):
    def step(H, b, x, lr):
        return x + lr * (H @ x - b)

    check("gradient_descent.step", step)
    shown = "".join(f"    {line}\n" for line in capsys.readouterr().out.splitlines())
    assert shown in EXERCISES
