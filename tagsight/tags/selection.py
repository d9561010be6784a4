"""Which tags are kept as features, and why each other one is not (the paper's §2.2)."""

import difflib
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.dicom.privacy import is_free_text
from tagsight.errors import ConfigError, DataError
from tagsight.tags import parsers, ranking

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
    "nearly redundant",
    "beyond the module's count",
    "beyond the count",
    "kept",
)
NEARLY = 0.9  # symmetric uncertainty with a kept tag above which a tag is nearly redundant
UNREADABLE_VRS = frozenset(["", "OB", "OD", "OF", "OL", "OV", "OW", "UN"])


def selection(
    frequencies: pl.DataFrame,
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    *,
    method: Literal["missing", "entropy", "laplacian"],
    count: int,
    max_missing: float,
    max_categories: int,
    image_level: bool,
    per_module: int | None,
    drop: Sequence[str],
    seed: int | None = None,
) -> pl.DataFrame:
    """Return the fate of each tag, and why.

    frequencies: see `frequencies`; tags: all shards; body_parts: the table of spellings; seed: of
    the sample that methods other than `missing` look at, which alone look into tags.

    Returns keyword, fate (`kept`, `dropped`), reason (one of REASONS), same_as, score; sorted by
    missing share, then tag. The first reason in the order of REASONS stands. A tag that divides the
    images exactly as an earlier one does is redundant; `same_as` names that one. Tags whose missing
    share is above max_missing, that have more categories than max_categories (unless their parser
    has a long tail of spellings, as those of body parts and makers), or that vary within a series
    (unless image_level) are dropped.

    Of all others the first `count` are kept, at most per_module of one DICOM module (tags of no
    module count as one): by method `missing` in this order, by other methods in falling order of
    their score (see `ranking`), without those that nearly repeat a kept one (`same_as` names it).

    Raises ConfigError for a `drop` that is no DICOM keyword, DataError where nothing is kept.
    """
    check_drop(drop, frequencies["keyword"].to_list())
    ordered = frequencies.sort("missing_share", "tag", "keyword")
    judged = ordered.select(
        "keyword",
        "module",
        "fingerprint",
        reason=pl.coalesce(
            _when(pl.col("keyword").is_in(list(drop)), "left out by config"),
            *_content(max_categories),
            *([] if image_level else [_when(pl.col("level") == "image", "image-level")]),
            _when(pl.col("missing_share") > max_missing, "too often missing"),
        ),
    )
    judged = _same(judged)
    candidates = judged.filter(pl.col("reason").is_null())["keyword"].to_list()
    if method == "missing":
        ranked = _unranked(candidates)
    elif seed is None:
        raise ValueError(f"{method} draws a sample: it needs a seed")
    else:
        ranked = ranking.rank(method, tags, frequencies, candidates, body_parts, seed)
    result = _cut(judged, ranked, count, per_module)
    if not (result["reason"] == "kept").any():
        raise DataError("no tag is left to compare images by: see select in the config")
    return result


def check_drop(drop: Sequence[str], present: Sequence[str]) -> None:
    """Warn of keywords that the archive doesn't have.

    Raises ConfigError for one that is no DICOM keyword.
    """
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
    """Reasons in the content of a tag."""
    numeric_vr = pl.col("vr").is_in([*parsers.NUMBER_VRS, "AS"])
    many = (pl.col("categories") > max_categories) & ~pl.col("keyword").is_in(parsers.long_tailed())
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
    """Among tags without a reason to drop, those that divide the images as an earlier one does."""
    open_ = pl.col("reason").is_null()
    first = judged.filter(open_).unique("fingerprint", keep="first", maintain_order=True)
    named = first.select("fingerprint", same_as="keyword")
    joined = judged.join(named, on="fingerprint", how="left", maintain_order="left")
    again = open_ & (pl.col("same_as") != pl.col("keyword"))
    return joined.with_columns(
        reason=pl.when(again).then(pl.lit("redundant")).otherwise("reason"),
        same_as=pl.when(again).then("same_as"),
    )


def _unranked(keywords: list[str]) -> ranking.Ranking:
    n = len(keywords)
    return ranking.Ranking(keywords, np.full(n, np.nan), np.zeros((n, n)))


def _cut(
    judged: pl.DataFrame, ranked: ranking.Ranking, count: int, per_module: int | None
) -> pl.DataFrame:
    """The ranked tags with their reason, and all tags with their fate."""
    modules = dict(judged.select("keyword", "module").iter_rows())
    rows = _taken(ranked, [modules[keyword] for keyword in ranked.keywords], count, per_module)
    schema = {"keyword": pl.String, "given": pl.String, "likest": pl.String, "score": pl.Float64}
    given = pl.DataFrame(rows, schema, orient="row")
    joined = judged.join(given, on="keyword", how="left", maintain_order="left")
    reason = pl.coalesce("reason", "given")
    fate = pl.when(reason == "kept").then(pl.lit("kept")).otherwise(pl.lit("dropped"))
    same_as = pl.coalesce("same_as", "likest")
    score = pl.col("score").fill_nan(None)
    return joined.select("keyword", fate=fate, reason=reason, same_as=same_as, score=score)


def _taken(
    ranked: ranking.Ranking, modules: Sequence[str], count: int, per_module: int | None
) -> list[tuple[str, str, str | None, float]]:
    """Keyword, reason, the kept tag that it nearly repeats, score: the best first, greedily."""
    taken: list[int] = []
    filled: Counter[str] = Counter()
    rows = []
    for i in np.argsort(-ranked.score, kind="stable").tolist():
        likest = _likest(ranked, i, taken)
        if likest is not None:
            reason = "nearly redundant"
        elif per_module is not None and filled[modules[i]] >= per_module:
            reason = "beyond the module's count"
        else:
            reason = "kept" if len(taken) < count else "beyond the count"
        if reason == "kept":
            taken.append(i)
            filled[modules[i]] += 1
        rows.append((ranked.keywords[i], reason, likest, float(ranked.score[i])))
    return rows


def _likest(ranked: ranking.Ranking, i: int, taken: list[int]) -> str | None:
    """The kept tag that this one nearly repeats, if there is one."""
    if not taken or ranked.repeats[i, taken].max() < NEARLY:
        return None
    return ranked.keywords[taken[int(ranked.repeats[i, taken].argmax())]]
