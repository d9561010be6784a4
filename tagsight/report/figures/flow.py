"""The paper's Figure 2, with the run's counts: from files to the test."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from tagsight.report.counts import trial_sizes
from tagsight.report.figures.style import INK, MUTED, PAPER, PIXELS, SIZE, TAGS, new, svg
from tagsight.report.wording import in_words
from tagsight.run.plain_text import counted

WIDTH, HEIGHT = 100.0, 91.0
LINE_HEIGHT = 2.75
BUS = 55.5  # y of the line from which the samples branch off


class _Box(NamedTuple):
    """A stage: the middle of its upper edge, its width, a heading, lines under it, a colour."""

    x: float
    y: float
    width: float
    title: str
    lines: Sequence[str]
    colour: str = MUTED

    @property
    def height(self) -> float:
        return 4.4 + LINE_HEIGHT * len(self.lines)

    @property
    def bottom(self) -> float:
        return self.y - self.height


def flow(
    counts: Mapping[str, Any],
    choice: Mapping[str, Any],
    epochs: int | None,
    labels: int | None = None,
) -> str:
    """Return Figure 2 as SVG.

    counts: counts.json; choice: choice.json; epochs: of the autoencoder's training, None for
    images with tags alone, which have neither network nor test; labels: of pictures, in a tree.
    """
    figure = new(9, 7.9)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(3.5, HEIGHT))
    ax.axis("off")
    boxes = _boxes(counts, choice, epochs, labels)
    _arrows(ax, boxes)
    for box in boxes.values():
        _draw(ax, box)
    return svg(figure)


def _boxes(
    counts: Mapping[str, Any],
    choice: Mapping[str, Any],
    epochs: int | None,
    labels: int | None,
) -> dict[str, _Box]:
    results = _results(counts, choice) if labels is None else _of_tree(counts, choice, labels)
    boxes = {**_archive(counts), **_samples(counts), **results}
    if epochs is None:
        return boxes | {
            "files": _Box(11, 90, 20, "Table of tags", [counted(counts["files"], "row")])
        }
    return {
        **boxes,
        "rejected": _Box(11, 76.5, 20, _rejected(counts), _reasons(counts["rejected"])),
        "autoencoder": _sample(89, "Autoencoder's", counts["samples"]["autoencoder"]),
        **_looks(epochs),
    }


def _archive(counts: Mapping[str, Any]) -> dict[str, _Box]:
    """From files to columns: the upper row."""
    levels = counted(counts["series"], "series"), counted(counts["patients"], "patient")
    values = counts["columns"] - counts["presence"]
    columns = (f"{values:,} of values", f"{counts['presence']:,} of presence")
    return {
        "files": _Box(11, 90, 20, "Files", [f"{counts['files']:,} found"]),
        "images": _Box(37, 90, 20, counted(counts["images"], "image"), levels),
        "tags": _Box(
            63, 90, 20, counted(counts["tags"], "tag"), [f"{counts['kept']:,} kept"], TAGS
        ),
        "columns": _Box(89, 90, 20, counted(counts["columns"], "column"), columns, TAGS),
    }


def _rejected(counts: Mapping[str, Any]) -> str:
    return f"{sum(counts['rejected'].values()):,} rejected"


def _reasons(rejected: Mapping[str, int], shown: int = 4) -> list[str]:
    """The most frequent reasons with their counts, the others summed."""
    rows = [(in_words(reason), n) for reason, n in rejected.items()]
    rest = sum(n for _, n in rows[shown:])
    rows = rows[:shown] + ([("other reasons", rest)] if rest else [])
    return [f"{n:,} {reason}" for reason, n in rows]


def _samples(counts: Mapping[str, Any]) -> dict[str, _Box]:
    """The samples, none of which share a patient: the middle row."""
    boxes = {
        "tuning": _sample(37, "Tuning", counts["samples"]["tuning"]),
        "holdout": _sample(11, "Held out", counts["samples"]["holdout"]),
    }
    sizes = trial_sizes(counts["samples"]) or [0]
    least, most = f"{min(sizes):,}", f"{max(sizes):,}"
    each = f"{counted(max(sizes), 'image')} each" if least == most else f"{least} to {most} images"
    number = len(sizes) if max(sizes) else 0
    trials = counted(number, "trial") if number else "No trials"
    return {**boxes, "trials": _Box(63, 51, 20, trials, [each])}


def _sample(x: float, title: str, images: int) -> _Box:
    return _Box(x, 51, 20, title, [counted(images, "image")])


def _results(counts: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, _Box]:
    """Results from the samples' tags: the lower rows."""
    ks = [int(k) for k in choice["grid"]]
    k = choice["k"]
    grid = f"K = {min(ks)} to {max(ks)}" if len(ks) > 1 else f"K = {k}"
    assigned = ["every image to its", f"nearest of {k} medoids"]
    return {
        "choice": _Box(24, 34, 34, f"Clusters, {k} chosen", [grid], TAGS),
        "annotations": _Box(24, 15, 34, f"{counts['images']:,} annotated", assigned, TAGS),
        "clusters": _Box(56, 34, 13, "Clusters", [f"K = {k}", "from tags"], TAGS),
    }


