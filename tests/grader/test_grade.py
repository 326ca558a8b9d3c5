"""Grading: every question of every set proves itself, and whatever students hand in costs only what it must."""

import json
import textwrap
from pathlib import Path

import nbformat
import numpy as np
import pytest

import publishing
from grader import ExerciseSet, Mutant, Tolerance, sandbox
from grader.grade import grade
from grader.make import COURSE, masters_in
from grader.masters import Master, load
from lrlib.exercises.calls import Case

SECRET = bytes(range(32))


def graded(master, path, *, student="s1", secret=SECRET, backend="unsafe"):
    return grade(master, path, student=student, secret=secret, backend=backend)


# ---- every question of every set ----

PATHS = masters_in(COURSE)
loaded = {}


@pytest.fixture(params=PATHS, ids=lambda path: path.stem, scope="module")
def master(request):
    return loaded.setdefault(request.param, load(request.param))


# The master's cells run in a namespace of their own, without the grader and, unless a mistake needs it, without torch.
HARNESS = """
import importlib, sys, types

class Recorded(types.SimpleNamespace):
    def __init__(self, *given, **named):
        super().__init__(given=given, **named)

class Exercises:
    def __init__(self, *given, **named):
        self.mutants = {}
    def function(self, id, solution, *, mutants, **rest):
        self.mutants[id] = [mutant.given[1] for mutant in mutants]
    stateful = number = function
    def prose(self, id, **rest):
        pass

class Lazy(types.ModuleType):
    def __getattr__(self, name):
        if sys.modules["torch"] is self:
            del sys.modules["torch"]
        return getattr(importlib.import_module("torch"), name)

sys.modules["grader"] = types.SimpleNamespace(ExerciseSet=Exercises, Mutant=Recorded, Tolerance=Recorded)
sys.modules["lrlib.exercises.runs"] = types.SimpleNamespace(Run=Recorded)
sys.modules["torch"] = Lazy("torch")
master = {"__name__": "master"}
for source in SOURCES:
    exec(source, master)
for id, name in NAMES.items():
    mutants = master["exercises"].mutants[id]
    globals()[name] = mutants[NUMBER] if NUMBER < len(mutants) else master[name]
"""


def with_mutants(master, number, path):
    """Write a notebook that answers each question with its mutant of this number, or rightly where there is none."""
    sources = [cell.source for cell in master.notebook.cells if cell.cell_type == "code"]
    names = {question.id: question.name for question in master.exercises.questions if question.kind != "prose"}
    cell = f"SOURCES = {sources!r}\nNAMES = {names!r}\nNUMBER = {number}\n{HARNESS}"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(notebook, path)
    return path


def as_students_have_it(master, path):
    """Write the master as the notebook of a student who knows everything."""
    notebook = nbformat.from_dict(master.notebook)
    notebook.cells = [cell for cell in notebook.cells if "spec" not in cell.metadata.get("tags", [])]
    publishing.write(notebook, path)
    return path


def prove_the_solution(master, tmp_path, backend):
    result = graded(master, as_students_have_it(master, tmp_path / "a.ipynb"), backend=backend)
    assert result.notes == ()
    for question in result.questions:
        if question.kind == "prose":
            assert (question.points, len(dict(result.prose)[question.id]) > 100) == (None, True)
        else:
            assert (question.points, question.passed, question.why) == (question.of, question.cases, ""), question


def prove_the_mutants(master, number, tmp_path, backend):
    result = graded(master, with_mutants(master, number, tmp_path / "a.ipynb"), backend=backend)
    assert result.notes == ()
    for question, found in zip(master.exercises.questions, result.questions, strict=True):
        if number < len(question.mutants):
            mutant = question.mutants[number]
            assert (found.points, found.mistake) == (0, mutant.name), (question.id, found.why)
            assert found.hint == mutant.hints[-1]
            assert found.passed < found.cases
        elif question.kind != "prose":
            assert found.points == found.of, found.why


