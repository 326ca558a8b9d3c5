"""What the Sphinx extension makes of a notebook, shown on two small books: a sound one and a faulty one."""

import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from nbformat import v4

ROOT = Path(__file__).resolve().parents[2]
VIEW = {"model_id": "0123456789abcdef", "version_major": 2, "version_minor": 1}
STATE = {
    "state": {"0123456789abcdef": {"state": {"_esm": "export default {}"}}},
    "version_major": 2,
    "version_minor": 0,
}


def png():
    file = io.BytesIO()
    Figure(figsize=(3, 2), dpi=100).savefig(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def code(source, *outputs, **metadata):
    return v4.new_code_cell(source, outputs=list(outputs), execution_count=1, metadata=metadata)


def printed(text):
    return v4.new_output("stream", name="stdout", text=text)


def displayed(**formats):
    return v4.new_output("display_data", data={name.replace("__", "/"): value for name, value in formats.items()})


def live(**formats):
    return v4.new_output("display_data", data={"application/vnd.jupyter.widget-view+json": VIEW, **formats})


def build(folder, cells):
    """Build a book of one notebook with the repository's configuration; return the finished process."""
    for name in ("_config.yml", "site"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "book").mkdir()
    (folder / "book" / "references.bib").symlink_to(ROOT / "book" / "references.bib")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/page\n")
    (folder / "_build").mkdir()
    (folder / "_build" / "vendor").symlink_to(ROOT / "_build" / "vendor")
    notebook = v4.new_notebook(cells=cells)
    notebook.metadata.update(
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        language_info={"name": "python"},
        widgets={"application/vnd.jupyter.widget-state+json": STATE},
    )
    nbformat.write(notebook, folder / "book" / "page.ipynb")
    return run_jupyter_book(folder)


def run_jupyter_book(folder):
    """Build the book in `folder`; return the finished process."""
    return subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def page(html, tmp_path_factory):
    """The page of the sound book."""
    folder = tmp_path_factory.mktemp("sound")
    result = build(
        folder,
        [
            v4.new_markdown_cell(
                "# A page\n\nThe first paragraph is long enough to describe the page to a search engine."
            ),
            code("%pip install lrlib", tags=["colab"]),
            v4.new_markdown_cell(
                "Let $x_{\\mathrm{max}} > 0$ and\n\n$$ \\sqrt{x} \\tag{1} $$\n\nSee [it](#claim-first-one)."
            ),
            code(
                "claims",
                printed(
                    "before\n✓ first-one: Half of (a + b) holds. (0.5)\n✓ second: With none.\n"
                    "✓ third: Nested. (f(x) = 2)\nafter\n"
                ),
            ),
            code("plot", displayed(image__png=png(), text__plain="plain"), mystnb={"image": {"alt": "A curve falls."}}),
            code("widget", live(**{"image/png": png(), "text/plain": "A path winds."})),
        ],
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return BeautifulSoup((folder / "_build" / "html" / "book" / "page.html").read_text("utf-8"), "html.parser")


def test_a_second_build_without_a_change_succeeds_too(html, tmp_path):
    cells = [v4.new_markdown_cell("# A page\n\nThe first paragraph is long enough to describe it to a search engine.")]
    cells.append(code("widget", live(**{"image/png": png(), "text/plain": "A path winds."})))
    for result in (build(tmp_path, cells), run_jupyter_book(tmp_path)):
        assert result.returncode == 0, result.stdout + result.stderr


def test_claims_become_a_list_with_anchors(page):
    claims = {item["id"]: " ".join(item.get_text().split()) for item in page.select("ul.claims > li")}
    assert claims == {
        "claim-first-one": "✓ Half of (a + b) holds. 0.5 first-one",
        "claim-second": "✓ With none. second",
        "claim-third": "✓ Nested. f(x) = 2 third",
    }


def test_other_printed_lines_stay_as_they_were_printed(page):
    assert [block.get_text().strip() for block in page.select(".cell_output pre")] == ["before", "after"]


def test_live_figure_shows_its_still_image_first(page):
    figure = page.select_one("div.live")
    assert figure["data-model-id"] == VIEW["model_id"]
    assert figure.img["alt"] == "A path winds."
    assert (figure.img["width"], figure.img["height"], figure.img["loading"]) == ("300", "200", "lazy")


def test_state_of_live_figures_stands_after_the_text(page):
    assert page.head.find("script", type="application/vnd.jupyter.widget-state+json") is None
    assert VIEW["model_id"] in page.body.find("script", type="application/vnd.jupyter.widget-state+json").string


def test_no_widget_manager_is_loaded(page):
    assert [tag["src"] for tag in page.select("script[src]") if "require" in tag["src"] or "embed" in tag["src"]] == []


def test_alternative_text_comes_from_the_cell(page):
    assert page.select_one("article img")["alt"] == "A curve falls."


def test_colab_cell_is_left_out(page):
    assert "%pip" not in page.get_text()


def test_first_paragraph_describes_the_page(page):
    assert page.select_one("meta[name=description]")["content"].startswith("The first paragraph is long enough")


def test_formulas_carry_mathml_for_those_who_listen(page):
    assert len(page.select(".math .katex math")) == 2


def test_faulty_notebook_fails_the_build(html, tmp_path):
    result = build(
        tmp_path,
        [
            v4.new_markdown_cell("# A page\n\nA formula, $\\frac{1$, and [a link](#nowhere)."),
            code("claims", printed("✓ twice: Once.\n✓ twice: And again.\n")),
            code("widget", live(**{"text/plain": "A path winds."})),
            code("plot", displayed(image__png=png(), text__plain="<Figure size 300x200 with 1 Axes>")),
        ],
    )
    assert result.returncode != 0
    for fault in [
        "in the formula",
        "target not found: 'nowhere'",
        "claim 'twice' stands twice on this page",
        "a live figure needs a still image beside it",
        "a figure needs alternative text",
    ]:
        assert fault in result.stderr + result.stdout
