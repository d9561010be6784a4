"""The labels as a tree: kind, region and label in rows, each label with its number of images."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from tagsight.report.figures.style import (
    INK,
    LINE,
    MUTED,
    PAPER,
    PIXELS,
    SIZE,
    SOFT,
    TAGS,
    new,
    svg,
)
from tagsight.report.label_tree import Card, Kind, technique

KIND, REGION, LABEL, BARS, NUMBERS, WIDTH = 0.0, 15.0, 32.0, 60.0, 87.0, 100.0
ROW = 0.235  # inches
GAP = 0.7  # rows between kinds
MOST_KIND, MOST_REGION, MOST_LABEL = 17, 20, 34  # characters


class _Row(NamedTuple):
    """A label: its row from above, its card, and the words that stand for the first time."""

    y: float
    card: Card
    kind: str
    region: str
    label: str


def tree(kinds: Sequence[Kind], total: int) -> str:
    """Return the tree as SVG.

    kinds: of `label_tree`, of which pictures are drawn; total: images of the archive, which shares
    are of.
    """
    rows = list(_rows([kind for kind in kinds if kind.picture]))
    bottom = rows[-1].y + 1 if rows else 1.0
    figure = new(9, ROW * (bottom + 2.4))
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.5, WIDTH), ylim=(bottom, -1.6))
    ax.axis("off")
    _head(ax)
    largest = max((row.card["size"] for row in rows), default=1)
    for row in rows:
        _label(ax, row, largest, total)
    return svg(figure)


def _rows(kinds: Sequence[Kind]) -> Iterator[_Row]:
    y = 0.0
    for kind in kinds:
        new_kind = kind.name
        for region in kind.regions:
            new_region = region.name or ("all" if len(kind.regions) == 1 else "several or unstated")
            whole = len(region.labels) == 1 and (region.name or len(kind.regions) == 1)
            rest = "all" if whole else "others"
            for card in region.labels:
                yield _Row(y, card, new_kind, new_region, technique(card) or rest)
                new_kind = new_region = ""
                y += 1
        y += GAP


def _head(ax: Axes) -> None:
    look: Any = {"color": MUTED, "fontsize": SIZE - 1, "va": "center"}
    heads = ((KIND, "kind"), (REGION, "region"), (LABEL, "label"), (BARS, "images"))
    for x, text in heads:
        ax.text(x, -1.1, text, **look)
    ax.text(WIDTH - 0.5, -1.1, "of all", ha="right", **look)


def _label(ax: Axes, row: _Row, largest: int, total: int) -> None:
    look: Any = {"fontsize": SIZE - 1, "va": "center"}
    if row.kind:
        ax.plot([KIND, WIDTH - 0.5], [row.y - 0.6] * 2, color=LINE, linewidth=0.8)
        ax.text(KIND, row.y, _short(row.kind, MOST_KIND), color=INK, fontweight="bold", **look)
    if row.region:
        ax.text(REGION, row.y, _short(row.region, MOST_REGION), color=INK, **look)
    elif not row.kind:
        ax.plot([REGION + 0.6, REGION + 0.6], [row.y - 0.5, row.y + 0.3], color=LINE, linewidth=1)
    colour = INK if technique(row.card) else MUTED
    ax.text(LABEL, row.y, _short(row.label, MOST_LABEL), color=colour, **look)
    size = row.card["size"]
    found = row.card["found"]
    width = (NUMBERS - BARS - 2) * size / largest
    face, edge = {True: (TAGS, TAGS), None: (SOFT, SOFT), False: (PAPER, PIXELS)}[found]
    ax.barh(row.y, max(width, 0.25), 0.56, BARS, facecolor=face, edgecolor=edge, linewidth=1.1)
    ax.text(BARS + max(width, 0.25) + 0.8, row.y, f"{size:,}", color=INK, **look)
    share = f"{100 * size / max(total, 1):.1f} %"
    ax.text(WIDTH - 0.5, row.y, share, color=MUTED, ha="right", **look)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