def _of_tree(counts: Mapping[str, Any], choice: Mapping[str, Any], labels: int) -> dict[str, _Box]:
    """As `_results`, of a tree."""
    kinds = len(choice["kinds"])
    clusters = f"{counted(choice['clusters'], 'cluster')} in {counted(kinds, 'kind')}"
    assigned = ["every image to its nearest medoid", "among those of its kind"]
    return {
        "choice": _Box(24, 34, 34, counted(labels, "label"), [f"of {clusters}"], TAGS),
        "annotations": _Box(24, 15, 34, f"{counts['images']:,} annotated", assigned, TAGS),
        "clusters": _Box(56, 34, 13, "Labels", ["from tags"], TAGS),
    }


def _looks(epochs: int) -> dict[str, _Box]:
    """Results from the samples' pixels, and the test."""
    training = [counted(epochs, "epoch"), "on pixels alone"] if epochs else ["not trained"]
    question = ["how near to their centre are images,", "and how near by chance?"]
    return {
        "network": _Box(89.5, 34, 18, "Autoencoder", training, PIXELS),
        "embeddings": _Box(71, 34, 13, "Embeddings", ["from pixels"], PIXELS),
        "test": _Box(63, 15, 36, "Paired test", question, INK),
    }


def _arrows(ax: Axes, boxes: Mapping[str, _Box]) -> None:
    for source, target in ALONG:
        if source in boxes and target in boxes:
            _sideways(ax, boxes[source], boxes[target])
    for source, target, place in DOWN:
        if source in boxes and target in boxes:
            x = boxes[place].x
            _arrow(ax, (x, boxes[source].bottom), (x, boxes[target].y))
    _branches(ax, boxes)


def _branches(ax: Axes, boxes: Mapping[str, _Box]) -> None:
    """Draw the samples' branches off a line to which images and columns lead."""
    ax.plot([boxes["holdout"].x, boxes["columns"].x], [BUS, BUS], color=MUTED, linewidth=1)
    for source in ("images", "columns"):
        box = boxes[source]
        ax.plot([box.x, box.x], [box.bottom, BUS], color=MUTED, linewidth=1)
    for sample in ("holdout", "tuning", "trials", "autoencoder"):
        if sample in boxes:
            _arrow(ax, (boxes[sample].x, BUS), (boxes[sample].x, boxes[sample].y))
    look: Any = {"color": MUTED, "ha": "center", "fontsize": SIZE - 1.5}
    ax.text(boxes["trials"].x, BUS + 1.4, "samples that share no patient", **look)


ALONG = (
    ("files", "images"),
    ("images", "tags"),
    ("tags", "columns"),
    ("choice", "clusters"),
    ("network", "embeddings"),
)
DOWN = (  # from, to, below the middle of
    ("files", "rejected", "files"),
    ("holdout", "choice", "holdout"),
    ("tuning", "choice", "tuning"),
    ("choice", "annotations", "choice"),
    ("autoencoder", "network", "network"),
    ("trials", "clusters", "clusters"),
    ("trials", "embeddings", "embeddings"),
    ("clusters", "test", "clusters"),
    ("embeddings", "test", "embeddings"),
)


def _sideways(ax: Axes, source: _Box, target: _Box) -> None:
    """Draw an arrow between the facing sides of two boxes."""
    side = 1 if target.x > source.x else -1
    y = min(source.y, target.y) - 3.6
    start = source.x + side * source.width / 2
    _arrow(ax, (start, y), (target.x - side * target.width / 2, y))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = "-|>,head_length=0.35,head_width=0.16"
    look: Any = {"arrowstyle": style, "color": MUTED, "linewidth": 1, "shrinkA": 0, "shrinkB": 1}
    ax.annotate("", xy=end, xytext=start, arrowprops=look)


def _draw(ax: Axes, box: _Box) -> None:
    """Draw a box: a heading in its colour, lines under it."""
    look: Any = {"boxstyle": "round,pad=0,rounding_size=0.9", "linewidth": 1.2}
    place = (box.x - box.width / 2, box.bottom), box.width, box.height
    ax.add_patch(FancyBboxPatch(*place, facecolor=PAPER, edgecolor=box.colour, **look))
    middle: Any = {"ha": "center", "va": "center"}
    head = INK if box.colour == MUTED else box.colour
    bold: Any = {"color": head, "fontweight": "bold", "fontsize": SIZE}
    ax.text(box.x, box.y - 2.4, box.title, **bold, **middle)
    for number, line in enumerate(box.lines):
        y = box.y - 5.2 - LINE_HEIGHT * number
        ax.text(box.x, y, line, color=MUTED, fontsize=SIZE - 1.5, **middle)
