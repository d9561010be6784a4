"""The silhouettes of a tree: a row for each label, since labels differ too much in size."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from tagsight.arrays import Float64s
from tagsight.report.figures.style import INK, MUTED, PIXELS, SIZE, SOFT, TAGS, bare, new, svg

ROW = 0.24  # inches
FILLED = 0.84  # of a row
POINTS = 40  # of a label's outline
LONGEST = 48


def label_silhouettes(members: pl.DataFrame, names: Sequence[str]) -> str:
    """Return the silhouettes of a sample as SVG, sorted within each label.

    members: `kind`, `cluster` (the label, from 1) and `silhouette` of each image; names: of label
    1, 2, …. A label that is the only one of its kind has none.
    """
    divided = members.filter(pl.col("cluster").n_unique().over("kind") > 1)
    parts = divided.sort("cluster").partition_by("cluster", maintain_order=True)
    widths = [np.sort(part["silhouette"].to_numpy().astype(np.float64))[::-1] for part in parts]
    figure = new(9, max(1.5, ROW * len(parts) + 0.9))
    ax = figure.add_subplot()
    bare(ax, x="silhouette: 1 = well inside its label, below 0 = nearer to another", grid="x")
    for row, width in enumerate(widths):
        _label(ax, row, width, TAGS if row % 2 == 0 else SOFT)
    lowest = min([-0.05, *(float(width[-1]) for width in widths)])
    ax.set(xlim=(lowest - 0.02, 1), ylim=(max(len(parts), 1), 0))
    labels = [f"{_short(names[part['cluster'][0] - 1])}  {len(part):,}" for part in parts]
    ax.set_yticks(np.arange(len(parts)) + 0.5, labels, color=INK, fontsize=SIZE - 2)
    return svg(figure)


def _label(ax: Axes, row: int, width: Float64s, colour: str) -> None:
    """Draw a label's silhouettes as one shape as high as the row, however many images it has."""
    rows = np.unique(np.linspace(0, len(width) - 1, POINTS).round().astype(int))
    values = np.append(width[rows], width[-1])
    y = row + (1 - FILLED) / 2 + FILLED * np.append(rows, len(width)) / len(width)
    ax.fill_betweenx(y, 0, np.maximum(values, 0), facecolor=colour, step="post", linewidth=0)
    ax.fill_betweenx(y, np.minimum(values, 0), 0, facecolor=PIXELS, step="post", linewidth=0)
    mean = float(width.mean())
    ax.plot([mean, mean], [row + 0.12, row + 0.88], color=MUTED, linewidth=1)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
