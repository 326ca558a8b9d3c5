"""What all live figures share: the module that draws in the browser, and what shows where no browser can."""

from __future__ import annotations

import pathlib
from typing import Any

import anywidget
import traitlets

from lrlib.plots.figure import Figure


def module(name: str) -> str:
    """Source of a figure's module: what all figures share, then its own part."""
    folder = pathlib.Path(__file__).parent
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in ("drawing.js", name))


class Drawing(anywidget.AnyWidget):
    """A live figure with its still image and its words."""

    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, *, still: Figure, **traits: Any) -> None:
        self.still = still
        super().__init__(**traits)

    @property
    def alt(self) -> str:
        """What the figure shows, in words."""
        return self.still.alt

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        """Add what shows where no widget can: a still image at the start position, and words."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        image, size = self.still._repr_mimebundle_()
        return {**data, **image}, {**metadata, **size}
