"""The book is what the chapters make, made from today's sources, and each chapter keeps the book's rules."""

from __future__ import annotations

from pathlib import Path

import pytest
import rules

from publishing import picture, read, read_repository
from publishing.chapters import chapters, orphans, unexecuted
from publishing.stale import fingerprint, reason

ROOT = Path(__file__).resolve().parent.parent.parent
each_chapter = pytest.mark.parametrize("chapter", chapters(ROOT), ids=lambda chapter: chapter.name)


def shape(notebook):
    """Return what the text alone decides: everything but outputs and what is derived from them."""
    return [(cell.cell_type, cell.id, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]


def test_there_are_chapters():
    assert chapters(ROOT) != []  # else every test below passes for want of a chapter


@each_chapter
def test_notebook_is_what_its_chapter_makes(chapter):
    assert shape(read(chapter.notebook)) == shape(unexecuted(chapter, read_repository(ROOT / "_config.yml")))


@each_chapter
def test_notebook_is_made_from_today_s_sources(chapter):
    why = reason(chapter.notebook, fingerprint(ROOT, chapter.text))
    assert why is None, f"{why} (run: make notebooks)"


def test_every_notebook_has_a_chapter():
    assert orphans(ROOT) == []


@each_chapter
@pytest.mark.parametrize("rule", rules.OF_CHAPTERS, ids=lambda rule: rule.__name__)
def test_chapter_keeps_the_rule(chapter, rule):
    assert list(rule(read(chapter.text))) == []


@each_chapter
@pytest.mark.parametrize("rule", rules.OF_NOTEBOOKS, ids=lambda rule: rule.__name__)
def test_notebook_keeps_the_rule(chapter, rule):
    assert list(rule(read(chapter.notebook))) == []


def test_the_picture_of_the_readme_is_the_live_figure_of_the_first_chapter():
    assert f"]({picture.PICTURE})" in (ROOT / "README.md").read_text("utf8")
    assert (ROOT / picture.PICTURE).read_bytes() == picture.still(ROOT)
