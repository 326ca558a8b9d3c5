"""The command line, from the secret to the grades, and what it says to those who err."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import RIGHT, TRIPLED, hand_in, notebook, write_master

from grader import sandbox
from grader.__main__ import cli, main

ROOT = Path(__file__).parents[2]
SUBCOMMANDS = [["mark", name] for name in ("export", "import", "compare")] + [["bundle", "gradescope"]]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course in the current folder: a secret, a master, a roster and two notebooks."""
    monkeypatch.chdir(tmp_path)
    write_master(tmp_path / "masters")
    hand_in(tmp_path / "in", "anna.ipynb", notebook(), seconds=-60)
    hand_in(tmp_path / "in", "ben.ipynb", notebook(TRIPLED), seconds=3600)
    (tmp_path / "roster.csv").write_text("id,name\nanna,Anna\nben,Ben\ncleo,Cleo\n")
    assert main(["new-secret"]) == 0
    return tmp_path


def grade(*options, command="grade"):
    return main([command, "in", "--masters", "masters", "--roster", "roster.csv", "--unsafe", "--jobs", "1", *options])


@pytest.mark.parametrize("command", [[], *([name] for name in cli.commands), *SUBCOMMANDS], ids=" ".join)
def test_every_command_explains_itself(command, capsys):
    assert main([*command, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Usage: python -m grader")
    assert len(said.split("\n\n")[1].strip()) > 20


def test_a_course_from_the_secret_to_the_grades(course, capsys):
    assert grade("--deadline", "2026-03-01T12:00Z", "--late-percent", "10") == 0
    said = capsys.readouterr().out
    assert "2 graded now, 0 had a result already." in said
    assert "part/topic: times are those of the files" in said
    assert "tripled" in said and "handed in nothing" in said and "without a sandbox" in said

    assert main(["mark", "export", "marks.yaml", "--masters", "masters"]) == 0
    marks = Path("marks.yaml")
    marks.write_text(marks.read_text().replace("points:", "points: 2"))
    assert main(["mark", "import", "marks.yaml", "--masters", "masters", "--who", "tutor"]) == 0
    assert main(["mark", "compare", "marks.yaml", "marks.yaml", "--masters", "masters"]) == 0
    said = capsys.readouterr().out
    assert "2 answers marked by tutor" in said and "2 lines were marked by both, 0 differently" in said

    assert main(["export", "csv", "--output", "grades.csv"]) == 0
    with open("grades.csv", encoding="utf-8-sig") as file:
        assert {row["id"]: row["final"] for row in csv.DictReader(file)} == {"anna": "5", "ben": "2.7", "cleo": ""}
    assert os.stat("grades.csv").st_mode & 0o777 == 0o600

    assert main(["export", "canvas", "--title", "part/topic=Topic (77)"]) == 0
    assert "Topic (77)" in capsys.readouterr().out
    assert main(["export", "moodle"]) == 0
    assert "part/topic (feedback)" in capsys.readouterr().out
    assert main(["export", "gradescope", "--output", "scope"]) == 0
    assert sorted(json.loads(path.read_text())["score"] for path in Path("scope").iterdir()) == [1.0, 3.0]

    assert main(["feedback", "pages", "--masters", "masters"]) == 0
    assert len(list(Path("pages").glob("*.html"))) == 3
    assert main(["report"]) == main(["report", "--format", "md"]) == main(["report", "--format", "csv"]) == 0
    assert "nothing from cleo" in capsys.readouterr().out
    assert main(["similar", "in", "--masters", "masters"]) == 0
    assert main(["bundle", "gradescope", "masters/part/topic.md"]) == 0
    assert Path("autograder.zip").exists()


def test_a_regrade_names_those_whose_points_change(course, capsys):
    grade()
    write_master(course / "masters", old="return x + x", new="return 3 * x")
    grade()
    assert "its master has changed since results were made; regrade" in capsys.readouterr().out
    assert grade(command="regrade") == 0
    said = capsys.readouterr().out
    assert "anna (anna.ipynb): topic.double 2 of 2 → 0 of 2\n" in said
    assert "ben (ben.ipynb): topic.double 0 of 2 → 2 of 2\n2 changed." in said


def test_the_roster_is_remembered(course, capsys):
    grade()
    hand_in(course / "in", "stranger.ipynb", notebook())
    assert main(["grade", "in", "--masters", "masters", "--unsafe"]) == 1
    assert "stranger.ipynb: not graded, it is nobody's in the roster\n" in capsys.readouterr().out


def test_without_a_roster_it_is_said_what_the_ids_are(course, capsys):
    assert main(["grade", "in", "--masters", "masters", "--unsafe"]) == 0
    assert "No roster: the names of the files are taken for the ids" in capsys.readouterr().out


def test_times_may_come_from_a_list(course, capsys):
    Path("times.csv").write_text(
        "file,time\nben.ipynb,2026-03-01T11:00Z\nanna.ipynb,2026-03-09\ngone.ipynb,2026-03-09\n"
    )
    grade("--times", "times.csv", "--deadline", "2026-03-01T12:00Z", "--late-percent", "50")
    said = capsys.readouterr().out
    assert "gone.ipynb: in the list of times, but not in the folder" in said
    assert "times are those of the files" not in said
    main(["export", "csv"])
    assert [line.split(",")[9] for line in capsys.readouterr().out.splitlines()[1:3]] == ["0", "1"]


def test_what_canvas_marked_as_late_is_pointed_out(course, capsys):
    (course / "in" / "anna.ipynb").rename(course / "in" / "anna_LATE_1_2_x.ipynb")
    grade()
    assert "Canvas has marked 1 of them as late; give --times" in capsys.readouterr().out


def test_a_submission_that_breaks_the_grader_is_listed_and_the_exit_code_says_so(course, capsys):
    write_master(course / "masters", old="return x + x", new="return 1 / 0")
    assert grade() == 1
    said = capsys.readouterr().out
    assert "anna.ipynb: not graded, the grader failed on it and will try again the next time: ZeroDivisionError" in said
    write_master(course / "masters")
    assert grade() == 0


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["new-secret"], 1, "secret.key exists"),
        (["new-secret", "no/where"], 1, "no/where cannot be written"),
        (["grade", "nowhere"], 2, "Directory 'nowhere' does not exist"),
        (
            ["grade", "in", "--secret-file", "none"],
            1,
            "none cannot be read: No such file",
        ),
        (["grade", "in", "--roster", "none.csv"], 1, "none.csv cannot be read"),
        (["grade", "in", "--deadline", "soon"], 1, "got 'soon'"),
        (["grade", "in", "--late-percent", "101"], 2, "percent_per_day must be from 0 to 100, got 101"),
        (["grade", "in", "--masters", "in"], 1, "in must hold the master <part>/<topic>.md; it has none"),
        (["grade", "in", "--masters", "masters", "--set", "a/b"], 1, "must hold the master a/b.md; it has part/topic"),
        (["grade", "in", "--jobs", "0"], 2, "0 is not in the range"),
        (["grade", "in", "--gradebook", "roster.csv"], 1, "roster.csv cannot be used as a gradebook"),
        (["grade", "in", "--backend", "docker"], 2, "'docker' is not one of"),
        (["check-master", "roster.csv"], 1, "roster.csv"),
        (["export", "csv"], 1, "there is no gradebook grades.sqlite; python -m grader grade makes one"),
        (["export", "xml"], 2, "'xml' is not one of"),
        (["feedback", "pages"], 1, "there is no gradebook"),
        (["report"], 1, "there is no gradebook"),
        (["mark", "import", "none"], 2, "'none' does not exist"),
        (["bundle", "gradescope", "none"], 2, "'none' does not exist"),
        (["make", "--masters", "masters"], 2, "--masters needs --students and --cases too"),
        (["make", "--masters", "masters", "--students", "out"], 2, "--masters needs --students and --cases too"),
        (["nothing"], 2, "No such command 'nothing'"),
        ([], 2, "Usage: python -m grader"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_explained_without_a_traceback(course, command, code, message, capsys):
    capsys.readouterr()
    assert main(command) == code
    said = capsys.readouterr()
    assert message in said.err + said.out
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["export", "csv", "--set", "part/none"], "--set must be one of part/topic; got part/none"),
        (["export", "gradescope"], "needs --output FOLDER"),
        (["export", "canvas", "--title", "Topic"], "--title must be like part/topic=Title (123), got 'Topic'"),
        (["mark", "export", "roster.csv"], "roster.csv exists, and may hold marks"),
    ],
)
def test_a_wrong_option_names_what_is_right(course, command, message, capsys):
    grade()
    capsys.readouterr()
    assert main(command) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_a_sandbox_nothing_is_graded(course, monkeypatch, capsys):
    monkeypatch.setattr(sandbox, "choose", lambda backend: (_ for _ in ()).throw(sandbox.SandboxError("apt-get")))
    assert main(["grade", "in", "--masters", "masters"]) == 1
    assert capsys.readouterr().err.endswith("Error: apt-get\n")


