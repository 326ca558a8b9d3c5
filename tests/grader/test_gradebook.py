"""The gradebook keeps everything, and what counts is decided when it is read."""

import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from grader.gradebook import Attempt, Failure, Gradebook, GradebookError, Key
from grader.results import QuestionResult, SubmissionResult
from grader.roster import Policy, Student

DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)
IN_TIME = Attempt("anna.ipynb", DUE)


def result(student="anna", points=2.0, **changes):
    questions = (
        QuestionResult("topic.double", "function", points, 2, passed=int(points), cases=2),
        QuestionResult("topic.why", "prose", None, 3),
    )
    fields = {"set": "part/topic", "version": 1, "student": student, "submission": "5" * 64, "secret": "s" * 16}
    fields |= {"backend": "bubblewrap", "questions": questions, "notes": ("a note",), "prose": (("topic.why", "Oh"),)}
    return SubmissionResult(**fields | changes)


def late(**after):
    return Attempt("late.ipynb", DUE + timedelta(**after))


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path / "grades.sqlite") as book:
        yield book


def points(book):
    return {one.student.id: one.points for one in book.results()}


def test_what_is_added_comes_back_as_it_was(book):
    book.add(result(), IN_TIME)
    (graded,) = book.results()
    assert graded.result == result()
    assert graded.attempt == IN_TIME
    assert (graded.points, graded.of, graded.unmarked, graded.attempts) == (2.0, 5, ("topic.why",), 1)


def test_adding_again_changes_nothing(book, tmp_path):
    book.add(result(), IN_TIME)
    before = list(sqlite3.connect(tmp_path / "grades.sqlite").iterdump())
    book.add(result(), IN_TIME)
    book.add(result(points=0.0), IN_TIME)  # the same submission, so what was there first stays
    assert list(sqlite3.connect(tmp_path / "grades.sqlite").iterdump()) == before


@pytest.mark.parametrize(
    "other", [{"student": "ben"}, {"set": "part/b"}, {"version": 2}, {"submission": "6"}, {"secret": "t"}]
)
def test_each_part_of_the_key_tells_results_apart(book, other):
    book.add(result(), IN_TIME)
    assert book.has(Key.of(result()))
    assert not book.has(Key.of(result(**other)))


def test_only_its_owner_reads_a_new_gradebook(book, tmp_path):
    assert (tmp_path / "grades.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda path: path.write_text("no database at all" * 99),
            "cannot be used as a gradebook: file is not a database",
        ),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t (a)"), "is a database, but no gradebook"),
        (lambda path: path.mkdir(), "cannot be used as a gradebook: unable to open"),
    ],
)
def test_another_file_is_not_taken_for_a_gradebook(tmp_path, make, message):
    make(tmp_path / "x.sqlite")
    with pytest.raises(GradebookError, match=message):
        Gradebook(tmp_path / "x.sqlite")


def test_a_gradebook_of_a_newer_grader_is_left_alone(book, tmp_path):
    book.close()
    sqlite3.connect(tmp_path / "grades.sqlite").execute("PRAGMA user_version = 99")
    with pytest.raises(GradebookError, match="has schema 99, this grader reads 1"):
        Gradebook(tmp_path / "grades.sqlite")


def test_reading_does_not_make_a_gradebook(tmp_path):
    with pytest.raises(GradebookError, match="there is no gradebook"):
        Gradebook(tmp_path / "x.sqlite", must_exist=True)
    assert not (tmp_path / "x.sqlite").exists()


def test_reads_are_in_the_same_order_whatever_the_order_of_writing(tmp_path):
    results = [result(student, set=name) for student in ("ben", "anna", "Zoe") for name in ("p/b", "p/a")]
    for name, order in (("one", results), ("other", results[::-1])):
        with Gradebook(tmp_path / name) as book:
            for one in order:
                book.add(one, IN_TIME)
    with Gradebook(tmp_path / "one") as one, Gradebook(tmp_path / "other") as other:
        assert one.results() == other.results()
        assert [(g.result.set, g.student.id) for g in one.results()] == [
            (name, student) for name in ("p/a", "p/b") for student in ("Zoe", "anna", "ben")
        ]
        assert one.sets() == ["p/a", "p/b"]


