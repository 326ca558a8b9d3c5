"""Chinese terms are marked as Chinese, listed in the order of their pronunciation, and found by the search."""

import pytest
from bs4 import BeautifulSoup


@pytest.fixture(scope="module")
def page(html):
    return BeautifulSoup((html / "book" / "glossary.html").read_text("utf-8"), "html.parser")


def test_every_chinese_term_is_marked_and_listed_with_a_link_to_its_entry(page):
    terms = {term["id"]: term.find(string=True) for term in page.select("dl.glossary > dt[lang=zh-Hans]")}
    links = {link["href"].removeprefix("#"): link.get_text() for link in page.select("ul.chinese-terms a")}
    assert len(terms) > 100
    assert links == terms
    assert all(link.find(lang="zh-Hans") for link in page.select("ul.chinese-terms a"))


def test_chinese_terms_are_in_the_order_of_pinyin(page):
    listed = [link.get_text() for link in page.select("ul.chinese-terms a")]
    some = ["鞍点", "动量", "过拟合", "梯度", "小批量", "学习率", "预热"]  # an dong guo ti xiao xue yu
    assert [term for term in listed if term in some] == some


@pytest.mark.parametrize("word", ["学习率", "动量", "over-fitting"])
def test_search_finds_the_entry(open_page, word):
    page = open_page(f"search.html?q={word}")
    page.locator("#search-results a[href*='glossary.html']").first.wait_for()
