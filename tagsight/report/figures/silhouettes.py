"""The paper's Figure 3: the silhouette of every image, sorted within its cluster."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from tagsight.arrays import Float64s
from tagsight.report.figures.style import INK, MUTED, PIXELS, SIZE, SOFT, TAGS, bare, new, svg

MOST_NAMED, MOST_LINES = 26, 44  # clusters if all have a name; lines of smaller names
POINTS = 80  # of a cluster's outline
LONGEST = 34


def silhouettes(clusters: pl.DataFrame, names: Sequence[str]) -> str:
    """Return Figure 3 as SVG.

    clusters: `cluster` (from 1; 0, noise, is not drawn) and `silhouette` of a sample at one K;
    names: of cluster 1, 2, …, those without an image of the sample among them.
    """
    drawn = clusters.filter(pl.col("cluster") > 0).sort("cluster")
    widths = [
        np.sort(part["silhouette"].to_numpy().astype(np.float64))[::-1]
        for part in drawn.partition_by("cluster", maintain_order=True)
    ]
    if not widths:
        return svg(new(9, 1))
    figure = new(9, min(8.5, max(3.5, 0.36 * len(widths) + 2)))
    ax = figure.add_subplot()
    bare(ax, x="silhouette: 1 = well inside its cluster, below 0 = nearer to another", grid="x")
    gap = 0.004 * len(clusters)
    starts = np.cumsum([0, *(len(width) + gap for width in widths)])
    for number, (start, width) in enumerate(zip(starts[:-1], widths, strict=True)):
        _cluster(ax, start, width, TAGS if number % 2 == 0 else SOFT)
    if not widths:
        return svg(figure)
    mean = float(clusters["silhouette"].to_numpy().mean(dtype=np.float64))
    ax.axvline(mean, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    ax.text(mean, -0.012 * starts[-1], f"mean {mean:.2f}", color=INK, ha="center", va="bottom")
    lowest = min(-0.05, *(float(width[-1]) for width in widths))
    ax.set(xlim=(lowest - 0.02, 1), ylim=(starts[-1], 0))
    middles = np.array([start + len(w) / 2 for start, w in zip(starts[:-1], widths, strict=True)])
    shown_names = [names[cluster - 1] for cluster in drawn["cluster"].unique().sort()]
    labels = [f"{_short(name)}  {len(w):,}" for name, w in zip(shown_names, widths, strict=True)]
    _labels(ax, middles, labels)
    return svg(figure)


def _cluster(ax: Axes, start: float, width: Float64s, colour: str) -> None:
    """Draw a cluster's silhouettes as one shape, one line per image; below 0 in another colour."""
    rows = np.unique(np.linspace(0, len(width) - 1, POINTS).round().astype(int))
    values = np.append(width[rows], width[-1])
    y = start + np.append(rows, len(width))
    look: Any = {"step": "post", "linewidth": 0}
    ax.fill_betweenx(y, 0, np.maximum(values, 0), facecolor=colour, **look)
    ax.fill_betweenx(y, np.minimum(values, 0), 0, facecolor=PIXELS, **look)


def _labels(ax: Axes, middles: Float64s, labels: Sequence[str]) -> None:
    """Write names at the left, moved apart where clusters are thin, with lines to the clusters."""
    bottom = ax.get_ylim()[0]
    all_named = len(labels) <= MOST_NAMED
    gap = bottom / (MOST_NAMED if all_named else MOST_LINES)
    places = move_apart(middles, gap, bottom) if all_named else move_apart_while_near(middles, gap)
    size = SIZE - (1.5 if all_named else 3)
    ax.set_yticks(places, labels[: len(places)], color=INK, fontsize=size)
    left = ax.get_xlim()[0]
    for place, middle in zip(places, middles, strict=False):
        ends = [left - 0.012, left + 0.012]
        ax.plot(ends, [place, middle], color=MUTED, linewidth=0.7, clip_on=False)
    ax.tick_params(axis="y", pad=10)


def move_apart(middles: Float64s, gap: float, bottom: float) -> Float64s:
    """Return rising positions moved `gap` apart and above `bottom`; there may be bottom / gap."""
    order = np.arange(len(middles)) * gap
    latest = bottom - gap / 2 - order[::-1]
    return np.minimum(_pushed(middles, gap), latest)


def move_apart_while_near(middles: Float64s, gap: float) -> Float64s:
    """Return rising positions moved `gap` apart, up to the first that moves by over two gaps."""
    places = _pushed(middles, gap)
    far = places - middles > 2 * gap
    return places[: int(far.argmax())] if far.any() else places


def _pushed(middles: Float64s, gap: float) -> Float64s:
    """Rising positions, each moved down until it is `gap` below the one before."""
    order = np.arange(len(middles)) * gap
    return np.maximum.accumulate(middles - order) + order


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
