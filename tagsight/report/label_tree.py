"""The labels of a tree as a reader looks through them: kind, region, label."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from tagsight.interpretation.annotations import label_of
from tagsight.interpretation.names import JOINT
from tagsight.interpretation.tree_cards import labelled
from tagsight.terms.name_words import Words

Card = Mapping[str, Any]
LONGEST_CODE = 4  # letters; longer words are no abbreviations


@dataclass(frozen=True)
class Region:
    """The labels of one region of a kind, the largest first.

    name: None for labels whose images are of several regions, or do not state any.
    """

    name: str | None
    labels: Sequence[Card]

    @property
    def size(self) -> int:
        """Images of the archive."""
        return sum(card["size"] for card in self.labels)


@dataclass(frozen=True)
class Kind:
    """The labels of a kind by region, the largest region first, those of no one region last.

    name: what it is called in the names of all its labels, else the kind itself.
    """

    kind: str
    name: str
    picture: bool
    regions: Sequence[Region]

    @property
    def labels(self) -> list[Card]:
        """The labels in the order in which they are shown."""
        return [card for region in self.regions for card in region.labels]

    @property
    def size(self) -> int:
        """Images of the archive; of what is no picture, objects."""
        return sum(card["size"] for card in self.labels)


def label_tree(cards: Sequence[Card], pictures: Collection[str]) -> list[Kind]:
    """Return the kinds with their labels, the largest first.

    cards: as in cards.json of a tree; pictures: the kinds that are pictures.
    """
    by_kind: dict[str, list[Card]] = {}
    for card in cards:
        by_kind.setdefault(card["kind"], []).append(card)
    kinds = [
        Kind(kind, _name(kind, of_kind), kind in pictures, _regions(of_kind))
        for kind, of_kind in by_kind.items()
    ]
    return sorted(kinds, key=lambda kind: -kind.size)


def shown(column: str, word: str, kind: str | None = None) -> str:
    """Return a word of content as radiologists say it; column: `region`, or a facet."""
    known = _words().shown(kind, column, word) or _words().shown(None, column, word)
    return known or (word.lower() if word.isalpha() and len(word) > LONGEST_CODE else word)


def technique(card: Card) -> str:
    """Return what is left of a label's name after its kind and region; empty if nothing is."""
    return JOINT.join(card["name"].split(JOINT)[1 if card["region"] is None else 2 :])


def label_members(members: pl.DataFrame, cards: Sequence[Card]) -> pl.DataFrame:
    """Return the images of a sample with their label as `cluster`; `medoid` is that of the label.

    members: as in members.parquet of a tree; cards: as in cards.json.
    """
    medoids = [card["medoid"] for card in cards if card["medoid"] is not None]
    of_label = pl.col("image").is_in(medoids)
    return labelled(members, label_of(cards)).with_columns(medoid=of_label)


def _regions(cards: Sequence[Card]) -> list[Region]:
    by_region: dict[str | None, list[Card]] = {}
    for card in cards:
        by_region.setdefault(card["region"], []).append(card)
    regions = [Region(name, list(_sorted(labels))) for name, labels in by_region.items()]
    return sorted(regions, key=lambda each: (each.name is None, -each.size, each.name or ""))


def _sorted(cards: Sequence[Card]) -> Iterator[Card]:
    """The largest first; a label without words of technique, which is the rest of them, last."""
    yield from sorted(cards, key=lambda card: (not technique(card), -card["size"], card["label"]))


def _name(kind: str, cards: Sequence[Card]) -> str:
    first = {card["name"].split(JOINT)[0] for card in cards}
    return first.pop() if len(first) == 1 else kind


@cache
def _words() -> Words:
    return Words()
