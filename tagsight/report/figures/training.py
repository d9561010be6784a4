"""Training of the autoencoder: its loss, epoch by epoch."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tagsight.report.figures.style import MUTED, PAPER, PIXELS, bare, new, svg


def training(epochs: pl.DataFrame) -> str:
    """Return the curves of loss and validation loss as SVG; epochs: `training.parquet`."""
    figure = new(9, 3.2)
    ax = figure.add_subplot()
    bare(ax, x="epoch", y="mean squared error of pixels", grid="y")
    ax.margins(x=0.02, y=0.12)
    if epochs.is_empty():
        ax.text(0.5, 0.5, "No network was trained", color=MUTED, transform=ax.transAxes)
        ax.axis("off")
        return svg(figure)
    _curve(ax, epochs, "loss", "images it learned from", MUTED)
    if epochs["validation_loss"].null_count() < len(epochs):
        _curve(ax, epochs, "validation_loss", "images it only looked at", PIXELS)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.legend(frameon=False, labelcolor="linecolor", loc="upper right", handlelength=1.4)
    return svg(figure)


def _curve(ax: Axes, epochs: pl.DataFrame, name: str, label: str, colour: str) -> None:
    points = epochs.drop_nulls(name)
    ax.plot(points["epoch"], points[name], color=colour, linewidth=1.8, label=label)
    last = points["epoch"].tail(1), points[name].tail(1)
    ax.scatter(*last, s=34, color=PAPER, edgecolor=colour, linewidth=1.6, zorder=3)
