"""The tags of one image as its facets read them: words in upper case, numbers in units."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.run.tables import BOOKKEEPING
from tagsight.tags import parsers
from tagsight.tags.fitting import read_columns

NUMBERS = 6  # as many as ImageOrientationPatient has
TERMS = ("view", "laterality", "manufacturer")  # parsers whose terms replace the stored texts


@dataclass(frozen=True)
class ImageHeader:
    """The tags of an image: items of texts in upper case, numbers in the standard's units.

    A tag that is missing has no items. Codes for missing are dropped from numbers alone: NONE is
    a term of many tags.
    """

    kind: str
    region: str | None = None
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, tuple[float | None, ...]] = field(default_factory=dict)

    def words(self, *keywords: str) -> tuple[str, ...]:
        """Return the items of tags, of one after the other."""
        return tuple(item for keyword in keywords for item in self.texts.get(keyword, ()))

    def has(self, keyword: str, *items: str) -> bool:
        """Return whether a tag has one of these items."""
        return not set(items).isdisjoint(self.texts.get(keyword, ()))

    def number(self, keyword: str, item: int = 0) -> float | None:
        """Return a number of a tag, None where it is missing or cannot be read."""
        numbers = self.numbers.get(keyword, ())
        return numbers[item] if item < len(numbers) else None


def stored_columns(tags: pl.DataFrame | pl.LazyFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return these columns of a table of tags, (n, names); those that it lacks are null."""
    return read_columns(tags, ["image", *names]).drop("image")


def headers(distinct: pl.DataFrame, keywords: Sequence[str]) -> Iterator[ImageHeader]:
    """Yield the header of each row.

    distinct: columns kind, region, and the keywords, as stored.
    """
    numeric = [keyword for keyword in keywords if _is_number(keyword)]
    others = [keyword for keyword in keywords if keyword not in numeric]
    numbers = [_numbers(distinct[keyword]) for keyword in numeric]
    texts = [_texts(distinct[keyword]) for keyword in others]
    for i, (kind, region) in enumerate(distinct.select("kind", "region").iter_rows()):
        yield ImageHeader(
            kind,
            region,
            {keyword: column[i] for keyword, column in zip(others, texts, strict=True)},
            {keyword: column[i] for keyword, column in zip(numeric, numbers, strict=True)},
        )


def _is_number(keyword: str) -> bool:
    parser = parsers.parser_of(keyword, attribute(keyword).vr)
    return keyword not in BOOKKEEPING and parser.numeric


def _numbers(stored: pl.Series) -> list[tuple[float | None, ...]]:
    """The numbers of each value (n,)."""
    distinct = stored.unique()
    vr = attribute(stored.name).vr
    items = int(distinct.str.count_matches("\\", literal=True).max() or 0) + 1  # type: ignore[arg-type]
    parsed = parsers.parse(stored.name, vr, distinct, items=min(items, NUMBERS))
    of_value = dict(zip(distinct, parsed.iter_rows(), strict=True))
    return [of_value[value] for value in stored]


def _texts(stored: pl.Series) -> list[tuple[str, ...]]:
    """The words of each value (n,): terms of the tables where its parser has any."""
    distinct = stored.unique()
    of_value = {value: _items(value) for value in distinct}
    vr = attribute(stored.name).vr
    if parsers.parser_of(stored.name, vr).name in TERMS:
        parsed = parsers.parse(stored.name, vr, distinct, items=1).to_series()
        of_value = {
            value: (term,) if term else () for value, term in zip(distinct, parsed, strict=True)
        }
    return [of_value[value] for value in stored]


def _items(value: str | None) -> tuple[str, ...]:
    if not value:
        return ()
    return tuple(" ".join(item.split()) for item in value.upper().split("\\"))
