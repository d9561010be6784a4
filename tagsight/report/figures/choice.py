"""Choice of K: the mean silhouette, and how well the medoids fit other patients, against K."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from tagsight.report.figures.style import (
    BEHIND,
    INK,
    LINE,
    MUTED,
    PAPER,
    SIZE,
    TAGS,
    bare,
    heading,
    new,
    svg,
)

Points = Sequence[tuple[int, float]]
WIDE = 5.0  # a ratio above which the axis is logarithmic


def choice(chosen: Mapping[str, Any], tolerance: float) -> str:
    """Return both curves as SVG, with the chosen K marked in each.

    chosen: choice.json; tolerance: of the rule `heldout`, drawn if that is the rule.
    """
    figure = new(9, 3.6)
    left, right = figure.subplots(1, 2)
    bare(left, x="K, number of clusters", grid="y")
    bare(right, x="K, number of clusters", grid="y")
    heading(left, "Mean silhouette")
    heading(right, "Distance of other patients ÷ own")
    _curve(left, _points(chosen, "silhouette"), chosen["k"], "{:.2f}")
    ratios = _points(chosen, "heldout_ratio")
    _curve(right, ratios, chosen["k"], "{:.3f}")
    _widen_scale(right, ratios)
    if chosen["rule"] == "heldout":
        _allowed(right, tolerance)
    return svg(figure)


def _points(chosen: Mapping[str, Any], name: str) -> Points:
    """K and its value, in rising order; a K without a value is skipped."""
    rows = sorted((int(k), row.get(name)) for k, row in chosen["grid"].items())
    return [(k, value) for k, value in rows if value is not None]


def _curve(ax: Axes, points: Points, k: int, template: str) -> None:
    ks, values = zip(*points, strict=True) if points else ((), ())
    ax.plot(ks, values, color=TAGS, linewidth=1.8, zorder=2)
    ax.scatter(ks, values, s=34, color=PAPER, edgecolor=TAGS, linewidth=1.6, zorder=3)
    ax.set_xscale("log")
    ax.margins(x=0.08, y=0.24)
    ax.set_xticks(ks, [str(number) for number in ks])
    ax.xaxis.set_minor_locator(NullLocator())
    for number, value in points:
        if number == k:
            ax.scatter([k], [value], s=90, color=TAGS, zorder=4)
            text = f"K = {k}: {template.format(value)}"
            beside, offset = _room(ks, values, ks.index(k))
            look: Any = {"color": INK, "fontweight": "bold", "ha": beside, "va": "center"}
            ax.annotate(text, (k, value), (0, offset), textcoords="offset points", **look)


def _room(ks: Sequence[int], values: Sequence[float], place: int) -> tuple[str, int]:
    """The side of a point where its label has room, away from the curve and the panel's edge."""
    beside = "left" if place < len(ks) / 3 else "right" if place >= 2 * len(ks) / 3 else "center"
    neighbours = [values[i] for i in (place - 1, place + 1) if 0 <= i < len(ks)]
    above = not neighbours or sum(neighbours) / len(neighbours) <= values[place]
    return beside, 17 if above else -17


def _allowed(ax: Axes, tolerance: float) -> None:
    """Shade the ratios that the rule accepts."""
    low, high = ax.get_ylim()
    low, high = min(low, 1 / tolerance), max(high, tolerance**2)
    ax.set_ylim(low, high)
    ax.axhspan(low, tolerance, color=LINE, alpha=0.55, linewidth=0, zorder=0)
    ax.axhline(tolerance, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    look: Any = {"color": MUTED, "ha": "right", "fontsize": SIZE - 1.5, "bbox": BEHIND}
    place: Any = {"xytext": (-4, 9), "textcoords": "offset points", "va": "center"}
    text = f"as good as own: up to {tolerance:g}"
    ax.annotate(text, (ax.get_xlim()[1], tolerance), **look, **place)


def _widen_scale(ax: Axes, ratios: Points) -> None:
    """Make the axis logarithmic if ratios differ too much for a linear one."""
    if max((ratio for _, ratio in ratios), default=0) > WIDE:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(_plain))
        ax.yaxis.set_minor_locator(NullLocator())


def _plain(value: float, _: object) -> str:
    """A number without powers of ten: `0.1`, `10,000`."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
