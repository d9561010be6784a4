"""Facts of each tag of an archive: presence, distinct values, level, type (the paper's §2.2).

Each tag is read by itself, in a streaming query over all shards, so that memory grows with the
distinct values of a tag, not with the archive. All counts are sums of integers: the order of the
shards makes no difference.
"""

from collections.abc import Collection

import numpy as np
import polars as pl

from tagsight.arrays import UInt64s
from tagsight.dicom.dictionary import attribute
from tagsight.dicom.privacy import is_for_display_only, is_identifying
from tagsight.errors import DataError
from tagsight.rejections import HARMLESS
from tagsight.run.tables import BOOKKEEPING, counted_person, present
from tagsight.tags import parsers
from tagsight.tags.quantities import without_uncalibrated

SAME_VALUE_SHARE = 0.95  # of the groups of a level, for the tag to be one of that level
KEPT = ("PatientAge", "PatientSex", "PatientSize", "PatientWeight")  # as config's privacy.keep
LEVELS = ("patient", "study", "series")  # coarsest first
MOST_TOP_VALUES = 5
LONGEST_TOP_VALUE = 40
READABLE_SHARE = 0.5  # of a numeric tag's values, below which it counts as text
MOST_PARSED = 100_000  # of a tag's values, the commonest first: enough to tell its type
HALF = 2**32  # a 64-bit hash is summed in two halves: no sum can overflow
SCHEMA = {
    "keyword": pl.String,
    "tag": pl.String,
    "vr": pl.String,
    "module": pl.String,
    "present": pl.Int64,
    "missing_share": pl.Float64,
    "distinct": pl.Int64,
    "categories": pl.Int64,
    "level": pl.String,
    "inferred": pl.String,
    "top_values": pl.String,
    "fingerprint": pl.String,
    "presence": pl.String,
}

Row = dict[str, str | int | float | None]


def keywords_of(tags: pl.LazyFrame) -> list[str]:
    """Return the columns of a table of tags that are DICOM keywords, or derived from one."""
    return [name for name in tags.collect_schema().names() if name not in BOOKKEEPING]


def frequencies(
    tags: pl.LazyFrame, min_patients: int = 3, keep: Collection[str] = KEPT
) -> pl.DataFrame:
    """Return a row per keyword of the archive, sorted by missing share, then tag.

    tags: all shards, text columns; `withheld` names the keywords withheld of an image, joined by
    `\\`; min_patients: values of fewer patients are not shown in `top_values` (of whom see
    `counted_person`), nor is text; keep: identifying keywords to treat as any other.

    Returns keyword, tag, vr, module; present (images); missing_share (null and "" are missing);
    distinct (values as stored); categories (after parsing, the most of any item; null unless
    categorical); level (the coarsest of patient, study, series at which 95 % of the groups with
    two images or more show one value, else `image`; `unknown` where no series has two, as in a
    table of series); inferred (`numeric`, `categorical`, `date`, `text`, `identifying`);
    top_values; fingerprint (equal for tags that divide the images alike) and presence (equal for
    tags filled in the same images).
    """
    tags = without_uncalibrated(tags)
    images = tags.select(pl.len()).collect(engine="streaming").item()
    columns = keywords_of(tags)
    rows = [_row(tags, keyword, images, keep, min_patients) for keyword in columns]
    hidden = _withheld(tags).filter(~pl.col("keyword").is_in(columns))
    rows += [_withheld_row(keyword, n, images) for keyword, n in hidden.iter_rows()]
    table = pl.DataFrame(rows, schema=SCHEMA).sort("missing_share", "tag", "keyword")
    if _series_repeat(tags):
        return table
    return table.with_columns(pl.col("level").replace("image", "unknown"))


def _series_repeat(tags: pl.LazyFrame) -> bool:
    """Whether any series has two images; otherwise how images of a series differ is unknown."""
    series = pl.col("series").drop_nulls()
    counts = tags.select(images=series.len(), series=series.n_unique())
    images, distinct = counts.collect(engine="streaming").row(0)
    return bool(images > distinct)


def _row(
    tags: pl.LazyFrame, keyword: str, images: int, keep: Collection[str], min_patients: int
) -> Row:
    filled = tags.filter(present(keyword))
    values = _values(filled, keyword)
    common = values.head(MOST_PARSED)
    inferred = _inferred(keyword, common, keep)
    showable = inferred not in ("identifying", "text")
    return {
        **standard(keyword),
        **_filled(int(values["n"].sum()), images),
        "distinct": len(values),
        "categories": _categories(keyword, common) if inferred == "categorical" else None,
        "level": _level(filled, keyword),
        "inferred": inferred,
        "top_values": _top_values(filled, keyword, values, min_patients) if showable else None,
        "fingerprint": fingerprint(values),
        "presence": fingerprint(values.select(pl.col("n", "low", "high").sum())),
    }


def standard(keyword: str) -> Row:
    """Return what the standard says of a tag: `keyword`, `tag`, `vr`, `module`."""
    entry = attribute(keyword)
    return {"keyword": keyword, "tag": entry.tag, "vr": entry.vr, "module": entry.module}


def _filled(present: int, images: int) -> Row:
    return {"present": present, "missing_share": 1 - present / images if images else 1.0}


def _withheld_row(keyword: str, filled: int, images: int) -> Row:
    return {**standard(keyword), **_filled(filled, images), "inferred": "identifying"}


def _withheld(tags: pl.LazyFrame) -> pl.DataFrame:
    """The withheld keywords: `keyword`, and `n`, in how many images."""
    if "withheld" not in tags.collect_schema():
        return pl.DataFrame(schema={"keyword": pl.String, "n": pl.UInt32})
    keywords = pl.col("withheld").str.split("\\").list.unique()
    withheld = tags.select(keyword=keywords).explode("keyword")
    counts = withheld.filter(present("keyword")).group_by("keyword").agg(n=pl.len())
    return counts.collect(engine="streaming").sort("keyword")


