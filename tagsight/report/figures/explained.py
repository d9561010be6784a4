"""Share of the distance in looks that labels and baselines explain, inside each stratum."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from tagsight.evaluation import labellings
from tagsight.evaluation.labellings import Labelling
from tagsight.evaluation.pair_statistic import UNDIVIDED
from tagsight.report.figures.style import (
    BEHIND,
    INK,
    MUTED,
    PAPER,
    SIZE,
    TAGS,
    bare,
    new,
    svg,
)
from tagsight.report.wording import MINUS, labelling_name, of_unit

ROW, GAP = 1.0, 1.6
GUTTER = 136  # points left of the axis, where labels stand


class _Row(NamedTuple):
    y: float
    labelling: Labelling
    value: float
    interval: Sequence[float] | None


def explained(evaluation: Mapping[str, Any], unit: str = "cluster") -> str:
    """Return the shares explained, with their 95 % intervals, as SVG; a group of rows per stratum.

    evaluation: evaluation.json; unit: what a group is called. A labelling that divides nothing in a
    stratum, or without a value there, has no row in its group.
    """
    groups = _groups(evaluation["pair"])
    rows = [row for _, _, group in groups for row in group]
    bottom = max((row.y for row in rows), default=0) + 1
    figure = new(9, max(2.0, 0.27 * bottom + 0.9))
    ax = figure.add_subplot()
    bare(
        ax,
        x="share of the distance between different patients’ images explained",
        grid="x",
    )
    ax.axvline(0, color=INK, linewidth=1)
    for row in rows:
        _draw(ax, row)
    ax.set_ylim(bottom, -0.6)
    ax.margins(x=0.06)
    x_min = ax.get_xlim()[0]
    for y, name, _ in groups:
        look: Any = {"color": INK, "fontweight": "bold", "annotation_clip": False}
        place: Any = {"xytext": (-GUTTER, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(of_unit(name, unit), (x_min, y), bbox=BEHIND, **look, **place)
    ax.set_xlim(left=x_min)
    ax.set_yticks([row.y for row in rows], [labelling_name(row.labelling, unit) for row in rows])
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_color(TAGS if row.labelling == labellings.LABELS else MUTED)
    ax.xaxis.set_major_formatter(FuncFormatter(_percent))
    return svg(figure)


def _groups(pair: Mapping[str, Any]) -> list[tuple[float, str, list[_Row]]]:
    """For each stratum with any value: the y of its heading, its name, its rows."""
    groups: list[tuple[float, str, list[_Row]]] = []
    y = 0.0
    for stratum in labellings.STRATA:
        told = [(q, pair.get(q.key, {}).get(stratum.key, {})) for q in labellings.LABELLINGS]
        defined = [(q, row) for q, row in told if _is_drawn(row)]
        rows = [
            _Row(y + ROW * (place + 1), q, row["explained"], row["ci95"])
            for place, (q, row) in enumerate(defined)
        ]
        if rows:
            groups.append((y, stratum.name, rows))
            y = rows[-1].y + GAP
    return groups


def _is_drawn(row: Mapping[str, Any]) -> bool:
    return row.get("explained") is not None and row["reason"] != UNDIVIDED


def _draw(ax: Axes, row: _Row) -> None:
    main = row.labelling == labellings.LABELS
    colour = TAGS if main else MUTED
    if row.interval:
        ax.plot(row.interval, [row.y, row.y], color=colour, linewidth=2.4 if main else 1.4)
    fill = colour if main else PAPER
    ax.scatter([row.value], [row.y], s=52 if main else 34, color=fill, edgecolor=colour, zorder=3)
    right = max(row.value, *(row.interval or [row.value]))
    look: Any = {"textcoords": "offset points", "va": "center", "fontsize": SIZE - 1.5}
    ax.annotate(_percent(row.value), (right, row.y), (8, 0), color=colour, bbox=BEHIND, **look)


def _percent(value: float, _: object = None) -> str:
    digits = 0 if abs(value) >= 0.0995 or value == 0 else 1
    return f"{100 * value:.{digits}f} %".replace("-", MINUS)
