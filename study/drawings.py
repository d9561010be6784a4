"""The study's figures: one panel per data set, one line per algorithm."""

from collections.abc import Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.verdict import HALF, SHOWN_K, gains, ranks
from tagsight.report.figures.style import (
    INK,
    LINE,
    MUTED,
    PAPER,
    PIXELS,
    SIZE,
    TAGS,
    bare,
    heading,
    new,
    svg,
)

ENDS = ("without", "with")  # presence columns


def agreement(table: pl.DataFrame) -> str:
    """Draw AMI with outside labels: orange without presence columns, blue with them."""
    order = _order(table)
    rows = {(row["data"], row["algorithm"]): row for row in gains(table).to_dicts()}
    figure, panels = _panels(table, order, "mean AMI, without telling tags")
    for ax, data in panels:
        for y, algorithm in enumerate(order):
            row = rows.get((data, algorithm))
            if row:
                ax.plot([row[end] for end in ENDS], [y, y], color=LINE, linewidth=2.5, zorder=1)
                ax.scatter(row["without"], y, s=34, color=PIXELS, zorder=2)
                ax.scatter(row["with"], y, s=34, color=TAGS, zorder=3)
        shown = [row[end] for (name, _), row in rows.items() if name == data for end in ENDS]
        ax.set_xlim(min(0, *shown) - 0.01, 1.1 * max(shown))
        ax.xaxis.set_major_locator(MaxNLocator(4))
    _key(figure, [(PIXELS, "values alone"), (TAGS, "values and which tags are there")])
    return svg(figure)


def sizes(table: pl.DataFrame) -> str:
    """Draw the share of images in the largest cluster, and in none."""
    order = _order(table)
    shown = table.filter("told", presence=1.0, asked=SHOWN_K)
    rows = {(row["data"], row["algorithm"]): row for row in shown.to_dicts()}
    figure, panels = _panels(table, order, f"share of images at K = {SHOWN_K}")
    for ax, data in panels:
        ax.axvline(HALF, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        for y, algorithm in enumerate(order):
            row = rows.get((data, algorithm))
            if row:
                ax.barh(y, row["largest"], height=0.5, color=TAGS)
                ax.barh(y, row["none"], left=row["largest"], height=0.5, color=PIXELS)
        ax.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    _key(figure, [(TAGS, "in the largest cluster"), (PIXELS, "in none")])
    return svg(figure)


def _order(table: pl.DataFrame) -> list[str]:
    """Algorithms, the best first, which is on top."""
    return ranks(table)["algorithm"].to_list()


def _panels(
    table: pl.DataFrame, order: Sequence[str], label: str
) -> tuple[Figure, list[tuple[Axes, str]]]:
    names = table["data"].unique(maintain_order=True).to_list()
    figure = new(2.4 + 1.9 * len(names), 0.34 * len(order) + 1.5)
    figure.patch.set(visible=True, facecolor=PAPER)
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, names, strict=True):
        bare(ax, grid="x")
        heading(ax, name)
    axes[0].set_yticks(range(len(order)), order, color=INK, fontsize=SIZE)
    axes[0].set_ylim(len(order) - 0.5, -0.5)
    figure.get_layout_engine().set(wspace=0.06)
    figure.supxlabel(label, color=MUTED, fontsize=SIZE)
    return figure, list(zip(axes, names, strict=True))


def _key(figure: Figure, meanings: Sequence[tuple[str, str]]) -> None:
    marks = [
        figure.axes[0].scatter([], [], s=34, color=colour, label=meaning)
        for colour, meaning in meanings
    ]
    figure.legend(
        handles=marks, loc="outside upper left", ncols=len(marks), frameon=False, labelcolor=INK
    )
