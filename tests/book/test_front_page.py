"""The front page lists the chapters of the table of contents, and a reader who wants to read begins with the first."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from publishing import read
from publishing.chapters import chapters

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "chapters" / "index.md").read_text("utf8")
LINK = re.compile(r"\[([^\]]+)\]\((\w+/\w+)\.ipynb\)")


def contents():
    """The parts of the table of contents that hold chapters: caption -> names of chapters."""
    made = {chapter.name for chapter in chapters(ROOT)}
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))["parts"]
    names = {part["caption"]: [each["file"].removeprefix("book/") for each in part["chapters"]] for part in parts}
    return {caption: listed for caption, listed in names.items() if made.intersection(listed)}


def title(name):
    return read(ROOT / "chapters" / f"{name}.md").cells[0].source.splitlines()[0].removeprefix("# ")


def test_every_chapter_stands_in_the_contents():
    named = [name for listed in contents().values() for name in listed]
    assert sorted(named) == [chapter.name for chapter in chapters(ROOT) if chapter.name != "index"]


def test_chapters_are_listed_by_part_in_the_order_of_the_contents():
    lines = re.findall(r"^- \*\*([^*]+)\*\*: (.+)$", PAGE, re.M)
    listed = {part: LINK.findall(links) for part, links in lines if LINK.search(links)}
    expected = {part: [(title(name), name) for name in names] for part, names in contents().items()}
    assert listed == expected
    assert list(listed) == list(expected)


def test_reading_begins_with_the_first_chapter():
    first = next(iter(contents().values()))[0]
    assert f"- **Read.** Begin with [{title(first)}]({first}.ipynb)." in PAGE
