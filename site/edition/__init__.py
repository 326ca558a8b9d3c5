"""Sphinx extension of the HTML edition: light pages that ask no other host for anything.

Each module does one thing and has its own ``setup``: `mathematics` renders formulas at build time, `outputs` gives
claims, live figures and the Colab cell their form, `reference` documents lrlib, `rosetta` says what other libraries
call the same, `chinese` lists the glossary's Chinese terms, `pages` trims what every page loads and mends its markup,
`fonts` cuts the fonts to what the pages show.
"""

import hashlib
from pathlib import Path

from . import chinese, fonts, mathematics, outputs, pages, reference, rosetta


def setup(app):
    """Register everything; the digest makes a change of this package rebuild every page."""
    sources = sorted(Path(__file__).parent.glob("*.*"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    app.add_config_value("edition_sources", digest, "env")
    for module in (mathematics, outputs, reference, rosetta, chinese, pages, fonts):
        module.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