def test_the_last_attempt_in_time_counts_and_all_are_kept(book):
    book.set_policy("part/topic", Policy(DUE, percent_per_day=10))
    book.add(result(points=1.0, submission="1"), Attempt("a_1.ipynb", DUE - timedelta(days=2)))
    book.add(result(points=2.0, submission="2"), Attempt("a_2.ipynb", DUE - timedelta(days=1)))
    book.add(result(points=2.0, submission="3"), Attempt("a_3.ipynb", DUE + timedelta(days=1)))
    (graded,) = book.results()
    assert (graded.attempt.file, graded.attempt.number, graded.attempts) == ("a_2.ipynb", 2, 3)
    assert [one.attempt.number for one in book.attempts()] == [1, 2, 3]
    assert [one.points for one in book.attempts()] == [1.0, 2.0, 1.8]


def test_of_late_attempts_alone_the_last_counts(book):
    book.set_policy("part/topic", Policy(DUE, percent_per_day=10))
    book.add(result(points=2.0, submission="1"), late(hours=1))
    book.add(result(points=2.0, submission="2"), late(hours=25))
    assert points(book) == {"anna": 1.6}


def test_the_best_attempt_counts_where_that_is_the_policy(book):
    book.set_policy("part/topic", Policy(DUE, percent_per_day=10, counts="best"))
    book.add(result(points=1.0, submission="1"), IN_TIME)
    book.add(result(points=2.0, submission="2"), late(days=1))
    book.add(result(points=0.0, submission="3"), late(days=2))
    assert points(book) == {"anna": 1.8}


def test_of_equal_attempts_the_last_is_the_best(book):
    book.set_policy("part/topic", Policy(counts="best"))
    book.add(result(submission="1"), IN_TIME)
    book.add(result(submission="2"), late(days=2))
    assert book.results()[0].result.submission == "2"


def test_attempts_of_the_same_time_follow_the_numbers_in_their_names(book):
    book.add(result(submission="1"), Attempt("anna_10.ipynb", DUE))
    book.add(result(submission="2"), Attempt("anna_9.ipynb", DUE))
    assert book.results()[0].attempt.file == "anna_10.ipynb"


def test_an_extension_given_later_takes_the_penalty_back(book):
    book.set_policy("part/topic", Policy(DUE, percent_per_day=25))
    book.add(result(), late(hours=30))
    assert points(book) == {"anna": 1.0}
    book.enrol([Student("anna", extensions=(("part/topic", "24"),))])
    assert points(book) == {"anna": 1.5}
    book.enrol([Student("anna", extensions=(("", "48"),))])
    assert points(book) == {"anna": 2.0}


def test_a_file_copied_again_is_not_later_than_it_was(book):
    book.add(result(), Attempt("anna.ipynb", DUE))
    book.attempted("anna", "part/topic", "5" * 64, Attempt("anna.ipynb", DUE + timedelta(days=9)))
    assert book.results()[0].attempt.time == DUE
    earlier = DUE - timedelta(days=1)
    book.attempted("anna", "part/topic", "5" * 64, Attempt("anna.ipynb", earlier))
    assert book.results()[0].attempt.time == earlier
    book.attempted("anna", "part/topic", "5" * 64, Attempt("anna.ipynb", DUE + timedelta(days=2), stated=True))
    assert book.results()[0].attempt.time == DUE + timedelta(days=2)
    book.attempted("anna", "part/topic", "5" * 64, Attempt("anna.ipynb", DUE))
    assert book.results()[0].attempt.time == DUE + timedelta(days=2)


def test_a_roster_is_kept_whole_and_tells_who_is_missing(book):
    ben = Student("ben", "Ben Öz", "b@x", ("77",), (("", "48"),), (("section", "A"),))
    book.enrol([Student("gone")])
    book.enrol([ben, Student("anna", "Anna")])
    book.add(result(), IN_TIME)
    assert book.students() == [Student("anna", "Anna"), ben]
    assert book.missing("part/topic") == [ben]
    assert book.results()[0].student.name == "Anna"


