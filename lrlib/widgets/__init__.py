"""Live figures: computed by lrlib, drawn and moved by the reader's browser, alive without a kernel."""

from lrlib.widgets.live import LiveFigure, live
from lrlib.widgets.phase import PhaseDiagram, phase_diagram

__all__ = ["LiveFigure", "PhaseDiagram", "live", "phase_diagram"]
