"""The glossary's Chinese terms: marked as Chinese, and listed in their own order with links to the entries."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LANGUAGE = "language-zh-Hans"  # docutils makes a lang attribute of this class, for fonts and for screen readers


class chinese_terms(nodes.General, nodes.Element):
    """Where the index by Chinese term will stand."""


class ChineseTerms(SphinxDirective):
    """``{chinese-terms}``: an index of the Chinese terms in the glossary above it on the page."""

    def run(self):
        return [chinese_terms()]


def pinyin(term):
    """Return a key that sorts as a dictionary does: GB 2312 holds the common characters in the order of pinyin."""
    return term.lower().encode("gb2312")


class ListChineseTerms(SphinxTransform):
    """Mark the terms, and fill in the index."""

    default_priority = 900  # after quotes were made typographic at 750: there are none for Chinese

    def apply(self, **kwargs):
        terms = [
            term
            for glossary in self.document.findall(addnodes.glossary)
            for term in glossary.findall(nodes.term)
            if CHINESE.search(term.astext())
        ]
        for term in terms:
            term["classes"].append(LANGUAGE)
        for place in list(self.document.findall(chinese_terms)):
            entries = [self.entry(term) for term in sorted(terms, key=lambda term: pinyin(term.astext()))]
            place.replace_self(nodes.bullet_list("", *entries, classes=["chinese-terms", "simple"]))

    def entry(self, term):
        """Return the line for one term: itself, with a link, and the English one."""
        english = term.parent.next_node(nodes.term).astext()
        link = nodes.reference("", "", nodes.inline("", term.astext(), classes=[LANGUAGE]), refid=term["ids"][0])
        return nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(f" {english}")))


def setup(app):
    app.add_node(chinese_terms)
    app.add_directive("chinese-terms", ChineseTerms)
    app.add_transform(ListChineseTerms)
