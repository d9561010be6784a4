"""Which K: the mean silhouette, and how well the medoids fit other patients, against K."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from tagsight.figures.style import INK, LINE, MUTED, PAPER, SIZE, TAGS, bare, heading, new, svg

Points = Sequence[tuple[int, float]]


def choice(chosen: Mapping[str, Any], tolerance: float) -> str:
    """Return both curves as SVG, the chosen K marked in each.

    chosen: choice.json; tolerance: of the rule `heldout`, drawn where that is the rule.
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
    if chosen["rule"] == "heldout":
        _allowed(right, tolerance)
    return svg(figure)


def _points(chosen: Mapping[str, Any], name: str) -> Points:
    """K and the value there, rising; what is not known is left out."""
    rows = sorted((int(k), row.get(name)) for k, row in chosen["grid"].items())
    return [(k, value) for k, value in rows if value is not None]


def _curve(ax: Axes, points: Points, k: int, written: str) -> None:
    ks, values = zip(*points, strict=True) if points else ((), ())
    ax.plot(ks, values, color=TAGS, linewidth=1.8, zorder=2)
    ax.scatter(ks, values, s=34, color=PAPER, edgecolor=TAGS, linewidth=1.6, zorder=3)
    ax.set_xscale("log")
    ax.margins(x=0.08, y=0.2)
    ax.set_xticks(ks, [str(each) for each in ks])
    ax.xaxis.set_minor_locator(NullLocator())
    for each, value in points:
        if each == k:
            ax.scatter([k], [value], s=90, color=TAGS, zorder=4)
            said = f"K = {k}: {written.format(value)}"
            beside = "left" if k <= ks[len(ks) // 2] else "right"
            look = {"color": INK, "fontweight": "bold", "ha": beside}
            ax.annotate(said, (k, value), (0, 11), textcoords="offset points", **look)


def _allowed(ax: Axes, tolerance: float) -> None:
    """Shade what the rule takes for a fit as good."""
    low, high = ax.get_ylim()
    low, high = min(low, 1 - (tolerance - 1)), max(high, tolerance + (tolerance - 1))
    ax.set_ylim(low, high)
    ax.axhspan(low, tolerance, color=LINE, alpha=0.55, linewidth=0, zorder=0)
    ax.axhline(tolerance, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    look = {"color": MUTED, "ha": "right", "va": "bottom", "fontsize": SIZE - 1.5}
    edge = ax.get_xlim()[1]
    ax.text(edge, tolerance, f"fits other patients: up to {tolerance:g}", **look)
