"""The encodings of a run: one for each kind of images, or one for all of them in a flat run.

In a tree images are compared within their kind alone, so each kind has its own columns, scales and
weights. Equal columns of several kinds hold the same codes, so one table of features serves all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import polars as pl

from tagsight.run.atomic import read_json
from tagsight.tags.encoding import Column, Encoding, Ranges

FLAT = ""  # the only kind of a flat run
WORD = "word"  # the parser of columns that hold words of content
REGION = "region"  # the word that a kind is divided by first


@dataclass(frozen=True)
class Branch:
    """A kind of images in the archive.

    images: how many there are; picture: whether they are compared at all; encoding: their columns.
    """

    images: int
    picture: bool
    encoding: Encoding


@dataclass(frozen=True)
class Tree:
    """The branches by kind, the largest first; a flat run has the one branch FLAT."""

    branches: Mapping[str, Branch]

    @property
    def flat(self) -> bool:
        """Whether all images are compared with each other."""
        return FLAT in self.branches

    @property
    def pictures(self) -> list[str]:
        """The kinds whose images are compared."""
        return [kind for kind, branch in self.branches.items() if branch.picture]

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns of features, each once: as the first kind that has it holds it."""
        columns = [c for branch in self.branches.values() for c in branch.encoding.columns]
        return tuple({column.name: column for column in reversed(columns)}.values())[::-1]

    @property
    def keywords(self) -> list[str]:
        """The tags that columns come from, each once."""
        return list(dict.fromkeys(c.keyword for c in self.columns if c.parser != WORD))

    def of(self, kind: str) -> Encoding:
        """Return the encoding of a kind."""
        return self.branches[kind].encoding

    def parts(self, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield each kind of pictures with its rows of a frame, if there are any.

        frame: `kind`, unless the run is flat.
        """
        for kind in self.pictures:
            rows = frame if self.flat else frame.filter(pl.col("kind") == kind)
            if len(rows):
                yield kind, rows

    def ranged_by(self, sample: pl.DataFrame, ranges: Ranges) -> Self:
        """Return the tree with the ranges of the archive, or of each kind's rows of a sample."""
        fitted = {
            kind: replace(self.branches[kind], encoding=self.of(kind).ranged_by(rows, ranges))
            for kind, rows in self.parts(sample)
        }
        return replace(self, branches={**self.branches, **fitted})

    def without(self, keywords: Mapping[str, None] | set[str] | list[str]) -> Self:
        """Return the tree without the columns of these tags."""
        kept = {
            kind: replace(branch, encoding=branch.encoding.without(list(keywords)))
            for kind, branch in self.branches.items()
        }
        return replace(self, branches=kept)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dicts: an encoding's of a flat run, else `kinds`."""
        if self.flat:
            return self.of(FLAT).to_json()
        kinds = {
            kind: {
                "images": branch.images,
                "picture": branch.picture,
                "columns": branch.encoding.to_json()["columns"],
            }
            for kind, branch in self.branches.items()
        }
        some = next(iter(self.branches.values())).encoding
        return {"distance": some.distance, "scale": some.scale, "kinds": kinds}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the tree that `to_json` returned."""
        if "kinds" not in stored:
            return cls(flat(Encoding.from_json(stored)).branches)
        shared = {name: stored[name] for name in ("distance", "scale")}
        branches = {
            kind: Branch(
                each["images"],
                each["picture"],
                Encoding.from_json({**shared, "columns": each["columns"]}),
            )
            for kind, each in stored["kinds"].items()
        }
        return cls(branches)


def flat(encoding: Encoding) -> Tree:
    """Return the tree of a flat run, of one branch."""
    return Tree({FLAT: Branch(0, True, encoding)})


def load_tree(path: Path | str) -> Tree:
    """Return the tree of encodings that `encoding.json` holds.

    Raises DataError where the file is not JSON.
    """
    return Tree.from_json(read_json(path))
