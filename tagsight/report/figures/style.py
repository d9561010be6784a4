"""Style of all figures: a small set of colours, thin lines, no frame; SVG of the same bytes.

The page replaces these colours by its own, light or dark (`COLOURS`), so a figure uses no others.
Tags are blue and pixels orange throughout, which every kind of colour vision distinguishes (Okabe &
Ito 2008).
"""

import io
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from tagsight.run.plain_text import plain

INK, MUTED, LINE, PAPER = "#17242c", "#5a6a74", "#d5dde2", "#fcfdfd"
TAGS, PIXELS, SOFT = "#0b6a9f", "#bd5b0c", "#9ec3da"
COLOURS = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    PAPER: "paper",
    TAGS: "tags",
    PIXELS: "pixels",
    SOFT: "soft",
}
SIZE = 10.0  # points
BEHIND: Any = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}  # of text across lines
RULES: Any = {
    "svg.hashsalt": "tagsight",
    "svg.fonttype": "path",
    "font.size": SIZE,
    "font.family": ["DejaVu Sans"],
    "text.color": INK,
    "path.simplify": True,
}


def new(width: float, height: float) -> Figure:
    """Return an empty figure, in inches; nothing is drawn behind it."""
    with matplotlib.rc_context(RULES):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_visible(False)
        FigureCanvasSVG(figure)
        return figure


def bare(ax: Axes, *, x: str = "", y: str = "", grid: Literal["", "x", "y"] = "") -> None:
    """Reduce an axis to its labels, a base line and, along `grid`, faint lines."""
    ax.patch.set_visible(False)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(MUTED)
    ax.tick_params(colors=MUTED, length=0, labelsize=SIZE - 1, pad=6)
    ax.set_xlabel(x, color=MUTED, fontsize=SIZE, labelpad=8)
    ax.set_ylabel(y, color=MUTED, fontsize=SIZE, labelpad=8)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=LINE, linewidth=0.8)


def heading(ax: Axes, text: str) -> None:
    """Put a heading over a panel, at its left."""
    ax.set_title(text, loc="left", color=INK, fontsize=SIZE + 1, fontweight="bold", pad=12)


def _make_plain(axis: Axis) -> None:
    """Make the labels of ticks plain, where they are given as texts: an axis sets them anew."""
    labels = axis.get_major_formatter()
    if isinstance(labels, FixedFormatter | FuncFormatter):
        axis.set_major_formatter(FuncFormatter(lambda at, place: plain(labels(at, place))))


def svg(figure: Figure) -> str:
    """Return the figure as SVG: letters as paths, no date, no program's name.

    No text of it is a formula of matplotlib's: a dollar sign is one.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_text(plain(text.get_text(), keep="\n"))
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        _make_plain(axis)
    buffer = io.BytesIO()
    with matplotlib.rc_context(RULES):
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=no_metadata)
    return buffer.getvalue().decode()