def test_the_solution_gets_full_points(master, tmp_path):
    prove_the_solution(master, tmp_path, "unsafe")


def test_every_mutant_loses_the_points_and_gets_its_hint(master, tmp_path):
    most = max(len(question.mutants) for question in master.exercises.questions)
    assert most > 3
    for number in range(most):
        prove_the_mutants(master, number, tmp_path, "unsafe")


def test_the_untouched_notebook_gets_nothing(master):
    result = graded(master, COURSE.made_from(master.path)[0])
    assert {question.points for question in result.questions} == {0}
    assert all(question.why == "not written yet." or question.mistake == "as-given" for question in result.questions)
    assert (result.notes, result.prose) == ((), ())


def test_in_a_sandbox_it_is_the_same(master, tmp_path, backend):
    prove_the_solution(master, tmp_path, backend)
    if backend == "bubblewrap":  # the other one's Python may lack torch, which a mistake of Adam's needs
        prove_the_mutants(master, 0, tmp_path, backend)


# ---- a small set, for what students do ----


def double_cases(rng):
    for _ in range(3):
        yield {"x": rng.normal(size=2).round(3), "k": int(rng.integers(2, 9))}


def sum_cases(rng):
    for _ in range(2):
        yield Case({"start": rng.normal(size=2).round(3)}, tuple({"g": rng.normal(size=2).round(3)} for _ in range(3)))


class RunningSum:
    def __init__(self, start):
        self.total = start

    def step(self, g):
        self.total = self.total + g
        return self.total


def small_set():
    exact = Tolerance(1e-9, "exact", atol=1e-12)
    small = ExerciseSet("part/small", version=1, withheld=("SGD", "minimize", "sweep"), time_limit_s=6)
    forgot = Mutant("forgot-k", lambda x, k: x, ("What is k for?", "Multiply by k."))
    raises = Mutant("no-dot", lambda x, k: x.dot(np.ones(5)), ("Which shapes?", "The shapes differ."), raising="shapes")
    small.function(
        "small.times",
        lambda x, k: k * x,
        points=2,
        cases=double_cases,
        reference=lambda x, k: x * k,
        tolerance=exact,
        mutants=[forgot, raises],
    )
    object.__setattr__(small.questions[0].solution, "__name__", "times")
    small.stateful(
        "small.sums",
        RunningSum,
        points=3,
        cases=sum_cases,
        reference=lambda inputs, calls: list(inputs["start"] + np.cumsum([call["g"] for call in calls], axis=0)),
        tolerance=exact,
        mutants=[],
    )
    small.number(
        "small.seven", 7.0, points=1, reference=lambda: 7.0, tolerance=Tolerance(1e-3, "three digits"), mutants=[]
    )
    small.prose("small.words", rubric=[(2, "Says it.")])
    return Master(Path("part/small.md"), nbformat.v4.new_notebook(), small)


SMALL = small_set()
TIMES = "def times(x, k):\n    return k * x"
SUMS = textwrap.dedent("""
    class RunningSum:
        def __init__(self, start):
            self.total = start
        def step(self, g):
            self.total = self.total + g
            return self.total
""")
SEVEN = "seven = 7.0"
WORDS = "#!md\n<!-- answer: small.words -->\nBecause."
RIGHT = (TIMES, SUMS, SEVEN, WORDS)
FULL = {"small.times": 2, "small.sums": 3, "small.seven": 1, "small.words": None}


def points(result):
    return {question.id: question.points for question in result.questions}


def why(result, name):
    return next(question.why for question in result.questions if question.id == f"small.{name}")


