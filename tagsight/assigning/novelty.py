"""Values that a run does not have: categories without a code, numbers out of range, new kinds.

Numbers are compared with the least and the largest in the run's images, not with the scale of
distances, which clips numbers at its ends. In a tree an image is compared with the run's images of
its own kind, by that kind's columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from tagsight.tags.encoding import PRESENCE, Column, Encoding
from tagsight.tree.encodings import Tree

# Tags that state what an object is: with a new value an image fits no cluster of the run.
STATED = ("Modality", "SOPClassUID")
JOINT = "; "  # between tags

New = Mapping[str, pl.Expr]  # tag -> whether an image has a new value

Ends = tuple[float, float]
NOWHERE: Ends = (float("inf"), float("-inf"))  # every number lies outside


class Values(NamedTuple):
    """The values of a run in each column.

    ends: the least and the largest number; one_person_codes: codes of categories that only one
    person has; inner_ends: the ends without the one person who has them.

    To compare a run with a delivery, values seen in only one patient of the run count as new: about
    as many are expected in later data (Good 1953).
    """

    ends: dict[str, Ends]
    one_person_codes: dict[str, list[int]]
    inner_ends: dict[str, Ends]


def values_of(parts: Iterable[pl.DataFrame], tree: Tree) -> dict[str, Values]:
    """Return the values of each kind of pictures in a run.

    parts: `person`, `kind` and the encoded columns of its images.
    """
    people = {kind: _People(tree.of(kind)) for kind in tree.pictures}
    for part in parts:
        for kind, rows in tree.parts(part):
            people[kind].add(rows)
    return {kind: each.values() for kind, each in people.items()}


class _People:
    """Who has the values of a kind's columns, from images that come in parts."""

    def __init__(self, encoding: Encoding) -> None:
        self.columns = encoding.columns
        self.codes: dict[str, pl.DataFrame] = {}
        self.numbers: dict[str, pl.DataFrame] = {}

    def add(self, part: pl.DataFrame) -> None:
        """Add images: `person` and the encoded columns."""
        for column in self.columns:
            pairs = part.select("person", value=column.name).drop_nulls("value")
            if column.categories is None:
                self.numbers[column.name] = _people_at_ends(pairs, self.numbers.get(column.name))
            elif column.parser != PRESENCE:
                self.codes[column.name] = _people_of_codes(pairs, self.codes.get(column.name))

    def values(self) -> Values:
        """Return the values of all images so far."""
        is_one_person = pl.col("first") == pl.col("last")
        at_ends = {name: _ends(people) for name, people in self.numbers.items()}
        return Values(
            ends={name: ends for name, (ends, _) in at_ends.items()},
            one_person_codes={
                name: sorted(people.filter(is_one_person)["value"])
                for name, people in self.codes.items()
            },
            inner_ends={name: inner for name, (_, inner) in at_ends.items()},
        )


def in_kinds(by_kind: Mapping[str, New]) -> New:
    """Return whether an image has a new value among those of its kind, for each tag.

    by_kind: kind -> tag -> whether an image has a new value.
    Returns expressions over `kind` and the columns of those, false for images of other kinds.
    """
    images: dict[str, list[pl.Expr]] = {}
    for kind, new in by_kind.items():
        for keyword, image in new.items():
            images.setdefault(keyword, []).append((pl.col("kind") == kind) & image)
    return {keyword: pl.any_horizontal(each) for keyword, each in images.items()}


def unseen(encoding: Encoding, rare_codes: Mapping[str, Sequence[int]]) -> dict[str, pl.Expr]:
    """Return whether an image has a category that is not in the run, for each tag that has any.

    rare_codes: column -> codes that also count as unseen.
    Returns expressions over the encoded columns, never null.
    """
    columns = [c for c in encoding.columns if c.categories and c.parser != PRESENCE]
    return _by_tag(
        columns, [_is_new(column, rare_codes.get(column.name, ())) for column in columns]
    )


def beyond(encoding: Encoding, ends: Mapping[str, Ends]) -> dict[str, pl.Expr]:
    """Return whether an image has a number outside the ends, for each tag with numbers.

    ends: by column; outside of those of a column without any lies every number.
    Returns expressions over the encoded columns, never null.
    """
    columns = [c for c in encoding.columns if c.categories is None]
    return _by_tag(
        columns, [_is_outside(column, ends.get(column.name, NOWHERE)) for column in columns]
    )


