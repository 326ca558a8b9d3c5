"""Fonts cut to what the pages show: the theme alone brings 400 KB of fonts, and a 1.5 MB script, for twenty icons."""

import html
import logging
import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"([^"]*)"\}')


logging.getLogger("fontTools").setLevel(logging.WARNING)  # else each cut prints thirty lines


def code_points(content):
    r"""Return the code points of a CSS string such as ``\f002``."""
    text = re.sub(r"\\([0-9a-f]{1,6}) ?", lambda escape: chr(int(escape[1], 16)), content)
    return {ord(character) for character in text}


def cut_icons(app, exception):
    """Keep the rules and glyphs of the icons that pages, scripts or style sheets name."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    static = folder / "_static"
    (static / "scripts" / "fontawesome.js").unlink(missing_ok=True)  # no page loads it any more, see pages.py
    for unused in [*static.rglob("*.map"), *static.glob("vendor/fontawesome/webfonts/*.ttf")]:
        unused.unlink()

    used = set()
    for path in [*folder.rglob("*.html"), *static.glob("scripts/*.js"), *static.glob("*.js")]:
        used.update(re.findall(r"\bfa-[a-z0-9-]+", path.read_text("utf-8", errors="ignore")))
    points = set()

    def keep(rule):
        if used.isdisjoint(re.findall(r"fa-[a-z0-9-]+", rule[1])):
            return ""
        points.update(code_points(rule[2]))
        return rule[0]

    theme = static / "styles" / "pydata-sphinx-theme.css"
    css = RULE.sub(keep, theme.read_text("utf-8"))
    theme.write_text(re.sub(r',url\([^)]*\.ttf\) format\("truetype"\)', "", css), "utf-8")
    for sheet in static.rglob("*.css"):  # icons that style sheets draw by themselves
        for content in re.findall(r'(?:--pst-[a-z-]+|content):\s*"([^"]+)"', sheet.read_text("utf-8", errors="ignore")):
            points |= code_points(content)
    for path in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        cut_font(path, points)


def cut_formula_fonts(app, exception):
    """Keep the glyphs of the characters that stand on some page."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    points = set()
    for page in folder.rglob("*.html"):
        text = re.sub(r"<[^>]*>", " ", page.read_text("utf-8"))
        points |= {ord(character) for character in html.unescape(text)}
    for path in folder.glob("_static/katex/fonts/*.woff2"):
        cut_font(path, points)


def cut_font(path, points):
    """Rewrite the font file with the glyphs of `points` only."""
    font = TTFont(path)
    cutter = subset.Subsetter(subset.Options(ignore_missing_unicodes=True, notdef_outline=True))
    cutter.populate(unicodes=points)
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(path)


def start_afresh(app, config):
    """Remove what an earlier build cut, for Sphinx notes each file that it finds changed."""
    shutil.rmtree(Path(app.outdir) / "_static", ignore_errors=True)


def setup(app):
    app.connect("config-inited", start_afresh)
    # The files are cut to what all pages use, so each build makes all pages, also when none has changed.
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: sorted(env.found_docs))
    for cut in (cut_icons, cut_formula_fonts):
        app.connect("build-finished", cut, priority=600)  # after the pages are mended
