"""Stands in for `lrlib.exercises` while a submission is graded: nothing is checked, nothing is told."""

from dataclasses import dataclass

__all__ = ["Result", "check", "load"]


@dataclass(frozen=True)
class Result:
    """What `check` returns here: always the same."""

    question: str
    right: bool = True
    text: str = ""
    mistake: str | None = None
    hint: str | None = None

    def __bool__(self):
        return self.right


def check(question_id, answer):
    """Return a `Result` that says nothing; true, so that no loop waits for it."""
    return Result(question_id)


def load(packed):
    """Do nothing: what `check` would compare with stays outside."""
