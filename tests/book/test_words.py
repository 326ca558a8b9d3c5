"""The glossary has each term in both languages, in order and once; the notation has every Greek letter in use."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GLOSSARY = re.search(r"^:::\{glossary\}\n(.*?)^:::$", (ROOT / "book" / "glossary.md").read_text("utf8"), re.M | re.S)[1]
ENTRIES = [re.findall(r"^(?! )(.+)$", entry, re.M) for entry in GLOSSARY.strip().split("\n\n")]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
GREEK = re.compile(
    r"\\((?:var)?(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi"
    r"|omega|Gamma|Delta|Theta|Lambda|Xi|Phi|Psi|Omega))(?![a-z])"
)


def test_every_entry_has_an_english_term_and_then_chinese_ones():
    assert len(ENTRIES) > 100
    for english, *chinese in ENTRIES:
        assert not CHINESE.search(english), english
        assert chinese, english
        assert all(CHINESE.search(term) for term in chinese), english


def test_entries_are_sorted_by_the_english_term():
    terms = [entry[0] for entry in ENTRIES]
    assert terms == sorted(terms, key=str.lower)


def test_no_term_stands_twice():
    terms = [term.lower() for entry in ENTRIES for term in entry]
    assert [term for term in terms if terms.count(term) > 1] == []


def test_every_entry_is_defined_in_a_sentence():
    definitions = re.findall(r"^(?! )(.+)\n((?:  .+\n?)+)", GLOSSARY, re.M)
    assert len(definitions) == len(ENTRIES)
    assert [term for term, text in definitions if not text.rstrip().endswith(".")] == []


def test_every_greek_letter_of_the_chapters_is_in_the_notation():
    known = set(GREEK.findall((ROOT / "book" / "notation.md").read_text("utf8")))
    used = {path.stem: set(GREEK.findall(path.read_text("utf8"))) for path in (ROOT / "chapters").rglob("*.md")}
    assert {chapter: letters - known for chapter, letters in used.items() if letters - known} == {}