def without(*names):
    return FULL | {f"small.{name}": 0 for name in names}


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}},
        {"language_info": {"name": "python"}, "kernelspec": {"name": "venv-3.12", "display_name": ".venv (3.12)"}},
        {"kernelspec": {"name": "ir", "display_name": "R"}, "language_info": {"name": "R"}},
    ],
    ids=["none", "colab", "vscode", "another-kernel"],
)
def test_the_metadata_do_not_matter(notebook, metadata):
    path = notebook(*RIGHT)
    content = json.loads(path.read_text())
    content["metadata"] = metadata
    for cell in content["cells"]:
        cell["metadata"] = {"id": "abc", "vscode": {"languageId": "r"}, "outputId": "1"}
    path.write_text(json.dumps(content))
    result = graded(SMALL, path)
    assert points(result) == FULL
    assert (result.notes, result.prose, result.backend) == ((), (("small.words", "Because."),), "unsafe")


def test_a_notebook_of_format_3_is_graded(tmp_path):
    cells = [{"cell_type": "code", "input": source.splitlines(keepends=True), "outputs": []} for source in RIGHT[:3]]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}))
    assert points(graded(SMALL, path)) == without("words")


def test_a_cell_that_fails_costs_nothing_else(notebook):
    result = graded(SMALL, notebook("import nothing_like_this", *RIGHT, "def broken(:", f"{TIMES}\n1 / 0"))
    assert points(result) == FULL
    assert [note.partition(": ")[0] for note in result.notes] == [
        'Cell 1 ("import nothing_like_this") failed',
        'Cell 6 ("def broken(:") failed',
        'Cell 7 ("def times(x, k):") failed',
    ]
    assert "ZeroDivisionError: division by zero" in result.notes[2]


def test_magics_and_commands_are_left_out(notebook):
    cells = (
        f"%pip install torch\n!ls -l\n%matplotlib inline\n{TIMES}",
        'import sys\nif "google.colab" in sys.modules:\n    %pip install -q "lrlib @ git+https://example.org"',
        f"%%time\n{SUMS}",
        f"%%bash\necho {SEVEN}",
        f"files = !ls\n{SEVEN}",
        "get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(seven)",
        WORDS,
    )
    result = graded(SMALL, notebook(*cells))
    assert points(result) == FULL
    left_out = "Left out of cell {}, as only a notebook understands it: {}"
    assert result.notes == (
        left_out.format(1, "%pip install torch"),
        left_out.format(1, "!ls -l"),
        left_out.format(4, "%%bash (the whole cell)"),
        left_out.format(5, "files = !ls"),
    )


def test_an_import_that_fails_costs_nothing_else_in_its_cell(notebook):
    imports = "import nothing_like_this as n\nfrom lrlib import (\n    SGD,\n)\nimport numpy as np\nn.a\nnp = None"
    result = graded(SMALL, notebook(imports, TIMES.replace("k * x", "np.multiply(k, x)"), *RIGHT[1:]))
    assert points(result) == FULL
    assert [note.rpartition("failed: ")[2].partition(":")[0] for note in result.notes] == [
        "ModuleNotFoundError",
        "ImportError",
        "NameError",
    ]


def test_what_only_colab_has_does_nothing(notebook):
    colab = (
        "from google.colab import drive, files\nimport google.colab as colab\nfrom IPython.display import display\n"
        "drive.mount('/content/drive')\ncolab.files.upload()\ndisplay(3)"
    )
    assert graded(SMALL, notebook(colab, *RIGHT)).notes == ()


def test_input_says_that_nobody_is_there(notebook):
    result = graded(SMALL, notebook(*RIGHT, "n = int(input('How many?'))"))
    assert points(result) == FULL
    assert "input() asks a person" in result.notes[0]


def test_plots_do_no_harm(notebook):
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    course = "import lrlib.plots as plots\nplots.lines"
    result = graded(SMALL, notebook(plot, course, *RIGHT))
    assert (points(result), result.notes) == (FULL, ())


def test_the_module_of_the_notebook_is_its_own(notebook):
    own = "import sys, dataclasses\n@dataclasses.dataclass\nclass A:\n    x: 'A'\nassert sys.modules['__main__'].A is A"
    assert graded(SMALL, notebook(own, *RIGHT)).notes == ()


