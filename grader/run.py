"""Grades a folder of submissions: several at a time, each result kept as soon as it is there.

A run may be killed at any moment; the next one goes on where it stopped. A submission that breaks the grader itself
costs only itself: it is written down for the instructor and tried again by the next run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import mmap
import multiprocessing
import os
import re
import signal
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from pathlib import Path
from types import MappingProxyType

from grader import sandbox
from grader import secret as secrets
from grader.gradebook import Attempt, Change, Failure, Gradebook, Key
from grader.masters import Master, MasterError, find, load
from grader.results import SubmissionResult
from grader.roster import Collected, Submission

#: seconds after which a helper is taken to hang; a submission is ended long before by its own limits
PATIENCE_S = 900
#: what a student notebook says about itself, and the calls that stand in it; both as written in JSON
METADATA = re.compile(rb'"exercises"\s*:\s*\{[^{}]{0,200}"set"\s*:\s*"([\w./-]{1,100})"')
CALL = re.compile(rb"""check\(\s*(?:\\?"|')(\w{1,100})\.\w""")


@dataclass(frozen=True)
class Job:
    """One content to be graded for one student, and the files that hold it."""

    set: str
    submission: str  #: SHA-256
    files: tuple[Submission, ...]

    @property
    def student(self) -> str:
        return self.files[0].student.id


@dataclass
class Outcome:
    """What a run did.

    Attributes
    ----------
    graded, there : int
        Submissions graded now, and those that had a result already.
    sets : list of str
        The sets that submissions were for.
    unmatched : list of (str, str)
        Files that were not graded, and why.
    failures : list of Failure
        What the grader itself failed on.
    outdated : list of str
        Sets whose master is another than their earlier results were made with.
    changes : list of Change
        After a regrade, the submissions with other points than before.
    """

    graded: int = 0
    there: int = 0
    sets: list[str] = field(default_factory=list)
    unmatched: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def which_set(notebook: Path, names: Iterable[str]) -> str | None:
    """Return the set that a notebook is for, as its metadata or its calls of ``check`` say; None if they do not.

    The file is searched and not parsed: it may be broken, huge or both.
    """
    names = set(names)
    with open(notebook, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for match in METADATA.finditer(content):
                if (name := match[1].decode("ascii", "replace")) in names:
                    return name
            calls = Counter(match[1].decode("ascii", "replace") for match in CALL.finditer(content))
    counts = Counter({name: calls[name.rpartition("/")[2]] for name in names})
    (first, most), second = counts.most_common(1)[0], counts.most_common(2)[1:]
    return first if most and (not second or second[0][1] < most) else None


def grade(
    collected: Collected,
    book: Gradebook,
    *,
    masters: Path,
    secret: bytes,
    set: str | None = None,
    backend: str = "auto",
    jobs: int = 2,
    again: bool = False,
    due: Mapping[str, object] = MappingProxyType({}),
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> Outcome:
    """Grade what has no result yet.

    Parameters
    ----------
    collected : Collected
        From `grader.roster.collect`.
    book : Gradebook
    masters : Path
        Folder of masters, ``<part>/<topic>.md``.
    secret : bytes
    set : str or None
        The set that all submissions are for; otherwise each says it itself.
    backend : str
        As in `grader.sandbox.choose`.
    jobs : int
        How many submissions are graded at a time.
    again : bool
        Grade all again, in a new round; the earlier results are kept.
    due : mapping
        What is new in the `grader.roster.Policy` of the sets.
    tell : function
        Called with how many are done and how many there are.

    Raises
    ------
    SandboxError, MasterError
        Before anything is graded.
    """
    backend = sandbox.choose(backend)
    paths = {f"{path.parent.name}/{path.stem}": path for path in find(masters)}
    if not paths or (set and set not in paths):
        raise MasterError(
            f"{masters} must hold the master {set or '<part>/<topic>'}.md; it has {', '.join(paths) or 'none'}"
        )
    outcome = Outcome(unmatched=list(collected.unmatched))
    by_set = _sorted_out(collected.submissions, paths, set, outcome)
    outcome.sets = sorted(by_set)
    # Read by the helpers' numerical libraries when they are loaded: each helper is one thread's worth of work.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    with contextlib.ExitStack() as helpers:

        def another() -> _Helper:
            helper = _Helper(paths, secret, backend)
            helpers.callback(helper.stop)
            return helper

        idle = [another()] if by_set else []
        # A helper runs the masters, which load much that is not needed here.
        versions = {name: idle[0].version(name) for name in outcome.sets}
        waiting = []
        for name, version in versions.items():
            book.set_policy(name, dataclasses.replace(book.policy(name), **due))
            waiting += _waiting(by_set[name], name, version, paths[name], book, secret, backend, again, outcome)
        total = outcome.there + len(waiting)
        tell(outcome.there, total)
        for job, reply in _all(waiting, idle, another, jobs):
            _keep(job, reply, book, outcome)
            tell(outcome.there + outcome.graded + len(outcome.failures), total)
    for name in outcome.sets if again else ():
        if not any(failure.set == name for failure in outcome.failures):
            book.finish(name)
        outcome.changes += book.changes(name)
    return outcome


def _keep(job: Job, reply: SubmissionResult | str, book: Gradebook, outcome: Outcome) -> None:
    if isinstance(reply, SubmissionResult):
        for one in job.files:
            book.add(reply, Attempt(one.file, one.time, one.stated))
        outcome.graded += 1
    else:
        book.fail(job.student, job.set, job.submission, job.files[0].file, reply)
        outcome.failures.append(Failure(job.student, job.set, job.files[0].file, reply))


def _sorted_out(submissions, paths, set, outcome) -> dict[str, list[Submission]]:
    by_set: dict[str, list[Submission]] = {}
    for one in submissions:
        name = set or (next(iter(paths)) if len(paths) == 1 else which_set(one.path, paths))
        if name is None:
            outcome.unmatched.append((one.file, "does not say which set it is for; name it with --set"))
        else:
            by_set.setdefault(name, []).append(one)
    return by_set


def _waiting(submissions, name, version, master: Path, book, secret, backend, again, outcome) -> list[Job]:
    digest, hashed = secrets.digest(secret), hashlib.sha256(master.read_bytes()).hexdigest()
    round = book.begin(name, version, digest, hashed, again=again)
    same: dict[tuple[str, str], list[Submission]] = {}
    for one in submissions:
        with open(one.path, "rb") as file:
            same.setdefault((one.student.id, hashlib.file_digest(file, "sha256").hexdigest()), []).append(one)
    waiting = []
    for (student, submission), files in same.items():
        key = Key(student, name, version, submission, digest)
        if book.has(key, round=round if again else 0, unsafe=backend == "unsafe"):
            outcome.there += 1
            for one in files:
                book.attempted(student, name, submission, Attempt(one.file, one.time, one.stated))
        else:
            waiting.append(Job(name, submission, tuple(files)))
    if outcome.there and book.master(name) != hashed:
        outcome.outdated.append(name)
    return waiting


def _all(waiting: list[Job], idle: list[_Helper], another: Callable[[], _Helper], jobs: int):
    """Yield each job with its result, or with what went wrong in the grader, as they come."""
    waiting, busy = deque(waiting), {}
    while waiting or busy:
        while waiting and len(busy) < jobs:
            helper = idle.pop() if idle else another()
            helper.give(waiting.popleft())
            busy[helper.connection] = helper
        for ready in connection.wait(busy, timeout=1):
            helper = busy.pop(ready)
            job, reply = helper.job, helper.take()
            idle += [helper] if helper.process.is_alive() else []
            yield job, reply
        for helper in [helper for helper in busy.values() if time.monotonic() - helper.since > PATIENCE_S]:
            helper.process.kill()  # its connection ends, and the next turn sees that


class _Helper:
    """A process of the trusted side that grades one submission after another.

    Threads would not do: references may use what a process has only once, such as a global random generator. When this
    process dies, however it does, the helper finds its connection closed and ends.
    """

    def __init__(self, paths: dict[str, Path], secret: bytes, backend: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_help, args=(theirs, paths, secret, backend), daemon=True)
        # An interrupt waits until the process can end quietly; the tracker that comes with the first one must be there,
        # for its start lets interrupts through.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self.process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def version(self, name: str) -> int:
        """Return the version of a set, whose master is run for that."""
        self.connection.send((name, None, ""))
        reply = self.take()
        if isinstance(reply, int):
            return reply
        raise reply if isinstance(reply, MasterError) else MasterError(f"the master of {name} cannot be run: {reply}")

    def give(self, job: Job) -> None:
        self.job, self.since = job, time.monotonic()
        self.connection.send((job.set, job.files[0].path, job.student))

    def take(self) -> SubmissionResult | MasterError | int | str:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return f"The process that graded it ended with code {self.process.exitcode}."

    def stop(self) -> None:
        self.connection.close()
        self.process.join(timeout=5)
        self.process.kill()


def _help(there: connection.Connection, paths: dict[str, Path], secret: bytes, backend: str) -> None:
    from grader import grade

    masters: dict[str, Master] = {}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        while True:
            name, path, student = there.recv()
            try:
                if name not in masters:
                    masters[name] = load(paths[name])
                if path is None:
                    reply = masters[name].exercises.version
                else:
                    reply = grade.grade(masters[name], path, student=student, secret=secret, backend=backend)
            except Exception as error:
                reply = error if path is None and isinstance(error, MasterError) else traceback.format_exc()
            there.send(reply)
    except (EOFError, OSError, KeyboardInterrupt):
        pass  # nobody waits for the answer
