"""Identifiers as they are, read again from the archive: for those on site, who may see them.

The run holds hashes of them alone. What is read again counts only where it has these hashes, so
that a file that has changed or gone since has no identifiers rather than another image's.
"""

from functools import partial
from pathlib import Path

import polars as pl

from tagsight.archive.expanding import expand
from tagsight.dicom.header_texts import one_vr
from tagsight.dicom.part10 import ParsedFile, open_header
from tagsight.dicom.privacy import identifier_hash
from tagsight.dicom.values import text_of
from tagsight.reading.column_privacy import map_distinct
from tagsight.reading.ready_table import Layout, open_table, stored_column
from tagsight.rejections import Rejection
from tagsight.run.processes import map_supervised
from tagsight.run.progress import ProgressCounter
from tagsight.run.tables import FILES

# DICOM keyword -> tag, and the column of results/tags that has its hash.
UIDS = {
    "SOPInstanceUID": (0x00080018, "instance"),
    "SeriesInstanceUID": (0x0020000E, "series"),
    "StudyInstanceUID": (0x0020000D, "study"),
}
HASHES = [column for _, column in UIDS.values()]
SECONDS = 20.0  # for one file
MEMORY = 2 * 2**30  # bytes, beyond what a process has at its start

Uids = tuple[str | None, ...]  # in the order of UIDS


def file_uids(
    images: pl.DataFrame, key: bytes, processes: int, progress: ProgressCounter
) -> pl.DataFrame:
    """Return the UIDs of images, read from the heads of their files.

    images: `path` and HASHES, as in results/tags; key: of the hashes; processes: how many read at a
    time; progress: counts images.
    Returns the columns of UIDS, in the order of `images`: all null where the file cannot be read,
    or where one of them has not the hash that the image has.
    """
    hashes = images.select(HASHES).rows()
    found: list[Uids] = [(None,) * len(UIDS)] * len(images)
    order = _reading_order(images["path"])
    for place, uids in map_supervised(
        _uids, images["path"].gather(order).to_list(), processes, SECONDS, MEMORY
    ):
        row = order[place]
        if isinstance(uids, tuple) and _hashes(uids, key) == hashes[row]:
            found[row] = uids
        progress.add(1)
    return pl.DataFrame(found, schema=dict.fromkeys(UIDS, pl.String), orient="row")


def table_ids(place: Path, column: str, key: bytes) -> pl.DataFrame:
    """Return the rows' identifiers in a column of a ready table, as they are.

    Returns `image`, the hash that results/tags has, and `id`. A value that several rows have is
    left out: it tells nothing apart.
    Raises ArchiveError where the table cannot be read, or has no such column.
    """
    table = open_table(place, Layout({"image": column}, ()))
    images = map_distinct(table.rows.collect()[column], partial(identifier_hash, key))
    rows = pl.DataFrame({"image": images, "id": stored_column(table, column)})
    return rows.drop_nulls("image").unique("image", keep="none", maintain_order=True)


def _reading_order(paths: pl.Series) -> list[int]:
    """Rows in an order in which each container is gone through once, from its start to its end."""
    rows = pl.DataFrame({"path": paths}).with_row_index("row")
    container = pl.col("path").str.extract(r"^([^!]*)!")
    containers = rows.select(path=container).drop_nulls().unique(maintain_order=True)
    nulls = [pl.lit(None, dtype).alias(name) for name, dtype in FILES.items() if name != "path"]
    members, _ = expand(containers.with_columns(nulls), every=True)
    places = members.select("path").with_row_index("place")
    ordered = rows.join(places, on="path", how="left", maintain_order="left")
    return ordered.sort("place", nulls_last=False, maintain_order=True)["row"].to_list()


def _uids(path: str) -> Uids | None:
    try:
        with open_header(path) as parsed:
            return tuple(_uid(parsed, tag) for tag, _ in UIDS.values())
    except Rejection:
        return None


def _uid(parsed: ParsedFile, tag: int) -> str | None:
    """The text of a UID, as `header_texts.gather` has it."""
    element = parsed.elements.get(tag)
    if element is None:
        return None
    vr = one_vr(element.vr, "UI", signed=False)
    data = parsed.window.value(element)
    return text_of(vr, data, parsed.encodings, element.encoding.little) or None


def _hashes(uids: Uids, key: bytes) -> Uids:
    return tuple(identifier_hash(key, uid) for uid in uids)