ENDLESS = {
    "computing": "while True:\n    pass",
    "catching-errors": "while True:\n    try:\n        [1][2]\n    except Exception:\n        pass",
    "catching-some": "for _ in range(3):\n    try:\n        while True:\n            pass\n    except BaseException:\n"
    "        pass\nwhile True:\n    pass",
    "sleeping": "import time\ntime.sleep(1000)",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_loop_costs_only_its_cell(notebook, source):
    result = graded(SMALL, notebook(TIMES, source, SUMS, SEVEN, WORDS))
    assert points(result) == FULL
    assert len(result.notes) == 1
    assert "TooLong: it took more than 1.5 seconds" in result.notes[0]


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_loop_costs_only_its_question(notebook, source):
    times = "def times(x, k):\n" + textwrap.indent(source, "    ")
    result = graded(SMALL, notebook(times, SUMS, SEVEN, WORDS))
    assert points(result) == without("times")
    assert "TooLong: it took more than 1.5 seconds" in why(result, "times")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["cell", "answer"])
def test_a_loop_that_cannot_be_stopped_from_inside_is_stopped_from_outside(notebook, where):
    source = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    times = "def times(x, k):\n" + textwrap.indent(source, "    ")
    cells = [source, *RIGHT] if where == "cell" else [times, *RIGHT[1:]]
    result = graded(SMALL, notebook(*cells))
    assert [question.points for question in result.questions[:1]] == [2 if where == "cell" else 0]
    assert result.notes or why(result, "times")


BAD_ENDS = {
    "sys.exit": "import sys\nsys.exit(0)",
    "exit": "exit()",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "recursion": "def f():\n    return f()\nf()",
    "memory": "import numpy as np\nnp.ones(2**36)",
    "own-error": "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E",
}


@pytest.mark.parametrize("source", BAD_ENDS.values(), ids=BAD_ENDS)
def test_a_bad_end_costs_only_its_cell(notebook, source):
    result = graded(SMALL, notebook(source, *RIGHT))
    assert points(result) == FULL
    assert len(result.notes) == 1
    assert " failed: " in result.notes[0]


@pytest.mark.parametrize("source", BAD_ENDS.values(), ids=BAD_ENDS)
def test_a_bad_end_costs_only_its_question(notebook, source):
    times = "def times(x, k):\n" + textwrap.indent(source, "    ")
    result = graded(SMALL, notebook(times, *RIGHT[1:]))
    assert points(result) == without("times")
    assert why(result, "times").startswith("not right on input 1 of 3.")


def test_whoever_ends_the_process_loses_that_cell_only(notebook):
    result = graded(SMALL, notebook(TIMES, "import os\nos._exit(0)", SUMS, SEVEN, WORDS))
    assert points(result) == FULL
    assert result.notes[0].startswith('Cell 2 ("import os") ended the whole notebook')


def test_whoever_ends_the_process_in_an_answer_loses_that_question_only(notebook):
    times = "import os\ndef times(x, k):\n    os._exit(0)"
    result = graded(SMALL, notebook(times, *RIGHT[1:]))
    assert points(result) == without("times")
    assert why(result, "times").startswith("calling it ended the notebook")


def test_a_notebook_that_ends_itself_again_and_again_gets_nothing(notebook):
    result = graded(SMALL, notebook(*["import os\nos._exit(0)"] * 5, *RIGHT))
    assert points(result) == without("times", "sums", "seven", "words")
    assert result.notes[-1].startswith("The notebook could not be run to its end")


def test_a_copy_that_was_not_filled_in_does_not_hide_the_one_that_was(notebook):
    empty = "def times(x, k):\n    raise NotImplementedError('your code here')"
    empty_sums = "class RunningSum:\n    def __init__(self, start):\n        raise NotImplementedError"
    again = empty.replace("your code", "code")
    result = graded(SMALL, notebook(*RIGHT, empty, again, empty_sums, "seven = ..."))
    assert points(result) == FULL
    assert result.notes[0] == "times is not written where it stands last; the one of cell 1 was graded."
    assert len(result.notes) == 3


