"""One colour, line style and marker per optimizer for the whole book, and the look that all figures share."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import matplotlib.style

# Okabe and Ito's colours; orange and sky blue are darkened until they stand out 3:1 against white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#c98500", "#2e94d1", "#009e73"
BLUE, VERMILION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"

INK, QUIET, GRID, CONTOUR = "#1a1a1a", "#595959", "#e4e4e4", "#b9b9b9"
WRONG = "#b3261e"  # a name to look at twice
BOUND: dict = {"color": "#868686", "linewidth": 1.3, "linestyle": (0, (1, 2)), "zorder": 1.5}  # a marked value
# A start, a minimum and a saddle, on top of paths. The ring is hollow: a path that ends where it began shows its
# end inside.
RING: dict = {"marker": "o", "markersize": 10, "markerfacecolor": "none", "markeredgewidth": 2.0, "zorder": 7}
STAR: dict = {"marker": "*", "markersize": 13, "color": INK, "markeredgecolor": "white", "zorder": 6}
SADDLE: dict = {"marker": "X", "markersize": 9, "color": "white", "markeredgecolor": INK, "zorder": 6}

Line = Literal["-", "--", "-.", ":", "none"]


class Style(NamedTuple):
    """How one label is drawn: colour, line style and marker in matplotlib's notation."""

    color: str
    linestyle: Line
    marker: str


#: The style of each optimizer and of its variants, by name, the same in every figure of the book.
STYLE = {
    "SGD": Style(BLACK, "-.", "o"),
    "SGD momentum": Style(ORANGE, "--", "s"),
    "Nesterov": Style(SKY, ":", "v"),
    "Adagrad": Style(GREEN, "-", "D"),
    "RMSProp": Style(PURPLE, "-.", "v"),
    "Adadelta": Style(GREEN, ":", "P"),
    "Rprop": Style(PURPLE, "-", "X"),
    "Adam": Style(BLUE, "-", "^"),
    "AMSGrad": Style(VERMILION, "--", "D"),
    "AdamW": Style(GREEN, "-.", "s"),
    "AdaMax": Style(PURPLE, ":", "v"),
    "NAdam": Style(ORANGE, "-.", "P"),
    "RAdam": Style(SKY, "-.", "X"),
    "Lion": Style(ORANGE, "-", "D"),
    "LARS": Style(BLACK, "--", "v"),
    "LAMB": Style(BLUE, "--", "s"),
    "Adafactor": Style(GREEN, "--", "o"),
    "Muon": Style(VERMILION, "-", "X"),
    "Shampoo": Style(PURPLE, "--", "P"),
    "ScheduleFree": Style(SKY, "-", "s"),
    "Prodigy": Style(BLACK, ":", "D"),
}

ALIASES = {
    "momentum": "SGD momentum",
    "sgd with momentum": "SGD momentum",
    "sgd + momentum": "SGD momentum",
    "nesterov momentum": "Nesterov",
    "sgd nesterov": "Nesterov",
    "schedule-free": "ScheduleFree",
}

_BY_NAME = {name.casefold(): style for name, style in STYLE.items()}
_BY_NAME |= {alias: STYLE[name] for alias, name in ALIASES.items()}

# Labels that name no optimizer ("rate 0.1", "continuous") get colours that no optimizer has, after Tol's muted set.
# Five colours against four line styles: neighbours differ in both, and twenty labels pass before one comes again.
_COLORS, _MARKERS = ("#332288", "#c0504d", "#1e8a7a", "#857f1f", "#882255"), "osD^vPX"
_LINES: tuple[Line, ...] = ("-", "--", "-.", ":")
_OTHERS = tuple(Style(_COLORS[i % 5], _LINES[i % 4], _MARKERS[i % 7]) for i in range(20))


def style_of(label: str, position: int = 0) -> Style:
    """Return the style of an optimizer, whatever the case of its name, or of the `position`-th other label.

    Examples
    --------
    >>> style_of("Adam").color
    '#0072b2'
    >>> style_of("rate 0.1", 1).linestyle
    '--'
    """
    return _BY_NAME.get(label.strip().casefold(), _OTHERS[position % len(_OTHERS)])


def styles_of(labels: Iterable[str]) -> dict[str, Style]:
    """Return one style for each label; labels that name no optimizer take theirs from a cycle, in their order."""
    styles: dict[str, Style] = {}
    others = 0
    for label in labels:
        styles[label] = style_of(label, others)
        others += label.strip().casefold() not in _BY_NAME
    return styles


LOOK = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same letters
    "font.size": 12,
    "axes.labelsize": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "legend.fontsize": 11.5,
    "mathtext.fontset": "cm",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.xmargin": 0.0,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "legend.frameon": False,
    "legend.handlelength": 2.1,
    "figure.facecolor": "white",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Let matplotlib draw in the look of the book, whatever the reader's own settings are."""
    with matplotlib.style.context(["default", LOOK]):
        yield