def test_the_newest_mark_counts_and_the_older_ones_are_kept(book):
    book.add(result(), IN_TIME)
    mark = {"student": "anna", "set": "part/topic", "submission": "5" * 64, "question": "topic.why"}
    book.mark(**mark, points=1, who="tutor", comment="thin", at=DUE)
    book.mark(**mark, points=2.5, who="lead")
    (graded,) = book.results()
    assert graded.points == 4.5 and graded.unmarked == ()
    assert graded.result.questions[1].points is None
    assert [(one.points, one.who, one.comment) for one in book.marks("anna", "part/topic", "5" * 64)] == [
        (1.0, "tutor", "thin"),
        (2.5, "lead", ""),
    ]
    assert book.marks("anna", "part/topic", "5" * 64)[0].at == DUE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"student": "ben"}, "ben has no result"),
        ({"question": "topic.double"}, r"marked by hand \(topic.why\), got 'topic.double'"),
        ({"points": 3.5}, "points of topic.why must be from 0 to 3, got 3.5"),
        ({"points": -1}, "points of topic.why must be from 0 to 3, got -1"),
        ({"points": float("nan")}, "points of topic.why must be from 0 to 3, got nan"),
    ],
)
def test_a_mark_that_fits_nothing_is_refused(book, wrong, message):
    book.add(result(), IN_TIME)
    mark = {"student": "anna", "set": "part/topic", "submission": "5" * 64, "question": "topic.why", "points": 1}
    with pytest.raises(GradebookError, match=message):
        book.mark(**mark | wrong, who="tutor")


def test_a_mark_stays_with_its_submission_through_a_regrade(book):
    begin(book)
    book.add(result(), IN_TIME)
    book.mark("anna", "part/topic", "5" * 64, "topic.why", 3, who="tutor")
    begin(book, again=True)
    book.add(result(points=1.0), IN_TIME)
    assert points(book) == {"anna": 4.0}


def begin(book, version=1, secret="s" * 16, master="m", again=False):
    return book.begin("part/topic", version, secret, master, again=again)


def test_a_regrade_keeps_the_old_rows_and_says_what_changed(book, tmp_path):
    assert begin(book) == 0
    for student in ("anna", "ben"):
        book.add(result(student), IN_TIME)
    book.finish("part/topic")
    assert begin(book, master="n", again=True) == 1
    assert not book.has(Key.of(result()), round=1)
    book.add(result("anna", points=1.0), IN_TIME)
    book.add(result("ben"), IN_TIME)
    (change,) = book.changes("part/topic")
    assert (change.files, change.before, change.after) == (("anna.ipynb",), result(), result(points=1.0))
    assert points(book) == {"anna": 1.0, "ben": 2.0}
    assert sqlite3.connect(tmp_path / "grades.sqlite").execute("SELECT count(*) FROM results").fetchone() == (4,)


def test_a_regrade_that_was_broken_off_is_taken_up(book):
    begin(book)
    book.finish("part/topic")
    assert begin(book, again=True) == begin(book, again=True) == 1
    assert begin(book, master="another", again=True) == 2
    book.finish("part/topic")
    assert begin(book, master="another", again=True) == 3


def test_a_new_version_is_a_new_round(book):
    begin(book)
    book.add(result(), IN_TIME)
    assert begin(book, version=2) == begin(book, version=2) == 1
    book.add(result(version=2, points=0.0), IN_TIME)
    assert points(book) == {"anna": 0.0}
    assert len(book.changes("part/topic")) == 1


def test_results_of_the_secret_in_use_count(book):
    begin(book)
    book.add(result(points=1.0), IN_TIME)
    begin(book, secret="t" * 16)
    book.add(result(points=2.0, secret="t" * 16), IN_TIME)
    assert points(book) == {"anna": 2.0}
    begin(book)
    assert points(book) == {"anna": 1.0}


def test_a_result_from_a_sandbox_counts_before_an_unsafe_one(book):
    book.add(result(backend="unsafe"), IN_TIME)
    assert book.results()[0].unsafe
    key = Key.of(result())
    assert book.has(key) and not book.has(key, unsafe=False)
    book.add(result(points=1.0), IN_TIME)
    assert points(book) == {"anna": 1.0} and not book.results()[0].unsafe
    book.add(result("ben", points=1.0), IN_TIME)
    book.add(result("ben", backend="unsafe"), IN_TIME)
    assert points(book) == {"anna": 1.0, "ben": 1.0}


def test_what_a_regrade_gives_counts_also_without_a_sandbox(book):
    begin(book)
    book.add(result(), IN_TIME)
    begin(book, again=True)
    book.add(result(points=1.0, backend="unsafe"), IN_TIME)
    assert points(book) == {"anna": 1.0}


def test_a_failure_is_kept_until_there_is_a_result(book):
    book.fail("anna", "part/topic", "5" * 64, "anna.ipynb", "once")
    book.fail("anna", "part/topic", "5" * 64, "anna.ipynb", "again")
    assert book.failures() == [Failure("anna", "part/topic", "anna.ipynb", "again")]
    assert book.results() == []
    book.add(result(), IN_TIME)
    assert book.failures() == []