def test_words_are_found_where_they_were_written(notebook):
    empty = "#!md\n<!-- answer: small.words -->\n*Your answer here.*"
    result = graded(SMALL, notebook("#!md\n<!-- answer: small.words -->\nNo.", WORDS + "\n\nAnd **so**.", empty))
    assert result.prose == (("small.words", "Because.\n\nAnd **so**."),)
    result = graded(SMALL, notebook(empty))
    assert (result.prose, result.questions[-1].points, why(result, "words")) == ((), 0, "not written yet.")


def test_of_two_answers_the_last_counts(notebook):
    wrong = "def times(x, k):\n    return x"
    assert points(graded(SMALL, notebook(*RIGHT, wrong))) == without("times")
    assert points(graded(SMALL, notebook(wrong, *RIGHT))) == FULL


def test_a_name_that_is_missing_is_told_with_those_that_are_there(notebook):
    result = graded(SMALL, notebook(TIMES.replace("times", "multiply"), WORDS))
    assert points(result) == without("times", "sums", "seven")
    assert why(result, "times") == "the notebook does not define times; it defines multiply"
    assert graded(SMALL, notebook(WORDS)).questions[0].why == "the notebook does not define times"


def test_answers_that_are_something_else_are_told(notebook):
    result = graded(SMALL, notebook("times = 3", "RunningSum = lambda start: None", "seven = 'seven'"))
    assert "object is not callable" in why(result, "times")
    assert "has no attribute 'step'" in why(result, "sums")
    assert why(result, "seven") == "a number is asked for, an object of type str came."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x80\x81",
        b"[]",
        b"null",
        b'{"cells": 3}',
        b'{"cells": [3]}',
        b'{"cells": [{"cell_type": "code", "source": 3}]}',
        b'{"nbformat": 4}',
        b"[" * 100_000,
        TIMES.encode(),
        b"<!DOCTYPE html><title>Sign in</title>",
        b'{"cells": [], "metadata": {"a": ' + b"9" * 10_000 + b"}}",
    ],
)
def test_a_file_that_is_no_notebook_gets_nothing_and_is_explained(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content)
    result = graded(SMALL, path)
    assert points(result) == without("times", "sums", "seven", "words")
    assert result.notes[0].startswith("The file is no notebook that can be read (")
    assert why(result, "times") == "the file is no notebook that can be read"


def test_fifty_megabytes_of_outputs_cost_nothing(notebook):
    path = notebook(*RIGHT)
    content = json.loads(path.read_text())
    for cell in content["cells"][:3]:
        cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": "A" * 2**20}, "metadata": {}}] * 17
    path.write_text(json.dumps(content))
    assert path.stat().st_size > 50 * 2**20
    result = graded(SMALL, path)
    assert (points(result), result.notes) == (FULL, ())


def test_a_file_beyond_all_measure_is_not_run(tmp_path):
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as file:
        file.truncate(101 * 2**20)
    result = graded(SMALL, path)
    assert points(result) == without("times", "sums", "seven", "words")
    assert "it has more than 100 MB" in result.notes[0]


def test_what_floods_the_output_or_prints_replies_is_not_heard(notebook):
    prints = 'print(\'{"call": 0, "outputs": [1], "changed": [[]]}\')\n' * 50
    result = graded(SMALL, notebook(prints, *RIGHT, "print('x' * 2**20)"))
    assert (points(result), result.notes) == (FULL, ())


FORGERIES = {
    "garbage": b"\xff\x00{[",
    "another-call": b'{"call": 99, "outputs": [1, 1, 1], "changed": [[], [], []]}',
    "nested": b"[" * 100_000,
    "too-long": b"x" * (2**20 + 10),
    "nan": b'{"call": 0, "outputs": [NaN, 1, 1], "changed": [[], [], []]}',
}


