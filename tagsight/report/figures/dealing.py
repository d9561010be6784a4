"""How the number of labels was dealt to kinds: mean distance to the medoid against K, by kind."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tagsight.report.figures.style import INK, PAPER, SIZE, TAGS, bare, heading, new, svg

ACROSS = 4  # panels in a row
HEIGHT = 1.75  # inches of a panel


def dealing(choice: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a curve for each kind that can be divided, as SVG, its number marked.

    choice: choice.json of a tree; names: kind -> what it is called.
    """
    kinds = {kind: row for kind, row in choice["kinds"].items() if len(row["grid"]) > 1}
    down = -(-len(kinds) // ACROSS)
    figure = new(9, max(1.0, HEIGHT * down + 0.3))
    highest = max((row["grid"]["1"]["distance"] or 0.0 for row in kinds.values()), default=1.0)
    for place, (kind, row) in enumerate(kinds.items()):
        ax = figure.add_subplot(down, ACROSS, place + 1)
        bottom = place + ACROSS >= len(kinds)
        bare(ax, x="clusters" if bottom else "", grid="y")
        heading(ax, f"{names.get(kind, kind)}: {row['k']}")
        _curve(ax, row)
        ax.set_ylim(0, 1.08 * max(highest, 1e-6))
        if place % ACROSS:
            ax.set_yticklabels([])
    return svg(figure)


def _curve(ax: Axes, row: Mapping[str, Any]) -> None:
    points = sorted(
        (int(k), each["distance"])
        for k, each in row["grid"].items()
        if each["distance"] is not None
    )
    ks, values = zip(*points, strict=True)
    ax.plot(ks, values, color=TAGS, linewidth=1.6, zorder=2)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    ax.tick_params(labelsize=SIZE - 2)
    for k, value in points:
        if k == row["k"]:
            ax.scatter([k], [value], s=64, color=TAGS, edgecolor=PAPER, zorder=3)
            ax.plot([k, k], [0, value], color=INK, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
