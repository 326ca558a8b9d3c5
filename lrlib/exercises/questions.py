"""The public questions: what `check` knows about each, read from the JSON files in `cases`."""

import base64
import json
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lrlib.exercises.calls import Case, Raised
from lrlib.exercises.runs import Run
from lrlib.exercises.values import decode


@dataclass(frozen=True)
class KnownMistake:
    """A wrong answer that students give, known by what comes out of it.

    `outputs` has one entry a case; for a prediction it is the sealed wrong number.
    """

    name: str
    hints: tuple
    outputs: object  #: a `Raised` among them holds the text by which it is recognised


@dataclass(frozen=True)
class PublicQuestion:
    """A question as `check` sees it: inputs and what is expected, no code."""

    id: str
    kind: str  #: "function", "stateful", "number" or "prose"
    salt: str
    rtol: float
    atol: float
    near: float  #: relative; how close to a predicted number a guess is called close
    close: dict | None  #: the predicted number, sealed that coarsely
    hints: tuple
    returns: tuple  #: what the parts of the result are called, if it is a tuple
    cases: tuple  #: Case, one for each visible input
    expected: tuple  #: one for each case; for a prediction the sealed number
    mistakes: tuple  #: KnownMistake


#: The sets that notebooks have brought, by topic.
_loaded: dict[str, dict[str, PublicQuestion]] = {}


def load(packed):
    """Let `check` know a set of exercises that lrlib does not bring, such as your course's own.

    Parameters
    ----------
    packed : str
        What ``python -m grader make`` has put into the notebook.

    Raises
    ------
    ValueError
        If the text is damaged.
    """
    try:
        content = json.loads(zlib.decompress(base64.b64decode(packed, validate=False)))
        topic = content["set"].rpartition("/")[2]
        _loaded[topic] = parse(content)
    except Exception as error:  # what a damaged text leads to may be anything
        raise ValueError(
            f"what check should know about these exercises is damaged, take a new notebook: {error}"
        ) from error


def find(question_id):
    """Return the public question with this id.

    Raises
    ------
    ValueError
        If there is none; the message lists the ids of the set, or the sets there are.
    """
    if not isinstance(question_id, str):
        raise ValueError(f'check is called as check("id", answer), got {question_id!r} as the id')
    topic = question_id.partition(".")[0]
    questions = _loaded.get(topic) or _shipped(topic)
    if questions is None:
        known = ", ".join(sorted({*_loaded, *_files()}))
        raise ValueError(
            f"there is no set of exercises for {question_id!r}; there are: {known}. "
            "If your course has its own, run the cells at the top of the notebook first"
        )
    if question_id not in questions:
        raise ValueError(f"there is no question {question_id!r}; this set has: {', '.join(questions)}")
    return questions[question_id]


def _shipped(topic):
    path = _files().get(topic)
    return path and _read(path)


def _files():
    parts = (part for part in (resources.files("lrlib.exercises") / "cases").iterdir() if part.is_dir())
    found = (path for part in parts for path in part.iterdir() if path.name.endswith(".json"))
    return {path.name.removesuffix(".json"): path for path in found}


@cache
def _read(path):
    return parse(json.loads(path.read_text("utf-8")))


def parse(content):
    """Return the questions of one file of cases by id, in the order of the set."""
    return {name: _question(name, entry, content) for name, entry in content["questions"].items()}


def _question(name, entry, content):
    tolerance = entry.get("tolerance", {"rtol": 0.0, "atol": 0.0})
    if entry["kind"] == "number":
        cases, expected = (), entry["sealed"]
        mistakes = tuple(KnownMistake(m["name"], tuple(m["hints"]), m["sealed"]) for m in entry["mutants"])
    else:
        cases = tuple(_case(case) for case in entry.get("cases", []))
        expected = tuple(_output(case["expected"]) for case in entry.get("cases", []))
        mistakes = tuple(
            KnownMistake(m["name"], tuple(m["hints"]), tuple(map(_output, m["outputs"])))
            for m in entry.get("mutants", [])
        )
    return PublicQuestion(
        id=name,
        kind=entry["kind"],
        salt=salt(content["set"], content["version"], name),
        rtol=tolerance["rtol"],
        atol=tolerance["atol"],
        near=entry.get("near", 0.0),
        close=entry.get("close"),
        hints=tuple(entry.get("hints", [])),
        returns=tuple(entry.get("returns", [])),
        cases=cases,
        expected=expected,
        mistakes=mistakes,
    )


def salt(set_name, version, question_id):
    """Return the salt under which the number of a question is sealed."""
    return f"{set_name}:{version}:{question_id}"


def _case(entry):
    inputs = {name: decode(value) for name, value in entry["inputs"].items()}
    if "calls" not in entry:
        return Case(inputs)
    return Case(inputs, tuple({name: decode(value) for name, value in call.items()} for call in entry["calls"]))


def _output(entry):
    if isinstance(entry, dict) and "raises" in entry:
        return Raised(entry["raises"], entry.get("saying", ""))
    if isinstance(entry, dict) and "run" in entry:
        return Run(**entry["run"])
    return decode(entry)
