"""What the class did not understand: for every question how many got it right, and the mistake most of them made.

A mistake that many make and no mutant of the master recognises means that the master lacks a hint: the report names
such questions, with the reason that came most often.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from grader.exports import legible, number, plain, to_csv
from grader.gradebook import Graded
from grader.results import QuestionResult
from lrlib.exercises.check import UNWRITTEN

#: Below this a share would say more than is known.
FEW = 10
#: A question on which this share of the class, and at least so many, went wrong without being recognised lacks a hint.
UNRECOGNISED_SHARE = 0.15
UNRECOGNISED_FEWEST = 3
#: How the reason begins where there was no answer to judge.
NO_ANSWER = (UNWRITTEN.text, "the notebook ", "the file ")


@dataclass(frozen=True)
class QuestionReport:
    """One question over the class.

    Parameters
    ----------
    id, kind : str
    of : int
        Points.
    students : int
        Whose answer has points; a question in words that is not marked yet does not count.
    right : int
        Who got all points.
    mean : float or None
        Of the points; None if there are none yet.
    mistakes : tuple of (str, str, int)
        Known mistakes, the hint that was given for them, and how many made them; the most common first.
    without : int
        Who gave no answer, or handed in what could not be run.
    unrecognised : int
        Wrong answers that no known mistake explains.
    reason : str
        What was wrong with most of those, without the numbers; empty if nothing is known.
    waiting : int
        Answers that nobody has marked yet.
    """

    id: str
    kind: str
    of: int
    students: int
    right: int
    mean: float | None
    mistakes: tuple[tuple[str, str, int], ...]
    without: int
    unrecognised: int
    reason: str
    waiting: int

    @property
    def lacks_hint(self) -> bool:
        """Whether so many wrong answers are not recognised that the master should know their mistake."""
        return self.unrecognised >= max(UNRECOGNISED_FEWEST, UNRECOGNISED_SHARE * self.students)


@dataclass(frozen=True)
class Report:
    """One set over the class.

    Parameters
    ----------
    set : str
    students : int
        Who handed in.
    missing : int
        Who is in the roster and did not.
    late : int
        Whose attempt that counts was late.
    late_days : int
        Of them together.
    unsafe : int
        Attempts that ran without a sandbox.
    mean : float
        Of the final points.
    of : int
        Points of the set.
    questions : tuple of QuestionReport
        In the order of the set.
    """

    set: str
    students: int
    missing: int
    late: int
    late_days: int
    unsafe: int
    mean: float
    of: int
    questions: tuple[QuestionReport, ...]

    @property
    def few(self) -> bool:
        """Whether there are too few students for shares."""
        return self.students < FEW

    @property
    def hardest(self) -> list[QuestionReport]:
        """Questions that fewer than half got right, the hardest first; not those that are still being marked."""
        known = [question for question in self.questions if question.students and not question.waiting]
        return sorted(
            (question for question in known if 2 * question.right < question.students),
            key=lambda question: question.right / question.students,
        )


def report(graded: Sequence[Graded], missing: int = 0) -> Report:
    """Return the report on one set.

    Parameters
    ----------
    graded : sequence of Graded
        The attempt that counts of each student.
    missing : int
        How many of the roster handed in nothing.

    Raises
    ------
    ValueError
        If there is no grade, or there are grades of several sets.
    """
    sets = sorted({one.result.set for one in graded})
    if len(sets) != 1:
        raise ValueError(f"graded must be of one set, got {', '.join(sets) or 'nothing'}")
    answers: dict[str, list[QuestionResult]] = {}
    for one in graded:
        for question in one.questions:
            answers.setdefault(question.id, []).append(question)
    return Report(
        set=sets[0],
        students=len(graded),
        missing=missing,
        late=sum(one.late_days > 0 for one in graded),
        late_days=sum(one.late_days for one in graded),
        unsafe=sum(one.unsafe for one in graded),
        mean=sum(one.points for one in graded) / len(graded),
        of=max(one.of for one in graded),
        questions=tuple(map(_question, answers.values())),
    )


def _question(answers):
    marked = [answer for answer in answers if answer.points is not None]
    wrong = [answer for answer in marked if answer.points < answer.of and answer.kind != "prose"]
    wrong = [answer for answer in wrong if not answer.why.startswith(NO_ANSWER)]
    mistakes = Counter((answer.mistake, answer.hint) for answer in wrong if answer.mistake)
    unrecognised = [answer for answer in wrong if not answer.mistake]
    reasons = Counter(_kind_of(answer.why) for answer in unrecognised if answer.why)
    return QuestionReport(
        id=answers[0].id,
        kind=answers[0].kind,
        of=answers[0].of,
        students=len(marked),
        right=sum(answer.points >= answer.of for answer in marked),
        mean=sum(answer.points for answer in marked) / len(marked) if marked else None,
        mistakes=tuple((*mistake, count) for mistake, count in _most(mistakes)),
        without=sum(answer.why.startswith(NO_ANSWER) for answer in marked),
        unrecognised=len(unrecognised),
        reason=_most(reasons)[0][0] if reasons else "",
        waiting=len(answers) - len(marked),
    )


def _most(counts):
    """As `Counter.most_common`, but in an order that does not depend on who came first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _kind_of(why):
    """Return the first line of a reason with its numbers left out, so that those of many students can be counted."""
    first = legible(why.strip().split("\n")[0])
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "…", first)[:160]