def _values(filled: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """Distinct values; of the images with each: `n`, and `low`, `high`, sums of their hashes."""
    image = pl.col("image").hash()
    tally = filled.group_by(value=pl.col(keyword)).agg(
        n=pl.len().cast(pl.Int64),
        low=(image % HALF).cast(pl.Int64).sum(),
        high=(image // HALF).cast(pl.Int64).sum(),
    )
    return tally.collect(engine="streaming").sort(["n", "value"], descending=[True, False])


def fingerprint(values: pl.DataFrame) -> str:
    """Return the hash of a partition of images, whatever the names of its classes.

    values: `n`, `low`, `high` of each class: its images, and sums of halves of their hashes.
    A class is hashed by the sum of its images' hashes, the partition by the sum of its classes'.
    """
    if not values["n"].sum():
        return ""
    classes = values.select("n", "low", "high").to_numpy().astype(np.uint64)  # (classes, 3)
    mixed = np.full(len(classes), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for part in classes.T:
        mixed = _mix(mixed ^ part)
    return f"{int(mixed.sum(dtype=np.uint64)):016x}"


def _mix(x: UInt64s) -> UInt64s:
    """The finalizer of splitmix64 (Steele, Lea & Flood 2014); wraps modulo 2^64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _inferred(keyword: str, values: pl.DataFrame, keep: Collection[str]) -> str:
    vr = attribute(keyword).vr
    if is_identifying(keyword, keep):
        return "identifying"
    if vr in parsers.TEXT_VRS or is_for_display_only(keyword):
        return "text"
    kind = parsers.parser_of(keyword, vr).kind
    if kind == "numeric" and _readable_share(keyword, vr, values) < READABLE_SHARE:
        return "text"
    return kind


def _readable_share(keyword: str, vr: str, values: pl.DataFrame) -> float:
    """Share of the images with a value whose first item, codes of missing aside, is a number."""
    first = parsers.parse(keyword, vr, values["value"], items=1)[keyword]
    coded = parsers.is_code(keyword, vr, values["value"])
    meant = int(values.filter(~coded)["n"].sum())
    return int(values.filter(first.is_not_null())["n"].sum()) / meant if meant else 1.0


def _categories(keyword: str, values: pl.DataFrame) -> int:
    vr = attribute(keyword).vr
    items = parsers.item_count(values["value"], values["n"])
    parsed = parsers.parse(keyword, vr, values["value"], items=items)
    return max((column.drop_nulls().n_unique() for column in parsed), default=0)


def _level(filled: pl.LazyFrame, keyword: str) -> str:
    """The coarsest level at which groups of two images or more show one value."""
    value = pl.col(keyword).hash()
    groups = (
        filled.group_by(series=pl.coalesce("series", "image"))
        .agg(
            pl.col("patient", "study").min(),
            known=pl.col("series").is_not_null().all(),
            n=pl.len(),
            least=value.min(),
            most=value.max(),
        )
        .collect(engine="streaming")
    )
    shares = [_share_of_one_value(groups, level) for level in LEVELS]
    if all(share is None for share in shares):
        return "unknown"
    constant = (x for x, s in zip(LEVELS, shares, strict=True) if (s or 0) >= SAME_VALUE_SHARE)
    return next(constant, "image")


def _share_of_one_value(series: pl.DataFrame, level: str) -> float | None:
    rows = series.filter(pl.col("known") if level == "series" else pl.col(level).is_not_null())
    groups = rows.group_by(level).agg(
        pl.col("n").sum(), pl.col("least").min(), pl.col("most").max()
    )
    repeated = groups.filter(pl.col("n") > 1)
    if not len(repeated):
        return None
    return int((repeated["least"] == repeated["most"]).sum()) / len(repeated)


def _top_values(
    filled: pl.LazyFrame, keyword: str, values: pl.DataFrame, min_patients: int
) -> str | None:
    """The most frequent values of enough patients, with counts: `CT (812) · MR (40)`."""
    top = values.head(MOST_TOP_VALUES)
    people = (
        filled.filter(pl.col(keyword).is_in(top["value"].to_list()))
        .group_by(value=pl.col(keyword))
        .agg(people=counted_person().n_unique())
        .collect(engine="streaming")
    )
    shown = top.join(people, on="value", maintain_order="left").filter(
        pl.col("people") >= min_patients
    )
    texts = [f"{v[:LONGEST_TOP_VALUE]} ({n})" for v, n in shown.select("value", "n").iter_rows()]
    return " · ".join(texts) or None


def check_reject_limit(rejected: pl.DataFrame, n_files: int, limit: float) -> None:
    """Stop a run on an archive with too many files that are not images.

    rejected: `reason` of each rejected file; n_files: the number of files read in all.
    What is in order and no image (an index of a medium, the other half of a Mac's file) counts
    neither way.
    Raises DataError where more than the fraction `limit` of the files was rejected.
    """
    counted = rejected.filter(~pl.col("reason").is_in(HARMLESS))
    rejected, n_files = counted, n_files - (len(rejected) - len(counted))
    if len(rejected) > limit * n_files:
        counts = rejected["reason"].value_counts(sort=True).sort("count", "reason", descending=True)
        why = ", ".join(f"{reason} {count:,}" for reason, count in counts.rows()[:4])
        raise DataError(
            f"tags.reject_limit: {len(rejected):,} of {n_files:,} files are not images that can be "
            f"read ({why}), more than the {limit:.0%} allowed; see results/rejected, or raise the "
            "limit"
        )
