"""Which tags are kept as features, and why each other one is not (the paper's §2.2)."""

import difflib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl

from tagsight.dicom.dictionary import WORDS, attribute
from tagsight.dicom.privacy import is_free_text
from tagsight.errors import ConfigError
from tagsight.tags import fitting, parsers, ranking

log = logging.getLogger(__name__)

REASONS = (
    "left out by config",
    "closed words",
    "identifying",
    "free text",
    "unparsable",
    "not content",
    "in words",
    "constant",
    "unique",
    "image-level",
    "too often missing",
    "redundant",
    "nearly redundant",
    "beyond the module's count",
    "beyond the count",
    "in no picture",
    "kept",
)
NEARLY = 0.9  # symmetric uncertainty with a kept tag above which a tag is nearly redundant
Method = Literal["missing"] | ranking.Method
UNREADABLE_VRS = frozenset(["", "OB", "OD", "OF", "OL", "OV", "OW", "UN"])


def selection(
    frequencies: pl.DataFrame,
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    *,
    method: Method,
    count: int,
    max_missing: float,
    max_categories: int,
    image_level: bool,
    per_module: int | None,
    drop: Sequence[str],
    seed: int | None = None,
) -> pl.DataFrame:
    """Return the fate of each tag, and why, as `fates` does.

    Raises ConfigError for a `drop` that is no DICOM keyword, DataError where nothing is kept by the
    config.
    """
    check_drop(drop, frequencies["keyword"].to_list())
    result = fates(
        frequencies,
        tags,
        body_parts,
        method=method,
        count=count,
        max_missing=max_missing,
        max_categories=max_categories,
        image_level=image_level,
        per_module=per_module,
        drop=drop,
        seed=seed,
    )
    if not (result["reason"] == "kept").any():
        fitting.require_tags(result)
    return result


