"""Nesting of clusters: the clusters of each K, joined to those of the next.

The height of a cluster's bar is its number of images; bands between two K are the images that their
clusters share. Finer clusters are placed as near as possible to those that share their images.
Cluster 0 holds images in no cluster.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from tagsight.report.figures.style import INK, MUTED, PIXELS, SIZE, SOFT, TAGS, new, svg

MOST_CLUSTERS = 30  # that can be distinguished in a column
COLUMNS = 5
BAR = 0.05  # width of a bar, as a share of the step from a K to the next
FILLED = 0.55  # share of the height for images; the rest separates the clusters
LONGEST = 38

Link = Mapping[str, Any]


class _Column(NamedTuple):
    """The clusters of a K, from the top, with upper edge and height of each."""

    k: int
    order: Sequence[int]
    top: Mapping[int, float]
    height: Mapping[int, float]


def nesting(stored: Sequence[Mapping[str, Any]], k: int, names: Sequence[str]) -> str:
    """Return the clusters of up to 5 K as SVG, the chosen K last if there are coarser ones.

    stored: nesting.json; k: the chosen K; names: of its clusters 1, 2, …, written at the figure's
    edge. No K above 30 is drawn.
    """
    steps = drawn_steps(stored, k)
    columns = _columns(steps)
    rows = max((len(column.order) for column in columns), default=1)
    figure = new(9, max(2.6, 0.2 * rows + 1.1))
    ax = figure.add_subplot()
    ax.set(xlim=(-0.12, len(columns) - 0.9), ylim=(1.02, -0.08))
    ax.axis("off")
    for place, (step, left, right) in enumerate(zip(steps, columns, columns[1:], strict=False)):
        _bands(ax, place, step["inside"], left, right)
    for place, column in enumerate(columns):
        _bars(ax, place, column, chosen=column.k == k)
        if column.k == k:
            _names(ax, place, column, names)
    return svg(figure)


def drawn_steps(stored: Sequence[Mapping[str, Any]], k: int) -> list[Mapping[str, Any]]:
    """Return the steps from K to K that are drawn: up to the chosen K, or from the first K on.

    stored: nesting.json; k: the chosen K.
    """
    steps = {(step["coarse"], step["fine"]): step for step in stored}
    ks = sorted({number for pair in steps for number in pair if number <= MOST_CLUSTERS})
    coarser = [number for number in ks if number <= k]
    drawn = coarser[-COLUMNS:] if len(coarser) > 1 else ks[:COLUMNS]
    return [steps[pair] for pair in pairwise(drawn)]


def _columns(steps: Sequence[Mapping[str, Any]]) -> list[_Column]:
    if not steps:
        return []
    first = _sizes(steps[0]["inside"], "coarse")
    columns = [_placed(steps[0]["coarse"], first, sorted(first))]
    for step in steps:
        middles = _middles(step["inside"], columns[-1])
        sizes = _sizes(step["inside"], "fine")
        columns.append(_placed(step["fine"], sizes, sorted(sizes, key=lambda c: (middles[c], c))))
    return columns


def _sizes(links: Sequence[Link], side: str) -> dict[int, int]:
    """The number of images in each cluster of one side."""
    sizes: dict[int, int] = {}
    for link in links:
        sizes[link[side]] = sizes.get(link[side], 0) + link["images"]
    return sizes


def _middles(links: Sequence[Link], left: _Column) -> dict[int, float]:
    """The mean y of each finer cluster's images in the column before."""
    sums: dict[int, float] = {}
    for link in links:
        middle = left.top[link["coarse"]] + left.height[link["coarse"]] / 2
        sums[link["fine"]] = sums.get(link["fine"], 0) + link["images"] * middle
    sizes = _sizes(links, "fine")
    return {cluster: total / sizes[cluster] for cluster, total in sums.items()}


def _placed(k: int, sizes: Mapping[int, int], order: Sequence[int]) -> _Column:
    """Clusters in this order from the top, with equal gaps between them."""
    total = sum(sizes.values())
    height = {cluster: FILLED * size / total for cluster, size in sizes.items()}
    gap = (1 - FILLED) / len(order)
    top, y = {}, gap / 2
    for cluster in order:
        top[cluster] = y
        y += height[cluster] + gap
    return _Column(k, order, top, height)


def _bars(ax: Axes, place: int, column: _Column, *, chosen: bool) -> None:
    colour = TAGS if chosen else MUTED
    look: Any = {"color": INK, "fontweight": "bold", "fontsize": SIZE, "ha": "center"}
    ax.text(place, -0.03, f"K = {column.k}", **look)
    for cluster in column.order:
        y, height = column.top[cluster], max(column.height[cluster], 0.003)
        ax.bar(place, height, BAR, bottom=y, color=colour, linewidth=0, zorder=3)
        beside: Any = {"ha": "right", "va": "center", "fontsize": SIZE - 3, "color": MUTED}
        ax.text(place - BAR * 0.8, y + height / 2, f"{cluster or 'none'}", zorder=4, **beside)


def _bands(ax: Axes, place: int, links: Sequence[Link], left: _Column, right: _Column) -> None:
    """Draw the bands; they leave and enter a cluster in the order of their other ends."""
    from_y, to_y = dict(left.top), dict(right.top)
    ends = {}
    for link in sorted(links, key=lambda one: right.top[one["fine"]]):
        size = left.height[link["coarse"]] * link["images"]
        part = size / max(sum(o["images"] for o in links if o["coarse"] == link["coarse"]), 1)
        ends[link["coarse"], link["fine"]] = (from_y[link["coarse"]], part)
        from_y[link["coarse"]] += part
    for link in sorted(links, key=lambda one: left.top[one["coarse"]]):
        start, part = ends[link["coarse"], link["fine"]]
        arrives = right.height[link["fine"]] * link["share"]
        colour = SOFT if link["share"] >= 0.5 else PIXELS
        band = _band(place, (start, part), (to_y[link["fine"]], arrives))
        ax.add_patch(PathPatch(band, facecolor=colour, linewidth=0, alpha=0.6, zorder=1))
        to_y[link["fine"]] += arrives


def _band(place: int, start: tuple[float, float], end: tuple[float, float]) -> Path:
    """A shape from one column to the next with curved edges; start, end: upper edge, height."""
    x0, x1 = place + BAR / 2, place + 1 - BAR / 2
    middle = (x0 + x1) / 2
    (y0, h0), (y1, h1) = start, end
    points = [
        (x0, y0), (middle, y0), (middle, y1), (x1, y1),
        (x1, y1 + h1), (middle, y1 + h1), (middle, y0 + h0), (x0, y0 + h0), (x0, y0),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _names(ax: Axes, place: int, column: _Column, names: Sequence[str]) -> None:
    """Write names at the outer side of the first or last column."""
    x, side = (place + BAR * 0.8, "left") if place else (-BAR * 3, "right")
    for cluster in filter(None, column.order):
        y = column.top[cluster] + column.height[cluster] / 2
        look: Any = {"color": INK, "fontsize": SIZE - 2.5, "va": "center", "ha": side}
        ax.text(x, y, _short(names[cluster - 1]), **look)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
