"""Live figures: computed by lrlib, drawn and moved by the reader's browser, alive without a kernel."""

from lrlib.widgets.live import LiveFigure, live

__all__ = ["LiveFigure", "live"]