def test_a_name_with_control_characters_does_not_reach_the_terminal(course, capsys):
    (course / "in" / "\x1b[2Jx.txt").touch()
    grade()
    assert "\x1b[2J" not in capsys.readouterr().out


def test_an_interrupted_run_says_how_to_go_on(course, monkeypatch, capsys):
    monkeypatch.setattr("grader.run.grade", lambda *arguments, **options: (_ for _ in ()).throw(KeyboardInterrupt))
    assert grade() == 130
    assert "the same command goes on from there" in capsys.readouterr().err


def test_it_runs_as_a_module(course):
    grade()
    command = [sys.executable, "-m", "grader", "export", "csv"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 4 and not done.stderr


def test_a_right_answer_gets_its_points_in_a_sandbox(course, capsys):
    try:
        sandbox.choose()
    except sandbox.SandboxError as error:
        pytest.skip(str(error))
    hand_in(course / "in", "anna.ipynb", notebook(RIGHT))
    assert main(["grade", "in", "--masters", "masters", "--roster", "roster.csv"]) == 0
    assert "without a sandbox" not in capsys.readouterr().out


def test_forgetting_asks_first(course, monkeypatch, capsys):
    assert grade() == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["forget", "anna"]) == 1
    assert main(["export", "csv"]) == 0
    assert "Anna" in capsys.readouterr().out
    assert main(["forget", "anna", "--yes"]) == 0
    assert main(["export", "csv"]) == 0
    said = capsys.readouterr().out
    assert "anna: 1 file forgotten." in said and "Anna" not in said and "Ben" in said
    assert main(["forget", "anna", "--yes"]) == 1
    assert "holds nothing under the student 'anna'" in capsys.readouterr().err