def test_one_file_is_forgotten_with_its_result_and_marks(book):
    first, second = result(), result(points=1.0, submission="6" * 64)
    book.add(first, IN_TIME)
    book.add(second, late(minutes=1))
    for one in (first, second):
        book.mark("anna", "part/topic", one.submission, "topic.why", 2, who="A")
    assert book.forget("anna", file="late.ipynb") == 1
    assert [(one.result, len(one.marks)) for one in book.attempts()] == [(first, 1)]
    assert book.marks("anna", "part/topic", second.submission) == []
    assert len(book.marks("anna", "part/topic", first.submission)) == 1


def test_a_result_stays_while_another_file_holds_the_same(book):
    book.add(result(), IN_TIME)
    book.attempted("anna", "part/topic", "5" * 64, Attempt("copy.ipynb", DUE))
    assert book.forget("anna", file="anna.ipynb") == 1
    assert [one.attempt.file for one in book.attempts()] == ["copy.ipynb"]


def test_what_was_handed_in_for_one_set_is_forgotten_and_the_student_stays(book):
    book.enrol([Student("anna", "Anna")])
    book.add(result(), IN_TIME)
    book.add(result(set="part/other"), IN_TIME)
    book.fail("anna", "part/topic", "7" * 64, "broken.ipynb", "an error")
    assert book.forget("anna", set="part/topic") == 2
    assert book.sets() == ["part/other"] and book.failures() == []
    assert [student.name for student in book.students()] == ["Anna"]


def test_a_student_who_only_stands_in_the_roster_is_forgotten(book):
    book.enrol([Student("anna", "Anna"), Student("ben", "Ben")])
    book.add(result("ben"), Attempt("ben.ipynb", DUE))
    assert book.forget("anna") == 0
    assert [student.id for student in book.students()] == ["ben"] and len(book.results()) == 1


@pytest.mark.parametrize("what", [{}, {"set": "part/gone"}, {"file": "gone.ipynb"}])
def test_there_must_be_something_to_forget(book, what):
    book.add(result("ben"), Attempt("ben.ipynb", DUE))
    if what:
        book.add(result(), IN_TIME)
    with pytest.raises(GradebookError, match=r"holds nothing.* under the student 'anna'"):
        book.forget("anna", **what)
    assert len(book.results()) == 1 + bool(what)


def test_names_that_look_like_sql_are_names(book):
    name = "Robert'); DROP TABLE results;--\n\x00"
    book.enrol([Student("anna", name)])
    book.add(result(), IN_TIME)
    assert book.results()[0].student.name == name


def test_several_processes_may_write_at_once(book, tmp_path):
    def write(start):
        with Gradebook(tmp_path / "grades.sqlite") as mine:
            for number in range(start, start + 20):
                mine.add(result(f"s{number:03}"), IN_TIME)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, 80, 20)))
    assert len(book.results()) == 80


WRITER = """
import sys, test_gradebook as t
from pathlib import Path
with t.Gradebook(Path(sys.argv[1])) as book:
    for number in range(10**6):
        book.add(t.result(f"s{number:07}", notes=("x" * 20_000,)), t.IN_TIME)
        print(number, flush=True)
"""


def test_what_was_said_to_be_kept_survives_a_kill(tmp_path):
    here = os.path.dirname(__file__)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([here, os.path.dirname(os.path.dirname(here))])}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "grades.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
        writer.stdout.readline()
        time.sleep(0.3)
        writer.kill()
        said = writer.stdout.read().split()
    with Gradebook(tmp_path / "grades.sqlite") as book:
        kept = book.results()
    assert len(said) > 2 and len(kept) - len(said) in (1, 2)
    assert all(one.result == result(one.student.id, notes=("x" * 20_000,)) for one in kept)


def test_a_mistake_in_writing_leaves_nothing_half_done(book, monkeypatch):
    monkeypatch.setattr(book, "_keep", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        book.add(result(), IN_TIME)
    monkeypatch.undo()
    assert not book.has(Key.of(result()))


def test_points_are_cut_to_a_hundredth(book):
    book.set_policy("part/topic", Policy(DUE, percent_per_day=33.3333))
    book.add(result(points=1.0), late(hours=1))
    assert points(book) == {"anna": 0.67}


def test_a_policy_comes_back_as_it_was(book):
    policy = Policy(DUE, 15, 20, 60, "best")
    book.set_policy("part/topic", policy)
    assert book.policy("part/topic") == policy
    assert book.policy("part/other") == Policy()