def new_tags(images: pl.DataFrame, new: New) -> pl.Series:
    """Return the tags with a new value in each image, joined by JOINT; null where there is none.

    new: tag -> whether an image has a new value, an expression over the columns of `images`.
    """
    names = [pl.when(image).then(pl.lit(keyword)) for keyword, image in new.items()]
    text = pl.concat_str([pl.lit(None, pl.String), *names], separator=JOINT, ignore_nulls=True)
    return images.with_columns(pl.when(text != "").then(text).alias("new"))["new"]


def stated(tags: pl.LazyFrame) -> list[pl.Expr]:
    """Return what each image of a table of tags says it is: `stated Modality`, … as text.

    The encoding cannot give it: it has no column for a tag that is equal in all images of a run.
    """
    columns = tags.collect_schema()
    texts = {k: pl.col(k) if k in columns else pl.lit(None, pl.String) for k in STATED}
    plain = {k: text.str.strip_chars().str.to_uppercase() for k, text in texts.items()}
    return [pl.when(text != "").then(text).alias(f"stated {k}") for k, text in plain.items()]


def of_new_kind(run: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return whether an image is of a kind that is not in the run, by `kind` and each of STATED.

    run: `kind` and the columns of `stated`. Images are compared with those of their own kind; a tag
    that is missing in all of these says nothing.
    Returns expressions over columns of these names, never null.
    """
    kinds = {str(kind): rows for (kind,), rows in run.group_by("kind", maintain_order=True)}
    new_kind = ~pl.col("kind").is_in(list(kinds))
    of_kinds = in_kinds({kind: _new_statements(rows) for kind, rows in kinds.items()})
    return {"kind": new_kind, **{k: of_kinds[k] for k in STATED if k in of_kinds}}


def _new_statements(run: pl.DataFrame) -> dict[str, pl.Expr]:
    """Whether an image states what no image in `run` does, for each of STATED."""
    values = {k: run[f"stated {k}"].drop_nulls().unique().sort() for k in STATED}
    return {
        k: ~pl.col(f"stated {k}").is_in(known.implode()).fill_null(True)
        for k, known in values.items()
        if len(known)
    }


def _by_tag(columns: Sequence[Column], new: Sequence[pl.Expr]) -> dict[str, pl.Expr]:
    by_tag: dict[str, list[pl.Expr]] = {}
    for column, image in zip(columns, new, strict=True):
        by_tag.setdefault(column.keyword, []).append(image)
    return {keyword: pl.any_horizontal(images) for keyword, images in by_tag.items()}


def _is_new(column: Column, rare_codes: Sequence[int]) -> pl.Expr:
    code = pl.col(column.name)
    new = (code >= len(column.categories or ())) | code.is_in(list(rare_codes))
    return new.fill_null(False)


def _is_outside(column: Column, ends: Ends) -> pl.Expr:
    number = pl.col(column.name).cast(pl.Float64)
    return ((number < ends[0]) | (number > ends[1])).fill_null(False)


def _people_of_codes(pairs: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """The first and the last person by name who has each code: `value`, `first`, `last`."""
    new = pairs.select("value", first="person", last="person")
    all_pairs = new if before is None else pl.concat([before, new])
    return all_pairs.group_by("value").agg(pl.col("first").min(), pl.col("last").max())


def _people_at_ends(pairs: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """The two persons with the least numbers, and with the largest: `person`, `low`, `high`."""
    new = pairs.select("person", low="value", high="value")
    all_pairs = new if before is None else pl.concat([before, new])
    persons = all_pairs.group_by("person").agg(pl.col("low").min(), pl.col("high").max())
    at_ends = [persons.bottom_k(2, by="low"), persons.top_k(2, by="high")]
    return pl.concat(at_ends).unique()


def _ends(people: pl.DataFrame) -> tuple[Ends, Ends]:
    """The ends over all persons, and over all but the person with the least, or the largest."""
    low, high = people["low"].sort(), people["high"].sort(descending=True)
    ends = [(low[i], high[i]) if i < len(people) else NOWHERE for i in range(2)]
    return ends[0], ends[1]