@pytest.mark.parametrize("line", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("where", ["cell", "answer"])
def test_whoever_writes_into_the_pipe_loses_what_he_writes_for(notebook, line, where):
    write = textwrap.dedent(f"""
        import os
        def write():
            for n in range(3, 20):
                try:
                    if "pipe" in os.readlink(f"/proc/self/fd/{{n}}"):
                        os.write(n, {line[:1000]!r} * {max(1, len(line) // 1000)} + b"\\n")
                except OSError:
                    pass
    """)
    times = "def times(x, k):\n    write()\n    return k * x"
    cells = [write, times, *RIGHT[1:]] if where == "answer" else [write + "write()", *RIGHT]
    result = graded(SMALL, notebook(*cells))
    assert sum(question.points or 0 for question in result.questions) == (4 if where == "answer" else 6)


def test_withheld_names_are_not_there(notebook):
    tries = (
        "from lrlib import SGD",
        "import lrlib\nlrlib.SGD",
        "from lrlib.optimizers.sgd import SGD",
        "from lrlib.minimize import minimize",
        "import lrlib\nlrlib.minimize",
        "import lrlib\nprint([c for c in lrlib.Optimizer.__subclasses__() if c.__name__ == 'SGD'][0])",
        "import lrlib.exercises.questions",
        "from lrlib.exercises.runs import Run",
        "import grader",
    )
    result = graded(SMALL, notebook(*tries, "import lrlib\nlrlib.Adam, lrlib.Quadratic, lrlib.CosineDecay", *RIGHT))
    assert points(result) == FULL
    assert len(result.notes) == len(tries)
    asked_for = "ImportError: SGD is what this set of exercises asks for: while grading lrlib does not have it"
    assert all(asked_for in note for note in result.notes[:3])


def test_check_says_nothing(notebook):
    cell = (
        "from lrlib.exercises import check\nseen = {repr(check('small.times', f)) for f in (times, None)}\n"
        "assert len(seen) == 1 and check('small.times', None) and not check('a', 1).text"
    )
    assert graded(SMALL, notebook(TIMES, cell)).notes == ()


def test_inputs_that_are_changed_in_place_cost_the_points(notebook):
    result = graded(SMALL, notebook("def times(x, k):\n    x *= k\n    return x", *RIGHT[1:]))
    assert points(result) == without("times")
    assert why(result, "times") == "the results are right, but x is changed in place: whoever calls it loses data."


def test_a_known_mistake_gets_its_last_hint(notebook):
    result = graded(SMALL, notebook("def times(x, k):\n    return x", *RIGHT[1:]))
    assert (result.questions[0].mistake, result.questions[0].hint) == ("forgot-k", "Multiply by k.")


def test_a_known_mistake_that_raises_is_known_by_a_part_of_what_it_says(notebook):
    times = "import numpy as np\ndef times(x, k):\n    return x.dot(np.ones(7))"
    assert graded(SMALL, notebook(times, *RIGHT[1:])).questions[0].mistake == "no-dot"
    assert graded(SMALL, notebook(times.replace("x.dot(np.ones(7))", "int('a')"))).questions[0].mistake == ""


def test_the_same_secret_gives_the_same_result_and_another_one_other_inputs(notebook):
    path = notebook("def times(x, k):\n    return x", *RIGHT[1:])
    result = graded(SMALL, path)
    assert graded(SMALL, path) == result
    others = (graded(SMALL, path, secret=b"y" * 32), graded(SMALL, path, student="s2"))
    assert len({why(one, "times") for one in (result, *others)}) == 3
    assert others[0].secret != result.secret
    assert [others[1].submission, others[1].secret] == [result.submission, result.secret]


def test_a_submission_that_is_no_regular_file_is_refused(tmp_path):
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="regular file"):
        graded(SMALL, tmp_path / "link.ipynb")


def test_a_backend_that_is_not_there_is_nobodys_fault(notebook, monkeypatch):
    monkeypatch.setattr(sandbox, "choose", lambda backend: (_ for _ in ()).throw(sandbox.SandboxError("none here")))
    with pytest.raises(sandbox.SandboxError):
        graded(SMALL, notebook(*RIGHT))