def test_where_nothing_is_asked_in_words_there_is_nothing_to_mark(course, capsys):
    master = Path("masters/part/topic.md")
    assert grade() == 0
    text = master.read_text()
    start = text.index("+++\n\n<!-- answer")
    text = text[:start] + text[text.index("```{code-cell}", start) :]
    master.write_text("\n".join(line for line in text.splitlines() if "exercises.prose(" not in line))
    assert main(["mark", "export", "marks.yaml", "--masters", "masters"]) == 2
    assert "part/topic asks for nothing in words" in capsys.readouterr().err
    assert not Path("marks.yaml").exists()


def test_a_private_notebook_that_brings_its_cases_is_graded(course, capsys):
    where = ["--masters", "masters", "--students", "given", "--cases", "cases", "--solutions", "answers"]
    assert main(["make", *where]) == 0
    for folder, student in (("given", "anna"), ("answers", "ben")):
        text = Path(folder, "part", "topic.ipynb").read_text("utf-8")
        assert "from lrlib.exercises import load" in text
        hand_in(Path("in"), f"{student}.ipynb", text)
    assert grade("--secret-file", "secret.key") == 0
    assert main(["export", "csv", "--output", "grades.csv"]) == 0
    with open("grades.csv", encoding="utf-8-sig") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert [(rows[id]["topic.double"], rows[id]["topic.guess"]) for id in ("anna", "ben")] == [("0", "0"), ("2", "1")]
    assert "load" not in rows["ben"]["notes"]
