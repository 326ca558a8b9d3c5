"""The figure a chapter shows: drawn without pyplot, encoded as a small PNG that never varies, with alternative text."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from PIL import Image

from lrlib.plots.style import GRID, Style, house_style
from lrlib.plots.wording import number

WIDTH = 6.4  # inches: 640 CSS pixels
DPI = 200  # twice the 100 pixels per inch at which a page shows it
COLOURS = 48  # enough for smooth edges: the figures hold few hues, and every further colour makes the file larger


ABOVE: dict[str, Any] = {  # where a key stands: on the axes, flush with their left side
    "loc": "lower left",
    "bbox_to_anchor": (-0.02, 1.0),
    "borderaxespad": 0.2,
    "columnspacing": 1.0,
    "handletextpad": 0.5,
}


@dataclass(frozen=True, eq=False, repr=False)
class Figure:
    """A drawing and what it shows in words.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        To add what the functions of `lrlib.plots` have no option for.
    alt : str
        What the figure shows, computed from the data that were drawn.
    """

    figure: matplotlib.figure.Figure
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def png(self) -> bytes:
        """Return the drawing as a palette PNG: the same bytes for the same data."""
        with house_style():
            canvas = FigureCanvasAgg(self.figure)
            canvas.draw()
            # The layout, computed anew from what it gave before, would drift by a fraction of a pixel.
            self.figure.set_layout_engine("none")
            canvas.draw()
            pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
        palette = Image.fromarray(pixels).quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        buffer = io.BytesIO()
        palette.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the PNG to `path`."""
        Path(path).write_bytes(self.png())

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        width, _ = self.figure.get_size_inches()
        png = base64.b64encode(self.png()).decode("ascii")
        return {"image/png": png, "text/plain": self.alt}, {"image/png": {"width": round(100 * width)}}


def blank(rows: int = 1, columns: int = 1, *, height: float, title: str | None = None, **options):
    """Return a new figure of the book's width and a (rows, columns) array of its axes."""
    figure = matplotlib.figure.Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure, axes


def grid(axes: Axes) -> None:
    """Draw light lines at the major ticks."""
    axes.grid(True, which="major", color=GRID)


def key(axes: Axes, styles: dict[str, Style], *, markers: bool = False, more=()) -> None:
    """Name the lines above the axes, in as few rows as their names allow; nothing for one line without a name.

    Parameters
    ----------
    markers : bool
        Whether the lines were drawn with markers.
    more : sequence of artists
        Further things to name, each with a label.
    """
    handles = [
        Line2D([], [], color=s.color, linestyle=s.linestyle, marker=s.marker * markers, label=name)
        for name, s in styles.items()
        if name
    ] + list(more)
    if not handles:
        return
    names = [str(handle.get_label()) for handle in handles]
    rows = next(n for n in range(1, len(names) + 1) if n == len(names) or key_width(names, n) < WIDTH - 0.8)
    columns = -(-len(names) // rows)
    axes.legend(handles=handles, ncols=columns, **ABOVE)


def key_width(names: list[str], rows: int) -> float:
    """Return about how many inches a key of so many rows takes: 0.085 a letter, 0.6 for the sample and the gaps."""
    return sum(0.085 * max(map(len, names[i : i + rows])) + 0.6 for i in range(0, len(names), rows))


def ticks(axis: Axis, low: float, high: float) -> None:
    """Label a logarithmic axis: 1, 2, 5 and their multiples while they are few, else powers of ten."""
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    else:
        axis.set_major_locator(LogLocator(numticks=8))
    axis.set_minor_locator(NullLocator())
