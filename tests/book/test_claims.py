"""Every claim of the book can fail: each has a change of its chapter or of lrlib under which it does.

The changes are in ``mutants/<part>/<topic>.yaml``, as the chapters are; `mutation.mutants` says how they are written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mutation
import pytest
import yaml

from publishing import read
from publishing.chapters import chapters
from publishing.execute import ONE_THREAD

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MUTATION = HERE / "mutation.py"
TIMEOUT = 600  # seconds


def run(chapter: Path, file: Path) -> mutation.Outcome:
    """Return what became of a chapter and its mutants, in a process of their own."""
    done = subprocess.run(
        [sys.executable, MUTATION, chapter, file],
        cwd=ROOT,
        env=os.environ | ONE_THREAD | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return mutation.Outcome(**json.loads(done.stdout))


def code(chapter: Path) -> list[str]:
    """Return the code cells of a chapter's text."""
    return [cell.source for cell in read(chapter).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("chapter", chapters(ROOT), ids=lambda chapter: chapter.name)
def test_every_claim_holds_and_fails_under_each_of_its_mutants(chapter):
    outcome = run(chapter.text, HERE / "mutants" / f"{chapter.name}.yaml")
    assert outcome.defects == []
    assert outcome.error == ""
    assert outcome.ran == list(mutation.claims(code(chapter.text)))
    survivors = {label: got for label, got in outcome.mutants.items() if got != label.rsplit(" [")[0]}
    assert survivors == {}


def test_every_file_of_mutants_belongs_to_a_chapter():
    folder = HERE / "mutants"
    names = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml")}
    assert names <= {chapter.name for chapter in chapters(ROOT)}


def test_ids_of_claims_are_unique_in_the_book():
    ids = [id for chapter in chapters(ROOT) for id in mutation.claims(code(chapter.text))]
    assert sorted(ids) == sorted(set(ids))


CHAPTER = """\
# A chapter

```{code-cell} ipython3
import lrlib
from lrlib import claim

x = lrlib.minimize(lrlib.Quadratic([1.0], x0=[1.0]), lrlib.SGD(lr=0.5), steps=2).x
```

```{code-cell} ipython3
claim("quarter", "Two steps at rate one half leave a quarter.", x[-1, 0] == 0.25, x[-1, 0])
```

```{code-cell} ipython3
total = sum(range(4))
claim("six", "0 + 1 + 2 + 3 is six.", total == 6, total)
claim("true", "One is one.", True, 1)
```
"""


@pytest.fixture
def outcome_of(tmp_path):
    """Return a function that runs `CHAPTER` with the mutants written in YAML."""

    def outcome(mutants: str) -> mutation.Outcome:
        (tmp_path / "topic.md").write_text(CHAPTER, "utf-8")
        (tmp_path / "topic.yaml").write_text(mutants, "utf-8")
        return run(tmp_path / "topic.md", tmp_path / "topic.yaml")

    return outcome


def test_mutant_of_a_cell_makes_its_claim_fail(outcome_of):
    outcome = outcome_of("six: [{replace: range(4), with: range(5)}]")
    assert outcome.mutants == {"six [1]": "six"}
    assert outcome.ran == ["quarter", "six", "true"]
    assert outcome.error == ""


def test_mutant_of_the_library_makes_its_claim_fail(outcome_of):
    change = "lrlib.SGD = lambda lr: lrlib.optimizers.SGD(lr=lr / 2)"
    outcome = outcome_of(f"quarter: [{{before: 'import lrlib; {change}'}}]\nsix: [{{before: x = 0, at: sum(}}]")
    assert outcome.mutants == {"quarter [1]": "quarter", "six [1]": "no claim failed"}


def test_mutant_that_only_an_earlier_claim_notices_is_told_apart(outcome_of):
    assert outcome_of("six: [{replace: 'lr=0.5', with: 'lr=0.4'}]").mutants == {"six [1]": "quarter"}


def test_claim_that_cannot_fail_has_no_mutant_that_kills_it(outcome_of):
    outcome = outcome_of("'true': [{replace: 'range(4)', with: 'range(2 + 2)'}]")
    assert outcome.mutants == {"true [1]": "no claim failed"}


def test_mutant_that_breaks_the_code_does_not_count(outcome_of):
    assert "NameError" in outcome_of("six: [{replace: range(4), with: rnage(4)}]").mutants["six [1]"]


def test_mutant_that_never_ends_does_not_count(outcome_of, monkeypatch):
    planned, _ = mutation.mutants(["claim('a', '', 1, 1)"], {"a": [{"before": "while True: pass"}]})
    monkeypatch.setattr(mutation, "MUTANT_TIMEOUT", 1)
    outcome, waiting = mutation.Outcome(), {}
    waiting[mutation._fork(planned[0], {})] = planned[0]
    mutation._collect(waiting, outcome)
    assert outcome.mutants == {"a [1]": "no claim failed within 1 s"}


def defects(mutants: str) -> list[str]:
    """Return what is wrong with mutants of a chapter of three claims, written in YAML."""
    cells = ["n = range(4)", "claim('quarter', '', n, 1)", "claim('six', '', sum(n) == 6, 6)"]
    return mutation.mutants(cells, yaml.safe_load(mutants))[1]


def test_claim_without_a_mutant_and_mutant_without_a_claim_are_named():
    wrong = defects("six: [{replace: range(4), with: range(5)}]\ngone: [{before: x = 0}]")
    assert wrong == ["claim quarter has no mutant", "there is no claim gone"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{replace: nowhere, with: x}", "stands 0 times: 'nowhere'"),
        ("{replace: claim, with: x}", "must stand once in the chapter's code, stands 2 times"),
        ("{replace: range(4), with: range(4)}", "changes nothing"),
        ("{replace: range(4)}", "a change is replace and with"),
        ("{replace: sum(n), with: x}", "changes cell 3, but the claim is made in cell 2"),
        ("{replace: range(4), with: range(4}", "'(' was never closed"),
    ],
)
def test_mutant_that_cannot_be_applied_is_named(change, message):
    wrong = defects(f"quarter: [{change}]\nsix: [{{before: x = 0}}]")
    assert len(wrong) == 1
    assert wrong[0].startswith("quarter [1]: ")
    assert message in wrong[0]


def test_chapter_whose_claim_is_false_is_reported(tmp_path):
    (tmp_path / "topic.md").write_text(CHAPTER.replace("== 6", "== 7"), "utf-8")
    outcome = run(tmp_path / "topic.md", tmp_path / "none.yaml")
    assert "ClaimError: claim six does not hold" in outcome.error


@pytest.mark.parametrize("cell", ["claim(f'a-{1}', '', True, 1)", "claim(id='a')", "lrlib.claim(name, '', True, 1)"])
def test_id_that_is_not_a_plain_string_is_refused(cell):
    with pytest.raises(ValueError, match="plain string"):
        mutation.claims([cell])


def test_id_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="claim a is made twice"):
        mutation.claims(["claim('a', '', True, 1)", "lrlib.claim('a', '', True, 1)"])
