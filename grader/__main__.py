"""The command line of the grader: ``python -m grader --help``."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import publishing
from grader import secret as secrets
from grader.make import COURSE, ROOT, Folders, make, masters_in
from grader.masters import MasterError, find, load, student_notebook
from grader.public import public_cases

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from grader.gradebook import Gradebook, Graded
    from grader.masters import Master
    from grader.run import Outcome
    from grader.spec import ExerciseSet

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

gradebook_option = click.option(
    "--gradebook", type=FILE, default="grades.sqlite", show_default=True, help="Where the results are kept."
)
set_option = click.option("--set", "set_name", metavar="PART/TOPIC", help="One set only; by default all.")
masters_option = click.option(
    "--masters",
    type=FOLDER,
    default=COURSE.masters,
    help="Folder of masters, <part>/<topic>.md; by default the course's.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """Exercises of the course: make what students get, and grade what they hand in.

    A course begins with new-secret. Then, for each set: make, grade, report, mark, export and feedback.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 if something is wrong, 2 if it was called in a wrong way."""
    try:
        return cli.main(arguments, prog_name="python -m grader", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped. What was graded is kept; the same command goes on from there.", err=True)
        return 130
    except _user_errors() as error:
        click.echo(f"Error: {error}", err=True)
        return 1


def _user_errors() -> tuple[type[Exception], ...]:
    from grader.gradebook import GradebookError
    from grader.gradescope import GradescopeError
    from grader.roster import RosterError
    from grader.rubric import RubricError
    from grader.sandbox import SandboxError

    from_here = (MasterError, secrets.SecretError, GradebookError, RosterError, RubricError, GradescopeError)
    return *from_here, SandboxError, OSError


@cli.command("new-secret")
@click.argument("file", type=FILE, default="secret.key")
def new_secret(file: Path) -> None:
    """Write a new secret to FILE (secret.key by default), from which the hidden inputs are drawn.

    Keep it to yourself, out of the repository, and keep a copy: with another secret every student gets other inputs.
    """
    secrets.make(file)
    click.echo(f"{file}: 32 random bytes, for you only. Keep a copy, and keep it out of the repository.")


@cli.command("make")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if something is stale.")
@click.option("--force", is_flag=True, help="Run every master, also where nothing has changed.")
@masters_option
@click.option("--students", type=FOLDER, default=COURSE.students, help="Folder of the student notebooks.")
@click.option("--cases", type=FOLDER, default=COURSE.cases, help="Folder of the public cases.")
@click.option("--solutions", type=FOLDER, help="Folder of the worked solutions; private ones are written on request.")
def make_command(check: bool, force: bool, masters: Path, students: Path, cases: Path, solutions: Path | None) -> int:
    """Write student notebooks, public cases and worked solutions, where they are stale.

    What belongs to no master is removed from these folders, so private masters need folders of their own. Their
    student notebooks bring the public cases along, so that check knows them.
    """
    masters, students, cases = masters.resolve(), students.resolve(), cases.resolve()
    solutions = solutions.resolve() if solutions else None
    if masters == COURSE.masters:
        solutions = solutions or COURSE.solutions
    elif COURSE.students == students or COURSE.cases == cases or COURSE.solutions == solutions:
        raise click.UsageError("--masters needs --students and --cases too: the course's folders are not theirs")
    try:
        folders = Folders(masters, students, cases, solutions)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    changes = make(folders, check=check, force=force)
    for change in changes:
        click.echo(change if check else change.replace("is not what its master makes", "written"))
    if not changes:
        click.echo("exercises: up to date")
    return int(check and bool(changes))


@cli.command("check-master")
@click.argument("masters", nargs=-1, type=FILE)
@click.option("--seeds", type=click.IntRange(min=1), default=20, show_default=True, help="How many draws to try.")
def check_master(masters: tuple[Path, ...], seeds: int) -> int:
    """Prove that MASTERS, by default all of the course, can be used."""
    from grader.prove import faults

    failed = False
    for path in masters or masters_in(COURSE):
        master = load(path)
        found = faults(master, seeds)
        for fault in found:
            click.echo(f"{path}: {fault}")
        if not found:
            click.echo(f"{path}: {len(master.exercises.questions)} questions, all proved")
        failed = failed or bool(found)
    return int(failed)


def grading_options(command: Callable) -> Callable:
    """Add what `grade` and `regrade` have in common."""
    for option in reversed(
        [
            click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True)),
            click.option(
                "--set", "set_name", metavar="PART/TOPIC", help="All are for this set; else each says it itself."
            ),
            masters_option,
            click.option("--roster", "roster_file", type=FILE, help="CSV with id, and name, email, alias…, extension…"),
            click.option("--times", "times_file", type=FILE, help="CSV with file and time: when each was handed in."),
            click.option("--secret-file", type=FILE, default="secret.key", show_default=True),
            gradebook_option,
            click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count(), help="How many at a time."),
            click.option(
                "--backend", type=click.Choice(["auto", "bubblewrap", "user"]), default="auto", show_default=True
            ),
            click.option("--unsafe", is_flag=True, help="No sandbox: submissions can do whatever you can. Is noted."),
            click.option("--deadline", metavar="TIME", help="As 2026-03-01T23:59; a date alone means its end."),
            click.option("--grace-minutes", type=float, help="So much later is in time still."),
            click.option("--late-percent", type=float, help="Taken off for each day that has started."),
            click.option("--late-most", type=float, help="Never take off more percent than this."),
            click.option(
                "--counts", type=click.Choice(["last", "best"]), help="Which attempt: the last in time, or the best."
            ),
        ]
    ):
        command = option(command)
    return command


@cli.command()
@grading_options
def grade(**options) -> int:
    """Grade the notebooks in FOLDER that have no result yet.

    A file is a student's if it, or a folder around it, is named by the id or an alias in the roster, or as Canvas or
    Moodle name it. Without a roster the name of the file is the id. All attempts are graded and kept.

    The time of a file counts as the time when it was handed in. Downloads from an LMS lose it: give --times.

    The exit code is 1 if something was not graded.
    """
    return _grade(again=False, **options)


@cli.command()
@grading_options
def regrade(**options) -> int:
    """Grade the notebooks in FOLDER again, after a mistake in a master, and say whose points change.

    The earlier results are kept, but the new ones count.
    """
    return _grade(again=True, **options)


def _grade(
    again, folder, set_name, masters, roster_file, times_file, secret_file, gradebook, jobs, backend, unsafe, **policy
) -> int:
    from grader import roster, run
    from grader.gradebook import Gradebook

    secret = secrets.read(secret_file)
    due = _policy(**policy)
    students = roster.read(roster_file) if roster_file else None
    times = roster.read_times(times_file) if times_file else None
    with Gradebook(gradebook) as book:
        if students is not None:
            book.enrol(students)
        collected = roster.collect(folder, book.students() or None, times)
        with _progress() as tell:
            outcome = run.grade(
                collected,
                book,
                masters=masters,
                secret=secret,
                set=set_name,
                backend="unsafe" if unsafe else backend,
                jobs=jobs,
                again=again,
                due=due,
                tell=tell,
            )
        _say(Console(highlight=False), book, collected, outcome, again)
    return int(bool(outcome.failures or outcome.unmatched))


def _policy(deadline, grace_minutes, late_percent, late_most, counts) -> dict[str, object]:
    from grader import roster

    given = {
        "deadline": deadline and roster.parse_deadline(deadline),
        "grace_minutes": grace_minutes,
        "percent_per_day": late_percent,
        "most_percent": late_most,
        "counts": counts,
    }
    given = {name: value for name, value in given.items() if value is not None}
    try:
        roster.Policy(**given)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return given


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    columns = TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("grading", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _say(console: Console, book: Gradebook, collected, outcome: Outcome, again: bool) -> None:
    from grader import report
    from grader.roster import marked_late
    from grader.sandbox import weaknesses

    for name in outcome.sets:
        graded = book.results(name)
        if graded:
            console.print(report.table(report.report(graded, len(book.missing(name)))))
    _echo(f"{outcome.graded} graded now, {outcome.there} had a result already.")
    if not book.students():
        _echo("No roster: the names of the files are taken for the ids of the students.")
    for name in outcome.sets:
        if book.policy(name).deadline and not all(one.stated for one in collected.submissions):
            _echo(f"{name}: times are those of the files; if these were downloaded, give --times.")
    late = [
        file
        for file in marked_late(collected.submissions)
        if file not in {o.file for o in collected.submissions if o.stated}
    ]
    if late:
        _echo(f"Canvas has marked {len(late)} of them as late; give --times, since files do not say when they came.")
    _echo(*(f"{file}: in the list of times, but not in the folder" for file in collected.unknown))
    for name in outcome.outdated:
        _echo(f"{name}: its master has changed since results were made; regrade grades them again.")
    backends = sorted({graded.result.backend for name in outcome.sets for graded in book.results(name)})
    _echo(*(f"{backend}: {weakness}" for backend in backends for weakness in weaknesses(backend)))
    if again:
        _echo(*map(_change, outcome.changes), f"{len(outcome.changes)} changed.")
    _echo(*(f"{file}: not graded, it {why}" for file, why in outcome.unmatched))
    for failure in outcome.failures:
        last = failure.error.strip().splitlines()[-1]
        _echo(f"{failure.file}: not graded, the grader failed on it and will try again the next time: {last}")


def _change(change) -> str:
    before = {question.id: question for question in change.before.questions}
    said = []
    for question in change.after.questions:
        old = before.get(question.id)
        if old is None or (old.points, old.of) != (question.points, question.of):
            said.append(f"{question.id} {_points(old)} → {_points(question)}")
    return f"{change.after.student} ({', '.join(change.files)}): {', '.join(said)}"


def _points(question) -> str:
    if question is None:
        return "not asked"
    return f"{'unmarked' if question.points is None else f'{question.points:g}'} of {question.of}"


@cli.command()
@click.argument("kind", type=click.Choice(["csv", "canvas", "moodle", "gradescope"]))
@click.option("--output", type=click.Path(path_type=Path), help="A file, for gradescope a folder; else it is printed.")
@click.option("--title", "titles", multiple=True, metavar="SET=TITLE", help="Heading of its column in Canvas.")
@set_option
@gradebook_option
def export(kind: str, output: Path | None, titles: tuple[str, ...], set_name: str | None, gradebook: Path) -> None:
    """Write the grades for a spreadsheet (csv), Canvas, Moodle or Gradescope (a results.json for each student)."""
    from grader import exports
    from grader.feedback import file_name

    with _open(gradebook) as book:
        if kind == "csv":
            set_name = _one_set(book, set_name)
            _write(exports.table(book.results(set_name), book.missing(set_name)), output)
        elif kind == "canvas":
            if wrong := [title for title in titles if "=" not in title]:
                raise click.UsageError(f"--title must be like part/topic=Title (123), got {wrong[0]!r}")
            columns = dict(title.split("=", 1) for title in titles)
            _write(exports.canvas(_results(book, set_name), columns), output)
        elif kind == "moodle":
            _write(exports.moodle(_results(book, set_name)), output)
        else:
            if output is None:
                raise click.UsageError("export gradescope needs --output FOLDER: it writes a file for each student")
            for one in book.results(_one_set(book, set_name)):
                _write(exports.gradescope(one.result), output / Path(file_name(one.student.id)).with_suffix(".json"))


@cli.command()
@click.argument("folder", type=FOLDER)
@set_option
@masters_option
@gradebook_option
def feedback(folder: Path, set_name: str | None, masters: Path, gradebook: Path) -> None:
    """Write an HTML page for each student into FOLDER, and an index for you."""
    from grader import feedback

    titles: dict[str, str] = {}
    with _open(gradebook) as book:
        graded = _results(book, set_name)
    for path in find(masters):
        if f"{path.parent.name}/{path.stem}" in {one.result.set for one in graded}:
            titles |= feedback.titles(publishing.read(path))
    written = feedback.write(graded, folder, titles)
    click.echo(f"{written[0]}: {len(written) - 1} pages. They hold grades: give each student only their own.")


@cli.command()
@click.option("--format", "kind", type=click.Choice(["text", "md", "csv"]), default="text", show_default=True)
@click.option("--output", type=FILE, help="A file; else it is printed.")
@set_option
@gradebook_option
def report(kind: str, output: Path | None, set_name: str | None, gradebook: Path) -> None:
    """Say what the class did not understand: for each question how many were right, and the most common mistake."""
    from grader import report

    with _open(gradebook) as book:
        names = [_one_set(book, set_name)] if set_name else book.sets()
        reports = [report.report(book.results(name), len(book.missing(name))) for name in names]
        missing = [f"{name}: nothing from {student.id}" for name in names for student in book.missing(name)]
    if kind == "text" and output is None:
        for one in reports:
            Console(highlight=False).print(report.table(one))
        _echo(*missing)
    elif kind == "csv":
        _write(report.as_csv(reports), output)
    else:
        _write("\n".join(map(report.markdown, reports)).encode(), output)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--output", type=FILE, help="A file; else it is printed.")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many pairs at most.")
@set_option
@masters_option
@gradebook_option
def similar(folder: Path, output: Path | None, most: int, set_name: str | None, masters: Path, gradebook: Path) -> None:
    """Show pairs of submissions in FOLDER that share what few others wrote: a reason to look, never a verdict."""
    from grader import similarity

    with _open(gradebook) as book:
        name = _one_set(book, set_name)
        graded = book.results(name)
    given = similarity.given(*_master_and_notebook(masters, name))
    works, gone = {}, []
    for one in graded:
        path = folder / one.attempt.file
        if path.is_file() and not path.is_symlink():
            works[one.student.id] = similarity.read(path, given)
        else:
            gone.append(f"{one.attempt.file}: is not in {folder}")
    names = {one.student.id: one.student.name for one in graded}
    _write(similarity.markdown(similarity.pairs(works, most), names).encode(), output)
    _echo(*gone)


@cli.group()
def mark() -> None:
    """Mark answers in words by hand, through a file: export, fill it in, import."""


@mark.command("export")
@click.argument("file", type=FILE)
@click.option("--anonymous", is_flag=True, help="Without names, in an order that tells nothing.")
@click.option("--again", is_flag=True, help="Also what is marked, for a second marker.")
@set_option
@masters_option
@gradebook_option
def mark_export(file: Path, anonymous: bool, again: bool, set_name: str | None, masters: Path, gradebook: Path) -> None:
    """Write the answers that nobody has marked to FILE, each with its rubric."""
    from grader import rubric

    if file.exists():
        raise click.UsageError(f"{file} exists, and may hold marks; name another file")
    with _open(gradebook) as book:
        name = _one_set(book, set_name)
        graded = book.results(name)
    exercises = _exercises(masters, name)
    if all(question.kind != "prose" for question in exercises.questions):
        raise click.UsageError(f"{name} asks for nothing in words, so there is nothing to mark")
    _write(rubric.export(graded, exercises, anonymous=anonymous, again=again).encode(), file)


@mark.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--who", default=getpass.getuser, help="Who has marked; by default the user's name.")
@set_option
@masters_option
@gradebook_option
def mark_import(file: Path, who: str, set_name: str | None, masters: Path, gradebook: Path) -> None:
    """Take the marks in FILE into the gradebook; earlier ones are kept, the newest count."""
    from grader import rubric

    with _open(gradebook) as book:
        name = _one_set(book, set_name or _named_in(file))
        exercises = _exercises(masters, name)
        given = rubric.read(file, book.results(name), exercises)
        rubric.store(given, exercises, book, who=who)
    click.echo(f"{len(given)} {'answer' if len(given) == 1 else 'answers'} marked by {who}.")


@mark.command("compare")
@click.argument("one", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("other", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@set_option
@masters_option
@gradebook_option
def mark_compare(one: Path, other: Path, set_name: str | None, masters: Path, gradebook: Path) -> None:
    """Show where two people have marked the same answers differently."""
    from grader import rubric

    with _open(gradebook) as book:
        name = _one_set(book, set_name or _named_in(one))
        graded = book.results(name)
    exercises = _exercises(masters, name)
    both, found = rubric.compare(*(rubric.read(file, graded, exercises) for file in (one, other)), exercises)
    _echo(*(f"{d.student}, {d.question}: {d.one:g} and {d.other:g} for {d.line!r}" for d in found))
    click.echo(f"{both} lines were marked by both, {len(found)} differently.")


@cli.command()
@click.argument("student")
@click.option("--file", "file", help="Only this file, as it is named in the folder of submissions.")
@click.option("--set", "set_name", metavar="PART/TOPIC", help="Only what was handed in for this set.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gradebook_option
def forget(student: str, file: str | None, set_name: str | None, yes: bool, gradebook: Path) -> None:
    """Remove STUDENT (the id) from the gradebook: results, answers, marks, times, and the entry in the roster.

    With --set or --file only what was handed in for that set, or that file, goes. Nothing brings it back, except
    grading the file again if it is still in the folder.
    """
    with _open(gradebook) as book:
        what = " and ".join(one for one in (file, set_name) if one) or "everything"
        if not yes and not click.confirm(f"Remove {what} of {student} from {gradebook} for good?"):
            raise click.ClickException("nothing was removed")
        count = book.forget(student, set=set_name, file=file)
    click.echo(f"{student}: {count} {'file' if count == 1 else 'files'} forgotten.")
    click.echo(
        "Exports, feedback pages, files of marks, the roster file and the submissions themselves are yours to remove."
    )


@cli.group()
def bundle() -> None:
    """Pack a set for another system."""


@bundle.command("gradescope")
@click.argument("master", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("target", type=FILE, default="autograder.zip")
@click.option("--secret-file", type=FILE, help="Pack it too; else add it to the archive as the file secret.")
def bundle_gradescope(master: Path, target: Path, secret_file: Path | None) -> None:
    """Pack MASTER and the grader into TARGET (autograder.zip by default) to be uploaded to Gradescope."""
    from grader import gradescope

    gradescope.bundle(master, target, secret=secret_file)
    click.echo(f"{target}: upload it as the autograder of the assignment.")
    if secret_file:
        click.echo("It holds the secret and the master: give it to nobody but Gradescope.")


def _open(path: Path) -> Gradebook:
    from grader.gradebook import Gradebook

    return Gradebook(path, must_exist=True)


def _one_set(book: Gradebook, name: str | None) -> str:
    names = book.sets()
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise click.UsageError(f"--set must be one of {', '.join(names) or 'none, nothing is graded yet'}; got {name}")
    return name


def _results(book: Gradebook, name: str | None) -> list[Graded]:
    return book.results(_one_set(book, name) if name or not book.sets() else None)


def _named_in(file: Path) -> str | None:
    """Return the set that a file of marks is for."""
    match = re.search(r"^set: (\S+)$", file.read_text("utf-8-sig", "replace"), re.MULTILINE)
    return match and match[1]


def _exercises(masters: Path, name: str) -> ExerciseSet:
    return load(masters / f"{name}.md").exercises


def _master_and_notebook(masters: Path, name: str) -> tuple[Master, NotebookNode]:
    master = load(masters / f"{name}.md")
    brought = {} if masters.resolve() == COURSE.masters else {"cases": public_cases(master.exercises)}
    return master, student_notebook(master, publishing.read_repository(ROOT / "_config.yml"), **brought)


def _write(content: bytes, path: Path | None) -> None:
    if path is None:
        click.echo(content, nl=False)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # grades are private
    path.write_bytes(content)
    click.echo(f"{path}: written")


def _echo(*lines: str) -> None:
    from grader.exports import legible

    for line in lines:
        click.echo(legible(line))


if __name__ == "__main__":
    sys.exit(main())
