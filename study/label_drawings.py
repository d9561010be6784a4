"""The figure of the study of labels: designs as rows, scores as dots."""

import polars as pl

from study.label_designs import STEPS
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

PANELS = (
    ("content", "AMI with content", TAGS),
    ("machine", "AMI with machines", PIXELS),
    ("explained", "explained in looks", INK),
)


def figure(means: pl.DataFrame) -> str:
    """Draw the designs of ranks and fasterpam, and the references, with 95 % intervals.

    means: of `label_page.means`.
    """
    usual = (pl.col("scale") == "rank") & (pl.col("algorithm") == "fasterpam")
    shown = means.filter(usual.fill_null(value=True)).sort("explained", descending=True)
    drawing = new(9.6, 0.27 * len(shown) + 1.3)
    drawing.patch.set(visible=True, facecolor=PAPER)
    axes = drawing.subplots(1, len(PANELS), sharey=True, squeeze=False)[0]
    places = range(len(shown))
    for ax, (score, title, colour) in zip(axes, PANELS, strict=True):
        bare(ax, grid="x")
        heading(ax, title)
        reach = [1.96 * error for error in shown[f"{score}_error"].fill_null(0)]
        ax.errorbar(
            shown[score], places, xerr=reach, fmt="o", color=colour, ecolor=LINE, markersize=5
        )
        ax.set_xlim(min(0, *shown[score]) - 0.02, 1.02)
    names = [_shown(row) for row in shown.iter_rows(named=True)]
    axes[0].set_yticks(list(places), names, color=INK, fontsize=SIZE - 1)
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    drawing.supxlabel("inside modality, images of other patients", color=MUTED, fontsize=SIZE)
    return svg(drawing)


def _shown(row: dict[str, object]) -> str:
    taken = [step for step in STEPS if row[step]]
    if len(taken) == len(STEPS) and row["design"] == " + ".join(STEPS):
        return "all four steps"
    return str(row["design"])
