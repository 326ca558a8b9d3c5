"""The gradebook: one SQLite file that holds every result, who handed in what and when, and the marks given by hand.

Nothing in it is ever overwritten by grading again: a result is found under its student, set, version, submission and
secret, and a regrade adds a round. What counts is decided when it is read, from the attempts, the deadline and the
extensions as they are then.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from grader.results import QuestionResult, SubmissionResult
from grader.roster import Policy, Student, natural

SCHEMA_VERSION = 1
#: marks the file as a gradebook, so that no other SQLite file is taken for one
APPLICATION = 0x6C726762

SCHEMA = """
CREATE TABLE results (
    sequence INTEGER PRIMARY KEY,
    student TEXT NOT NULL, "set" TEXT NOT NULL, version INTEGER NOT NULL, submission TEXT NOT NULL,
    secret TEXT NOT NULL, round INTEGER NOT NULL, unsafe INTEGER NOT NULL, content TEXT NOT NULL,
    UNIQUE (student, "set", version, submission, secret, round, unsafe)
);
CREATE TABLE attempts (
    student TEXT NOT NULL, "set" TEXT NOT NULL, submission TEXT NOT NULL, file TEXT NOT NULL,
    time TEXT NOT NULL, stated INTEGER NOT NULL,
    PRIMARY KEY (student, "set", submission, file)
);
CREATE TABLE failures (
    student TEXT NOT NULL, "set" TEXT NOT NULL, submission TEXT NOT NULL, file TEXT NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (student, "set", submission)
);
CREATE TABLE sets (
    "set" TEXT PRIMARY KEY, version INTEGER NOT NULL, secret TEXT NOT NULL, master TEXT NOT NULL,
    round INTEGER NOT NULL, open INTEGER NOT NULL
);
CREATE TABLE policies ("set" TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE students (id TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE marks (
    sequence INTEGER PRIMARY KEY,
    student TEXT NOT NULL, "set" TEXT NOT NULL, submission TEXT NOT NULL, question TEXT NOT NULL,
    points REAL NOT NULL, comment TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL
);
"""


class GradebookError(Exception):
    """A gradebook that cannot be opened, or something that it does not hold."""


class Key(NamedTuple):
    """What a result is found under."""

    student: str
    set: str
    version: int
    submission: str  #: SHA-256 of the file
    secret: str  #: digest of the secret

    @classmethod
    def of(cls, result: SubmissionResult) -> Key:
        return cls(result.student, result.set, result.version, result.submission, result.secret)


@dataclass(frozen=True)
class Attempt:
    """A file that was handed in.

    Parameters
    ----------
    file : str
        Its path in the folder of submissions.
    time : datetime
        When, with a time zone.
    stated : bool
        The time comes from a list, not from the file, whose own changes when it is copied.
    number : int
        1 for the student's first; counted when it is read.
    """

    file: str
    time: datetime
    stated: bool = False
    number: int = 1


@dataclass(frozen=True)
class Mark:
    """Points given by hand for one question."""

    question: str
    points: float
    comment: str
    who: str
    at: datetime


@dataclass(frozen=True)
class Graded:
    """One attempt with all that its grade is made of.

    Parameters
    ----------
    student : Student
        As in the roster; without one only the id is known.
    result : SubmissionResult
        As it was graded: a question in words has no points here.
    attempt : Attempt
    attempts : int
        How many the student has handed in for this set.
    marks : tuple of Mark
        The newest for each question that has one, in the order of the questions.
    late_days : int
        Started days after the deadline, extension and grace included; 0 if it came in time.
    penalty : float
        Share of the points that is taken off for them, from 0 to 1.
    """

    student: Student
    result: SubmissionResult
    attempt: Attempt
    attempts: int = 1
    marks: tuple[Mark, ...] = ()
    late_days: int = 0
    penalty: float = 0.0

    @property
    def questions(self) -> tuple[QuestionResult, ...]:
        """The questions, with the points that were given by hand."""
        given = {mark.question: mark for mark in self.marks}
        return tuple(
            dataclasses.replace(question, points=given[question.id].points) if question.id in given else question
            for question in self.result.questions
        )

    @property
    def unmarked(self) -> tuple[str, ...]:
        """Questions that nobody has marked yet; they count nothing until then."""
        return tuple(question.id for question in self.questions if question.points is None)

    @property
    def before_penalty(self) -> float:
        """Points without the penalty."""
        return sum(question.points or 0.0 for question in self.questions)

    @property
    def points(self) -> float:
        """Points that count, to a hundredth."""
        return round(self.before_penalty * (1 - self.penalty), 2)

    @property
    def of(self) -> int:
        """Points that the set can bring."""
        return sum(question.of for question in self.result.questions)

    @property
    def unsafe(self) -> bool:
        """Whether the submission ran without a sandbox, so that it may have tampered with its grade."""
        return self.result.backend == "unsafe"


@dataclass(frozen=True)
class Change:
    """A submission, with the files that hold it, whose points are others than before."""

    files: tuple[str, ...]
    before: SubmissionResult
    after: SubmissionResult


@dataclass(frozen=True)
class Failure:
    """A submission that the grader itself failed on; the next run tries it again."""

    student: str
    set: str
    file: str
    error: str


class Gradebook:
    """The results of a course, in one file.

    Parameters
    ----------
    path : Path
    must_exist : bool
        Do not make a new one.

    Raises
    ------
    GradebookError
        If the file is no gradebook, or one that a newer grader wrote.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        path = Path(path)
        if must_exist and not path.exists():
            raise GradebookError(f"there is no gradebook {path}; python -m grader grade makes one")
        try:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # grades are private
            # The rollback journal, not WAL: one file that can be copied, and safe on a network drive too.
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise GradebookError(f"{path} cannot be used as a gradebook: {error}") from None

    def _prepare(self, path: Path) -> None:
        if not self._has_tables():
            with self._writing():
                for statement in SCHEMA.split(";") if not self._has_tables() else ():  # another grader may be as quick
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        application, schema = (
            self._db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("application_id", "user_version")
        )
        if application != APPLICATION:
            raise GradebookError(f"{path} is a database, but no gradebook")
        if schema != SCHEMA_VERSION:
            raise GradebookError(f"{path} has schema {schema}, this grader reads {SCHEMA_VERSION}")

    def _has_tables(self) -> bool:
        return self._db.execute("SELECT 1 FROM sqlite_master").fetchone() is not None

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    # Writing: each method is one transaction.

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def begin(self, set: str, version: int, secret: str, master: str, *, again: bool = False) -> int:
        """Say what a set is about to be graded with, and return the number of the round.

        A new version of the set begins a new round, since all its results are new.

        Parameters
        ----------
        set : str
        version : int
        secret : str
            Digest of the secret. Where there are results from several, those from this one count.
        master : str
            Hash of the master.
        again : bool
            Begin a new round, in which everything is graded again; one that was broken off is taken up.
        """
        with self._writing():
            known = self._db.execute(
                'SELECT version, secret, master, round, open FROM sets WHERE "set" = ?', (set,)
            ).fetchone()
            if known is None:
                round, open, with_master = 0, again, master
            else:
                round, open, with_master = known[3], known[4], known[2]
                broken_off = open and known[:3] == (version, secret, master)
                if version != known[0] or (again and not broken_off):
                    round, open, with_master = round + 1, again, master
            row = (set, version, secret, with_master, round, open)
            self._db.execute("INSERT OR REPLACE INTO sets VALUES (?, ?, ?, ?, ?, ?)", row)
        return round

    def finish(self, set: str) -> None:
        """Say that a regrade is complete."""
        with self._writing():
            self._db.execute('UPDATE sets SET open = 0 WHERE "set" = ?', (set,))

    def add(self, result: SubmissionResult, attempt: Attempt) -> None:
        """Keep a result and its attempt; one that is there already changes nothing."""
        content = json.dumps(dataclasses.asdict(result))
        with self._writing():
            found = self._db.execute('SELECT round FROM sets WHERE "set" = ?', (result.set,)).fetchone()
            row = (*Key.of(result), found[0] if found else 0, result.backend == "unsafe", content)
            self._db.execute(
                'INSERT OR IGNORE INTO results (student, "set", version, submission, secret, round, unsafe, content) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            self._keep(result.student, result.set, result.submission, attempt)
            where = (result.student, result.set, result.submission)
            self._db.execute('DELETE FROM failures WHERE student = ? AND "set" = ? AND submission = ?', where)

    def attempted(self, student: str, set: str, submission: str, attempt: Attempt) -> None:
        """Keep an attempt. A stated time replaces the one known; a file's own does so only if it is earlier."""
        with self._writing():
            self._keep(student, set, submission, attempt)

    def _keep(self, student: str, set: str, submission: str, attempt: Attempt) -> None:
        when = attempt.time.astimezone(UTC).isoformat()  # in one zone, so that texts compare as times do
        self._db.execute(
            "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, "
            "stated = excluded.stated WHERE excluded.stated OR (NOT stated AND excluded.time < time)",
            (student, set, submission, attempt.file, when, attempt.stated),
        )

    def fail(self, student: str, set: str, submission: str, file: str, error: str) -> None:
        """Keep what the grader itself failed on, until there is a result."""
        with self._writing():
            row = (student, set, submission, file, error)
            self._db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?)", row)

    def enrol(self, students: Iterable[Student]) -> None:
        """Keep a roster in place of the one before."""
        with self._writing():
            self._db.execute("DELETE FROM students")
            rows = [(student.id, json.dumps(dataclasses.asdict(student))) for student in students]
            self._db.executemany("INSERT INTO students VALUES (?, ?)", rows)

    def set_policy(self, set: str, policy: Policy) -> None:
        """Keep the deadline of a set and what follows from it."""
        content = dataclasses.asdict(policy)
        content["deadline"] = policy.deadline and policy.deadline.isoformat()
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO policies VALUES (?, ?)", (set, json.dumps(content)))

    def mark(
        self,
        student: str,
        set: str,
        submission: str,
        question: str,
        points: float,
        *,
        who: str,
        comment: str = "",
        at: datetime | None = None,
    ) -> None:
        """Give points by hand; the newest mark of a question counts and the older ones are kept.

        Raises
        ------
        GradebookError
            If there is no such result or question, it is not marked by hand, or the points are out of range.
        """
        graded = [one for one in self._graded(set, student) if one.result.submission == submission]
        if not graded:
            raise GradebookError(f"{student} has no result for the submission {submission[:12]} of {set}")
        asked = {one.id: one for one in graded[0].result.questions if one.kind == "prose"}
        if question not in asked:
            raise GradebookError(f"question must be one that is marked by hand ({', '.join(asked)}), got {question!r}")
        if not 0 <= points <= asked[question].of:
            raise GradebookError(f"points of {question} must be from 0 to {asked[question].of}, got {points}")
        when = (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
        with self._writing():
            self._db.execute(
                'INSERT INTO marks (student, "set", submission, question, points, comment, who, at) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (student, set, submission, question, points, comment, who, when),
            )

    def forget(self, student: str, *, set: str | None = None, file: str | None = None) -> int:
        """Remove a student with all that is known, or only what was handed in for a set, or only one file.

        Returns
        -------
        int
            How many files of the student were known.

        Raises
        ------
        GradebookError
            If there is nothing to remove.
        """
        theirs, where = 'student = ? AND ifnull("set" = ?, 1)', (student, set)
        with self._writing():
            gone = [
                self._db.execute(f"DELETE FROM {table} WHERE {theirs} AND ifnull(file = ?, 1)", (*where, file)).rowcount
                for table in ("attempts", "failures")
            ]
            for table in ("results", "marks"):
                same = f'(student, "set", submission) = ({table}.student, {table}."set", {table}.submission)'
                handed_in = f"SELECT 1 FROM attempts WHERE {same}"
                self._db.execute(f"DELETE FROM {table} WHERE {theirs} AND NOT EXISTS ({handed_in})", where)
            enrolled = 0
            if set is None and file is None:
                enrolled = self._db.execute("DELETE FROM students WHERE id = ?", (student,)).rowcount
        if not sum(gone) + enrolled:
            what = "".join(f" of {one}" for one in (file, set) if one)
            raise GradebookError(f"the gradebook holds nothing{what} under the student {student!r}")
        self._db.execute("VACUUM")  # else the texts would still stand in the file
        return sum(gone)

    # Reading: always in the same order, by set, then by student.

    def has(self, key: Key, *, round: int = 0, unsafe: bool = True) -> bool:
        """Tell whether there is a result, from this round or a later one; `unsafe` ones may not be good enough."""
        found = self._db.execute(
            'SELECT 1 FROM results WHERE student = ? AND "set" = ? AND version = ? AND submission = ? AND secret = ? '
            "AND round >= ? AND unsafe <= ?",
            (*key, round, unsafe),
        )
        return found.fetchone() is not None

    def sets(self) -> list[str]:
        """Return the sets that have results."""
        return [row[0] for row in self._db.execute('SELECT DISTINCT "set" FROM results ORDER BY 1')]

    def results(self, set: str | None = None) -> list[Graded]:
        """Return the attempt that counts of each student, of one set or of all."""
        counted = []
        for name in self._named(set):
            policy = self.policy(name)
            for _, attempts in groupby(self._graded(name), lambda graded: graded.student.id):
                counted.append(_counted(list(attempts), policy))
        return counted

    def attempts(self, set: str | None = None) -> list[Graded]:
        """Return all attempts, in the order in which they were made for each student."""
        return [graded for name in self._named(set) for graded in self._graded(name)]

    def students(self) -> list[Student]:
        """Return the roster."""
        rows = self._db.execute("SELECT content FROM students ORDER BY id")
        return [_student(json.loads(content)) for (content,) in rows]

    def missing(self, set: str) -> list[Student]:
        """Return those in the roster who have no result for a set."""
        there = {row[0] for row in self._db.execute('SELECT student FROM results WHERE "set" = ?', (set,))}
        return [student for student in self.students() if student.id not in there]

    def policy(self, set: str) -> Policy:
        """Return the deadline of a set and what follows from it."""
        row = self._db.execute('SELECT content FROM policies WHERE "set" = ?', (set,)).fetchone()
        if row is None:
            return Policy()
        content = json.loads(row[0])
        deadline = content.pop("deadline")
        return Policy(datetime.fromisoformat(deadline) if deadline else None, **content)

    def master(self, set: str) -> str:
        """Return the hash of the master that a set was graded with; empty if it never was."""
        row = self._db.execute('SELECT master FROM sets WHERE "set" = ?', (set,)).fetchone()
        return row[0] if row else ""

    def marks(self, student: str, set: str, submission: str) -> list[Mark]:
        """Return all marks of a submission, the oldest first."""
        rows = self._db.execute(
            'SELECT question, points, comment, who, at FROM marks WHERE student = ? AND "set" = ? AND submission = ? '
            "ORDER BY sequence",
            (student, set, submission),
        )
        return [Mark(*row[:4], datetime.fromisoformat(row[4])) for row in rows]

    def changes(self, set: str) -> list[Change]:
        """Return the submissions that the last round has given other points than they had."""
        (last,) = self._db.execute('SELECT round FROM sets WHERE "set" = ?', (set,)).fetchone() or (0,)
        found = []
        for (student, submission), rows in groupby(self._rows(set), lambda row: row[:2]):
            rounds, contents = zip(*(row[2:] for row in rows), strict=True)
            earlier = [content for round, content in zip(rounds, contents, strict=True) if round < last]
            if earlier and rounds[-1] == last:
                before, after = _result(earlier[-1]), _result(contents[-1])
                if _marks(before) != _marks(after):
                    found.append(Change(self._files(student, set, submission), before, after))
        return found

    def _files(self, student: str, set: str, submission: str) -> tuple[str, ...]:
        rows = self._db.execute(
            'SELECT file FROM attempts WHERE student = ? AND "set" = ? AND submission = ?', (student, set, submission)
        )
        return tuple(sorted((file for (file,) in rows), key=natural))

    def failures(self, set: str | None = None) -> list[Failure]:
        """Return what the grader itself failed on."""
        rows = self._db.execute('SELECT student, "set", file, error FROM failures ORDER BY "set", student, file')
        return [Failure(*row) for row in rows if set in (None, row[1])]

    def _named(self, set: str | None) -> list[str]:
        return self.sets() if set is None else [set]

    def _rows(self, set: str, student: str | None = None) -> sqlite3.Cursor:
        """Rows of (student, submission, round, content); of one submission the last is the one that counts."""
        return self._db.execute(
            'SELECT student, submission, results.round, content FROM results LEFT JOIN sets USING ("set") '
            'WHERE "set" = ? AND ifnull(student = ?, 1) ORDER BY student, submission, '
            "results.version, results.secret IS sets.secret, results.round, NOT unsafe, sequence",
            (set, student),
        )

    def _graded(self, set: str, student: str | None = None) -> Iterator[Graded]:
        policy, enrolled = self.policy(set), {student.id: student for student in self.students()}
        results = {(row[0], row[1]): row[3] for row in self._rows(set, student)}
        rows = self._db.execute(
            'SELECT student, submission, file, time, stated FROM attempts WHERE "set" = ? AND ifnull(student = ?, 1) '
            "ORDER BY student",
            (set, student),
        ).fetchall()
        for id, group in groupby((row for row in rows if row[:2] in results), lambda row: row[0]):
            made = sorted(group, key=lambda row: (row[3], natural(row[2]), row[1]))
            for number, (_, submission, file, when, stated) in enumerate(made, start=1):
                attempt = Attempt(file, datetime.fromisoformat(when), bool(stated), number)
                result = _result(results[id, submission])
                newest = {mark.question: mark for mark in self.marks(id, set, submission)}
                marks = tuple(newest[question.id] for question in result.questions if question.id in newest)
                whose = enrolled.get(id, Student(id))
                days = policy.late_days(attempt.time, whose.extension(set))
                yield Graded(whose, result, attempt, len(made), marks, days, policy.penalty(days))


def _counted(attempts: list[Graded], policy: Policy) -> Graded:
    if policy.counts == "best":
        return max(attempts, key=lambda graded: (graded.points, graded.attempt.number))
    in_time = [graded for graded in attempts if not graded.late_days]
    return (in_time or attempts)[-1]


def _result(content: str) -> SubmissionResult:
    fields = json.loads(content)
    fields["questions"] = tuple(QuestionResult(**question) for question in fields["questions"])
    fields["notes"] = tuple(fields["notes"])
    fields["prose"] = tuple((question, words) for question, words in fields["prose"])
    return SubmissionResult(**fields)


def _marks(result: SubmissionResult) -> list[tuple]:
    return [(question.id, question.points, question.of) for question in result.questions]


def _student(fields: dict) -> Student:
    pairs = {name: tuple((a, b) for a, b in fields.pop(name)) for name in ("extensions", "other")}
    return Student(**fields | {"aliases": tuple(fields["aliases"])} | pairs)
