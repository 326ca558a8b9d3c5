"""What every page loads and says about itself, and the markup of the theme that has to be mended."""

import html
import re
from pathlib import Path

import imagesize
from docutils import nodes

SITE = Path(__file__).resolve().parents[1]
STYLE = "style.css"
RUNTIME = "runtime.js"

STATE = "application/vnd.jupyter.widget-state+json"

UNUSED = ("thebe", "toggle", "sphinx-design", "design-tabs")

MENDED = [
    # the icons come from the theme's own fonts, see fonts.py
    (r"<script[^>]*scripts/fontawesome\.js[^>]*></script>", ""),
    # a <p> may not stand in <summary>, and the visible text is the name
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'<p class="(collapsed|expanded) admonition-title">(.*?)</p>', r'<span class="\1 admonition-title">\2</span>'),
    # the fold of the book's contents has an icon and no text
    (r'<summary>(?=<span class="toctree-toggle")', '<summary aria-label="Pages under this one">'),
    # an empty corner of a table heads nothing
    (r'<th class="head"><p></p></th>', "<td></td>"),
    # docutils' citation list: a list needs list items, doc-biblioentry is deprecated
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r' role="doc-biblioentry"', ""),
    # the accessible name must hold the visible text
    (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
    # all content stands inside landmarks
    (
        r'<div id="pst-primary-sidebar" class="',
        r'<div id="pst-primary-sidebar" role="complementary" aria-label="Book" class="',
    ),
]

# the theme loads the whole search index on every page, but only the search page reads it
SEARCH = r'<script src="[^"]*(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>\s*'

REDIRECT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{target}">
</head>
<body><p><a href="{target}">{title}</a></p></body>
</html>
"""


def offer_files(app, config):
    """Copy the book's own style sheet to every page's reach, and the runtime of live figures where it exists."""
    for name in (STYLE, RUNTIME):
        if (SITE / name).exists():
            config.html_static_path.append(str(SITE / name))
    app.add_css_file(STYLE, priority=900)


def complete_page(app, pagename, templatename, context, doctree):
    """Drop what the page does not use, add the runtime where a live figure is, and describe the page."""
    body = context.get("body", "")
    if 'class="live"' in body and (SITE / RUNTIME).exists():
        app.add_js_file(RUNTIME, loading_method="defer")

    def used(asset):
        name = str(getattr(asset, "filename", asset) or "")
        attributes = getattr(asset, "attributes", None) or {}
        script = attributes.get("body") or ""
        if attributes.get("type") == STATE:  # it may be long: the page is shown before it is read
            context["body"] += f'<script type="{STATE}">{script}</script>'
            return False
        if "katex" in name:
            return 'class="katex' in body
        return not any(word in name or word in script for word in UNUSED)

    for key in ("css_files", "script_files"):
        context[key] = [asset for asset in context.get(key, []) if used(asset)]
    if 'name="description"' not in context.get("metatags", ""):
        text = html.escape(describe(app, pagename, doctree))
        context["metatags"] = context.get("metatags", "") + f'<meta name="description" content="{text}" />'


def describe(app, pagename, doctree):
    """Return the page's ``description`` metadata, or else its first paragraph of plain words, or else the book's."""
    given = app.env.metadata.get(pagename, {}).get("description")
    if given:
        return given
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else []:
        text = " ".join(paragraph.astext().split())
        if len(text) >= 60 and next(paragraph.findall(nodes.math), None) is None:
            return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " …"
    return app.config.edition_description.strip()


def mend_pages(app, exception):
    """Rewrite the built pages' markup; doing it twice changes nothing."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for page in folder.rglob("*.html"):
        if "_static" in page.relative_to(folder).parts:
            continue
        text = mended = page.read_text("utf-8")
        for pattern, replacement in MENDED:
            mended = re.sub(pattern, replacement, mended)
        if page.name != "search.html":
            mended = re.sub(SEARCH, "", mended)
        mended = size_images(mended, page)
        if mended != text:
            page.write_text(mended, "utf-8")
    root = app.config.root_doc
    if root != "index":
        redirect = REDIRECT.format(title=html.escape(app.config.html_title), target=f"{root}.html")
        (folder / "index.html").write_text(redirect, "utf-8")


def size_images(text, page):
    """Give each image its size, so that nothing moves while it loads; all but the first figure load when needed."""
    first = text.find("<img", text.find("<article"))

    def size(tag):
        source = re.search(r' src="([^":]+)"', tag[0])
        if source is None or " loading=" in tag[0]:
            return tag[0]
        width, height = imagesize.get(page.parent / source[1])
        size = f' width="{width}" height="{height}"' if width > 0 and " width=" not in tag[0] else ""
        loading = "eager" if tag.start() == first else "lazy"
        return re.sub(r"\s*/?>$", f'{size} loading="{loading}" />', tag[0])

    return re.sub(r"<img\b[^>]*>", size, text)


def setup(app):
    app.add_config_value("edition_description", "", "html")
    app.connect("config-inited", offer_files)
    app.connect("html-page-context", complete_page, priority=900)
    app.connect("build-finished", mend_pages)