def table(report: Report) -> Table:
    """Return the report as a table for the terminal."""
    title = escape(
        f"{report.set}: {_students(report.students)}, {number(report.mean)} of {report.of} points on average"
    )
    view = Table(
        title=title, caption=escape("\n".join(sentences(report))), title_justify="left", caption_justify="left"
    )
    view.add_column("question", overflow="fold")
    view.add_column("right", justify="right", no_wrap=True)
    view.add_column("points", justify="right", no_wrap=True)
    view.add_column("most common mistake")
    view.add_column("no answer", justify="right")
    view.add_column("not recognised", justify="right")
    for question in report.questions:
        name, *cells = _cells(question, report.few)
        view.add_row(*map(escape, [name.partition(".")[2], *cells]))
    return view


def markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [f"# {plain(report.set)}", "", *(f"- {plain(sentence)}" for sentence in sentences(report)), ""]
    lines.append("| Question | Right | Points | Most common mistake | No answer | Not recognised |")
    lines.append("| --- | --: | --: | --- | --: | --: |")
    lines += [f"| {' | '.join(map(plain, _cells(question, report.few)))} |" for question in report.questions]
    return "\n".join(lines) + "\n"


def as_csv(reports: Sequence[Report]) -> bytes:
    """Return one row for each question of each set, with counts rather than shares."""
    head = ["set", "question", "kind", "out of", "answers", "right", "mean points", "most common mistake", "its hint"]
    rows = [
        [*head, "how many made it", "no answer", "not recognised", "what was wrong with them", "waiting for a mark"]
    ]
    for report in reports:
        for q in report.questions:
            mistake, hint, count = q.mistakes[0] if q.mistakes else ("", "", 0)
            numbers = [str(q.of), str(q.students), str(q.right), number(q.mean)]
            rest = [str(count), str(q.without), str(q.unrecognised), q.reason, str(q.waiting)]
            rows.append([report.set, q.id, q.kind, *numbers, mistake, hint, *rest])
    return to_csv(rows)


def sentences(report: Report) -> list[str]:
    """Say what the class did not understand, what the master lacks, who was late and what waits for a mark."""
    said = []
    if report.few:
        said.append(f"Only {_students(report.students)}: counts are given, shares would say more than is known.")
    for question in report.hardest[:3]:
        words = f"{question.id}: {_share(question.right, question.students, report.few)} got it right."
        if question.mistakes:
            name, hint, count = question.mistakes[0]
            words += f" {_share(count, question.students, report.few)} made the mistake {name!r}: {hint}"
        said.append(words)
    for question in report.questions:
        if question.lacks_hint:
            words = (
                f"{question.id}: {question.unrecognised} wrong answers are no known mistake; the master lacks a hint."
            )
            said.append(words + (f" Most often: {question.reason}" if question.reason else ""))
    if report.late:
        said.append(f"{report.late} late, {report.late_days} day{'s' * (report.late_days != 1)} together.")
    if report.missing:
        said.append(f"{_students(report.missing)} of the roster handed in nothing.")
    for question in report.questions:
        if question.waiting:
            many = "answer waits" if question.waiting == 1 else "answers wait"
            said.append(f"{question.id}: {question.waiting} {many} for a mark.")
    if report.unsafe:
        said.append(f"{report.unsafe} ran without a sandbox: these grades can be forged.")
    return said


def _cells(question: QuestionReport, few: bool) -> list[str]:
    if question.waiting:
        return [question.id, "", f"of {question.of}", f"{question.waiting} to be marked", str(question.without), ""]
    name, _, count = question.mistakes[0] if question.mistakes else ("", "", 0)
    return [
        question.id,
        _share(question.right, question.students, few),
        f"{number(question.mean)} of {question.of}",
        f"{name} ({count})" if name else "",
        str(question.without),
        f"{question.unrecognised}{' !' if question.lacks_hint else ''}" if question.kind != "prose" else "",
    ]


def _share(part: int, whole: int, few: bool) -> str:
    return f"{part} of {whole}" if few else f"{100 * part / whole:.0f} %"


def _students(count: int) -> str:
    return f"{count} student{'s' * (count != 1)}"
