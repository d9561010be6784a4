"""Figures of images themselves: the gallery of clusters, and reconstructions beside originals.

Grey on black, as radiologists look at images, whatever the page's colours.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from PIL import Image, ImageDraw, ImageFont

from tagsight.arrays import UInt8s
from tagsight.run.plain_text import counted, short
from tagsight.run.tables import counted_person

SIDE, MARGIN, LABEL = 128, 4, 300  # pixels
LONGEST_WORD = 24  # letters that fit into LABEL
MOST_PICTURES = 400  # so that the page stays small
MARK = (230, 159, 0)  # frame of a medoid: Okabe & Ito's orange
TEXT, FAINT = (232, 238, 241), (139, 152, 160)


@dataclass(frozen=True)
class GalleryRow:
    """The pictures of a cluster in the gallery, as rows of the images; None for no picture.

    held_back: how many of its images are not shown because they may have burned-in text;
    medoid_held_back: whether the medoid is one of them; medoid_elsewhere: whether it is not in the
    sample whose pictures these are; of_few: whether none is shown because too few patients have
    images in the cluster.
    """

    cluster: int
    size: int
    medoid: int | None
    members: list[int] = field(default_factory=list)
    held_back: int = 0
    medoid_held_back: bool = False
    medoid_elsewhere: bool = False
    of_few: bool = False


@dataclass(frozen=True)
class Tiles:
    """Pictures of a cluster as JPEG: its medoid, if shown, and members; else as GalleryRow."""

    medoid: bytes | None
    members: Sequence[bytes]
    held_back: int = 0
    medoid_held_back: bool = False
    medoid_elsewhere: bool = False
    of_few: bool = False


def picks(
    clusters: pl.DataFrame,
    fates: pl.DataFrame,
    count: int,
    seed: int,
    burned_in: bool,
    min_patients: int,
) -> list[GalleryRow]:
    """Choose for each cluster its medoid and `count` other members at random.

    clusters: `image`, `cluster` (0, in none, is not shown), `medoid` of a sample at one K; fates:
    `image`, `patient`, `reason` (null = drawn) and `burned_in` (null = no) in the order of the
    sample's pictures. Only images that could be drawn are shown; those that may carry burned-in
    text only if `burned_in`; none of a cluster in which those are of fewer than `min_patients`
    patients; of many clusters the largest, see `shown_clusters`. A medoid outside the sample is
    not marked.
    """
    showable = pl.lit(burned_in) | pl.col("burned_in").is_null()
    rows = fates.with_row_index("row").join(clusters, on="image", maintain_order="left")
    rows = rows.filter(pl.col("cluster") > 0)
    shown = []
    for part in rows.sort("cluster", "row").partition_by("cluster", maintain_order=True):
        cluster = int(part["cluster"][0])
        drawn = part.filter(pl.col("reason").is_null())
        showable_rows = drawn.filter(showable)
        counted_rows = part if showable_rows.is_empty() else showable_rows
        if counted_rows.select(counted_person().n_unique()).item() < min_patients:
            shown.append(GalleryRow(cluster, len(part), None, of_few=True))
            continue
        medoid = showable_rows.filter("medoid")["row"].to_list()
        others = showable_rows.filter(~pl.col("medoid"))["row"].to_numpy()
        order = np.random.default_rng([seed, cluster]).permutation(len(others))[:count]
        members = [int(row) for row in others[order]]
        held_back = drawn.filter(~showable)["medoid"]
        first = medoid[0] if medoid else None
        counts = len(held_back), bool(held_back.any())
        elsewhere = not part["medoid"].any()
        shown.append(GalleryRow(cluster, len(part), first, members, *counts, elsewhere))
    return shown[: shown_clusters(len(shown), count)]


def gallery(images: UInt8s, shown: Sequence[GalleryRow], names: Sequence[str]) -> bytes:
    """Return the gallery as PNG: one row per cluster, with name and size, the medoid framed.

    images: uint8 (n, 128, 128); names: of cluster 1, 2, ….
    """
    step = SIDE + 2 * MARGIN
    columns = 1 + max((len(each.members) for each in shown), default=0)
    sheet = Image.new("RGB", (LABEL + columns * step, max(len(shown), 1) * step))
    pen = ImageDraw.Draw(sheet)
    for row, each in enumerate(shown):
        top = row * step
        below = [f"{each.cluster} · {counted(each.size, 'image')}"]
        below += [f"{each.held_back:,} may carry text: not shown"] if each.held_back else []
        below += ["of few patients: not shown"] if each.of_few else []
        _label(pen, top, names[each.cluster - 1], below)
        for column, image in enumerate([each.medoid, *each.members]):
            if image is not None:
                corner = (LABEL + column * step + MARGIN, top + MARGIN)
                sheet.paste(Image.fromarray(images[image]), corner)
        edge = (LABEL + 1, top + 1, LABEL + step - 2, top + step - 2)
        pen.rectangle(edge, outline=MARK, width=2)
    return _png(sheet)


def _label(pen: ImageDraw.ImageDraw, top: int, name: str, below: Sequence[str]) -> None:
    font = ImageFont.load_default(17)
    lines = _wrapped(pen, name, font)
    y = top + (SIDE - 22 * (len(lines) + len(below))) // 2
    for line in lines:
        pen.text((12, y), line, fill=TEXT, font=font)
        y += 22
    pen.text((12, y), "\n".join(below), fill=FAINT, font=ImageFont.load_default(15))


def _wrapped(
    pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> list[str]:
    """The text as lines that fit beside the pictures."""
    lines = [""]
    for word in (short(word, LONGEST_WORD) for word in text.split()):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer, font) > LABEL - 24:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:4]


def examples(shown: Sequence[GalleryRow], count: int = 8) -> list[int]:
    """Return an image of each of the largest clusters: its medoid where shown, else a member."""
    rows = [[row for row in (each.medoid, *each.members) if row is not None] for each in shown]
    return [drawn[0] for drawn in rows if drawn][:count]


def reconstructions(originals: UInt8s, reconstructed: UInt8s) -> bytes:
    """Return a PNG of two rows, originals above reconstructions.

    originals, reconstructed: uint8 (n, 128, 128). Without originals it is a black strip.
    """
    step = SIDE + 2 * MARGIN
    sheet = np.zeros((2 * step, max(len(originals), 1) * step), np.uint8)
    for row, images in enumerate((originals, reconstructed)):
        for column, image in enumerate(images):
            y, x = row * step + MARGIN, column * step + MARGIN
            sheet[y : y + SIDE, x : x + SIDE] = image
    return _png(Image.fromarray(sheet))


def tiles(images: UInt8s, shown: Sequence[GalleryRow]) -> dict[int, Tiles]:
    """Return the pictures of each cluster shown, by cluster; images: uint8 (n, 128, 128)."""
    return {
        each.cluster: Tiles(
            None if each.medoid is None else _jpeg(images[each.medoid]),
            [_jpeg(images[row]) for row in each.members],
            each.held_back,
            each.medoid_held_back,
            each.medoid_elsewhere,
            each.of_few,
        )
        for each in shown
    }


def shown_clusters(clusters: int, members: int) -> int:
    """Return how many of the largest clusters are shown, with MOST_PICTURES pictures in all."""
    return min(clusters, max(1, MOST_PICTURES // (members + 1)))


def members_each(groups: int, count: int) -> int:
    """Return how many members every group can show, `count` at most and 1 at least."""
    return max(1, min(count, MOST_PICTURES // max(groups, 1) - 1))


def _jpeg(image: UInt8s) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=82, optimize=True)
    return buffer.getvalue()


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