def fates(
    frequencies: pl.DataFrame,
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    *,
    method: Method,
    count: int,
    max_missing: float,
    max_categories: int,
    image_level: bool,
    per_module: int | None,
    drop: Sequence[str],
    seed: int | None = None,
    unwanted: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return the fate of each tag, and why.

    frequencies: of `frequencies.frequencies`, or of one kind of images; tags: the images that it is
    of; body_parts: the table of spellings; seed: of the sample that methods other than `missing`
    draw from `tags`; unwanted: keyword → one of REASONS, for tags that are dropped for what they
    are.

    Returns keyword, fate (`kept`, `dropped`), reason (one of REASONS), same_as, score; sorted by
    missing share, then tag. The first reason in the order of REASONS counts. A tag that divides the
    images exactly as an earlier one does is redundant; `same_as` names the earlier one. Words of
    technique are no tags: facets are made of them (`closed words`). Tags are dropped whose missing
    share is above max_missing, that have more categories than max_categories (unless their parser
    has a long tail of spellings, as of body parts and makers), or that vary within a series (unless
    image_level).

    Of all others the first `count` are kept, at most per_module of one DICOM module (tags without a
    module count as one module): by method `missing` in this order, by other methods in falling
    order of score (see `ranking`), without those that nearly repeat a kept one (`same_as` names
    it).
    """
    ordered = frequencies.sort("missing_share", "tag", "keyword")
    reasons = ordered.select(
        "keyword",
        "module",
        "fingerprint",
        reason=pl.coalesce(
            _when(pl.col("keyword").is_in(list(drop)), "left out by config"),
            _when(pl.col("keyword").is_in(list(WORDS)), "closed words"),
            *_text(max_categories),
            *_unwanted(unwanted or {}),
            *_values(),
            *([] if image_level else [_when(pl.col("level") == "image", "image-level")]),
            _when(pl.col("missing_share") > max_missing, "too often missing"),
        ),
    )
    reasons = _same(reasons)
    candidates = reasons.filter(pl.col("reason").is_null())["keyword"].to_list()
    if method == "missing":
        ranked = _unranked(candidates)
    elif seed is None:
        raise ValueError(f"{method} draws a sample: it needs a seed")
    else:
        ranked = ranking.rank(method, tags, frequencies, candidates, body_parts, seed)
    return _cut(reasons, ranked, count, per_module)


def check_drop(drop: Sequence[str], present: Sequence[str]) -> None:
    """Warn about keywords that the archive does not have.

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


def _unwanted(reasons: Mapping[str, str]) -> list[pl.Expr]:
    """Reasons to drop a tag because of what it is."""
    if not reasons:
        return []
    return [pl.col("keyword").replace_strict(reasons, default=None, return_dtype=pl.String)]


def _text(max_categories: int) -> list[pl.Expr]:
    """Reasons to drop a tag because its values are no numbers or categories."""
    numeric_vr = pl.col("vr").is_in([*parsers.NUMBER_VRS, "AS"])
    many = (pl.col("categories") > max_categories) & ~pl.col("keyword").is_in(parsers.long_tailed())
    is_text = pl.col("inferred") == "text"
    by_keyword = pl.col("keyword").map_elements(is_free_text, return_dtype=pl.Boolean)
    return [
        _when(by_keyword, "free text"),
        _when(pl.col("inferred") == "identifying", "identifying"),
        _when(pl.col("vr").is_in(sorted(UNREADABLE_VRS)) | (is_text & numeric_vr), "unparsable"),
        _when(is_text | (many & ~_unique()), "free text"),
    ]


def _values() -> list[pl.Expr]:
    """Reasons to drop a tag because of how its values divide the images."""
    return [_when(pl.col("distinct") <= 1, "constant"), _when(_unique(), "unique")]


def _unique() -> pl.Expr:
    all_distinct = (pl.col("distinct") == pl.col("present")) & (pl.col("present") > 1)
    return all_distinct & (pl.col("inferred") != "numeric")


def _same(reasons: pl.DataFrame) -> pl.DataFrame:
    """Tags with reason `redundant` where an earlier tag without reason divides the images alike."""
    open_ = pl.col("reason").is_null()
    first = reasons.filter(open_).unique("fingerprint", keep="first", maintain_order=True)
    named = first.select("fingerprint", same_as="keyword")
    joined = reasons.join(named, on="fingerprint", how="left", maintain_order="left")
    repeats = open_ & (pl.col("same_as") != pl.col("keyword"))
    return joined.with_columns(
        reason=pl.when(repeats).then(pl.lit("redundant")).otherwise("reason"),
        same_as=pl.when(repeats).then("same_as"),
    )


def _unranked(keywords: list[str]) -> ranking.Ranking:
    n = len(keywords)
    return ranking.Ranking(keywords, np.full(n, np.nan), np.zeros((n, n)))


def _cut(
    reasons: pl.DataFrame, ranked: ranking.Ranking, count: int, per_module: int | None
) -> pl.DataFrame:
    """All tags with their fate and reason; those of ranked tags depend on rank and count."""
    modules = dict(reasons.select("keyword", "module").iter_rows())
    rows = _by_rank(ranked, [modules[keyword] for keyword in ranked.keywords], count, per_module)
    schema = {"keyword": pl.String, "by_rank": pl.String, "similar": pl.String, "score": pl.Float64}
    by_rank = pl.DataFrame(rows, schema, orient="row")
    joined = reasons.join(by_rank, on="keyword", how="left", maintain_order="left")
    reason = pl.coalesce("reason", "by_rank")
    fate = pl.when(reason == "kept").then(pl.lit("kept")).otherwise(pl.lit("dropped"))
    same_as = pl.coalesce("same_as", "similar")
    score = pl.col("score").fill_nan(None)
    return joined.select("keyword", fate=fate, reason=reason, same_as=same_as, score=score)


def _by_rank(
    ranked: ranking.Ranking, modules: Sequence[str], count: int, per_module: int | None
) -> list[tuple[str, str, str | None, float]]:
    """Keyword, reason, the kept tag that it nearly repeats, score; greedily, the best first."""
    kept: list[int] = []
    filled: Counter[str] = Counter()
    rows = []
    for i in np.argsort(-ranked.score, kind="stable").tolist():
        similar = _most_similar(ranked, i, kept)
        if similar is not None:
            reason = "nearly redundant"
        elif per_module is not None and filled[modules[i]] >= per_module:
            reason = "beyond the module's count"
        else:
            reason = "kept" if len(kept) < count else "beyond the count"
        if reason == "kept":
            kept.append(i)
            filled[modules[i]] += 1
        rows.append((ranked.keywords[i], reason, similar, float(ranked.score[i])))
    return rows


def _most_similar(ranked: ranking.Ranking, i: int, kept: list[int]) -> str | None:
    """The kept tag that this one nearly repeats; None if it repeats none."""
    if not kept or ranked.repeats[i, kept].max() < NEARLY:
        return None
    return ranked.keywords[kept[int(ranked.repeats[i, kept].argmax())]]
