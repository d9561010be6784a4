"""Which tags are kept as features, and why each other one is not (the paper's §2.2)."""

import difflib
import logging
from collections.abc import Sequence

import polars as pl

from tagsight.dictionary import attribute, is_free_text
from tagsight.errors import ConfigError, DataError
from tagsight.parsers import BY_KEYWORD, NUMBER_VRS

log = logging.getLogger(__name__)

REASONS = (
    "left out by config",
    "identifying",
    "free text",
    "unparsable",
    "constant",
    "unique",
    "image-level",
    "too often missing",
    "redundant",
    "beyond the count",
    "kept",
)
UNREADABLE_VRS = frozenset(["", "OB", "OD", "OF", "OL", "OV", "OW", "UN"])


def selection(
    frequencies: pl.DataFrame,
    *,
    count: int,
    max_missing: float,
    max_categories: int,
    image_level: bool,
    drop: Sequence[str],
) -> pl.DataFrame:
    """Return keyword, fate (`kept`, `dropped`), reason (one of REASONS), same_as.

    Sorted by missing share, then tag; the first `count` that nothing speaks against are kept. The
    first reason in the order of REASONS stands. A tag that divides the images exactly as an
    earlier one does is redundant; `same_as` names that one. Tags whose missing share is above
    max_missing, that have more categories than max_categories (body parts and makers excepted:
    their long tail is spelling), or that vary within a series (unless image_level) are dropped.

    Raises ConfigError for a `drop` that is no DICOM keyword, DataError where nothing is kept.
    """
    check_drop(drop, frequencies["keyword"].to_list())
    ordered = frequencies.sort("missing_share", "tag", "keyword")
    judged = ordered.select(
        "keyword",
        "fingerprint",
        reason=pl.coalesce(
            _when(pl.col("keyword").is_in(list(drop)), "left out by config"),
            *_content(max_categories),
            *([] if image_level else [_when(pl.col("level") == "image", "image-level")]),
            _when(pl.col("missing_share") > max_missing, "too often missing"),
        ),
    )
    result = _cut(_same(judged), count)
    if not (result["reason"] == "kept").any():
        raise DataError("no tag is left to compare images by: see select in the config")
    return result


def check_drop(drop: Sequence[str], present: Sequence[str]) -> None:
    """Warn of keywords that the archive doesn't have; raise ConfigError for misspelt ones."""
    for keyword in drop:
        if keyword in present:
            continue
        if not attribute(keyword).tag:
            near = difflib.get_close_matches(keyword, present, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"select.drop: {keyword} is no DICOM keyword{hint}")
        log.warning("select.drop: no image of this archive has %s", keyword)


def _when(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(reason))


def _content(max_categories: int) -> list[pl.Expr]:
    """Reasons that lie in what a tag holds."""
    numeric_vr = pl.col("vr").is_in([*sorted(NUMBER_VRS), "AS"])
    many = (pl.col("categories") > max_categories) & ~pl.col("keyword").is_in(list(BY_KEYWORD))
    once = (pl.col("distinct") == pl.col("present")) & (pl.col("present") > 1)
    is_text = pl.col("inferred") == "text"
    described = pl.col("keyword").map_elements(is_free_text, return_dtype=pl.Boolean)
    unique = once & (pl.col("inferred") != "numeric")
    return [
        _when(described, "free text"),
        _when(pl.col("inferred") == "identifying", "identifying"),
        _when(pl.col("vr").is_in(sorted(UNREADABLE_VRS)) | (is_text & numeric_vr), "unparsable"),
        _when(is_text | (many & ~unique), "free text"),
        _when(pl.col("distinct") <= 1, "constant"),
        _when(unique, "unique"),
    ]


def _same(judged: pl.DataFrame) -> pl.DataFrame:
    """Among tags that nothing speaks against, find those that divide the images as a former one."""
    open_ = pl.col("reason").is_null()
    first = judged.filter(open_).unique("fingerprint", keep="first", maintain_order=True)
    named = first.select("fingerprint", same_as="keyword")
    joined = judged.join(named, on="fingerprint", how="left", maintain_order="left")
    again = open_ & (pl.col("same_as") != pl.col("keyword"))
    return joined.with_columns(
        reason=pl.when(again).then(pl.lit("redundant")).otherwise("reason"),
        same_as=pl.when(again).then("same_as"),
    )


def _cut(judged: pl.DataFrame, count: int) -> pl.DataFrame:
    """Keep the first `count` of those that nothing speaks against."""
    open_ = pl.col("reason").is_null()
    kept = open_ & (open_.cum_sum() <= count)
    reason = pl.coalesce("reason", pl.when(kept).then(pl.lit("kept")), pl.lit("beyond the count"))
    fate = pl.when(kept).then(pl.lit("kept")).otherwise(pl.lit("dropped"))
    return judged.select("keyword", fate=fate, reason=reason, same_as="same_as")
