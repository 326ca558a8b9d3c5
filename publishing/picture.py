"""The picture of a live figure on the repository's front page, taken from the first chapter."""

from __future__ import annotations

import base64
from pathlib import Path

from publishing.execute import VIEW
from publishing.notebook import read

CHAPTER, PICTURE = "book/foundations/gradient_descent.ipynb", "book/live_figure.png"


def draw(root: Path) -> None:
    """Write the picture, if the chapter is there."""
    if (root / CHAPTER).exists():
        (root / PICTURE).write_bytes(still(root))


def still(root: Path) -> bytes:
    """Return the still image of the chapter's first live figure, a PNG."""
    cells = [cell for cell in read(root / CHAPTER).cells if cell.cell_type == "code"]
    bundles = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return base64.b64decode(next(bundle["image/png"] for bundle in bundles if VIEW in bundle))
