"""Planted groups whose images lack whole modules of tags, as a CT lacks all that an MR has.

The three groups of a modality have the same modules and differ only in the values of their tags
(body parts); groups of other modalities differ in both. The control has the same values and as many
missing ones, but at random, so that missingness carries no information.
"""

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Float64s, Int64s
from tagsight.tags.encoding import PRESENCE, PRESENCE_CATEGORIES, Column, Encoding

MODALITIES, PARTS = 5, 3
MODULES, TAGS = 8, 6  # TAGS per module, half of them numbers
COMMON, NOISE = 6, 8  # tags of all images; NOISE of them are equal in all groups
LEVELS = 6
PRESENT = 0.45  # share of the modules that a modality has
BLANK = 0.08  # share of values missing at random
FAITHFUL = 0.45  # share of categories equal to the group's


def images(n: int, seed: int, structural: bool = True) -> tuple[pl.DataFrame, Encoding, pl.Series]:
    """Return n images: sample (identifiers, labels, columns), encoding, true groups.

    Group sizes are proportional to 1 / rank; four images per patient.
    """
    rng = np.random.default_rng(seed)
    groups = MODALITIES * PARTS
    share = 1 / np.arange(1, groups + 1)
    group = rng.choice(groups, n, p=share / share.sum())
    kinds, has = _modules(rng)
    numbers, codes = _values(rng, group, len(kinds))
    present = has[group % MODALITIES] if structural else _scattered(rng, has, n)
    present &= rng.random(present.shape) > BLANK
    values = _frame(numbers, codes, present, kinds)
    texts = [f"group {g}" for g in group]
    identifiers = {
        "image": [f"image {i}" for i in range(n)],
        "series": [f"series {i}" for i in range(n)],
        "study": [f"study {g} {i // 4}" for i, g in enumerate(group)],
        "patient": [f"patient {g} {i // 4}" for i, g in enumerate(group)],
        "modality": [f"modality {g % MODALITIES}" for g in group],
        "body_part": [f"part {g // MODALITIES}" for g in group],
    }
    sample = pl.concat([pl.DataFrame(identifiers), values], how="horizontal")
    return sample, _encoding(values, kinds), pl.Series("truth", texts)


def _modules(rng: np.random.Generator) -> tuple[list[str], Bools]:
    """Kind of each tag, and whether each modality has it: bool (modalities, tags)."""
    has = rng.random((MODALITIES, MODULES)) < PRESENT
    has[np.arange(MODALITIES), np.arange(MODALITIES)] = True  # each has one module for certain
    tags = np.repeat(has, TAGS, axis=1)
    everywhere = np.ones((MODALITIES, COMMON + NOISE), bool)
    present = np.hstack([tags, everywhere])
    return ["numeric" if t % 2 else "categorical" for t in range(present.shape[1])], present


def _scattered(rng: np.random.Generator, has: Bools, n: int) -> Bools:
    share = has.mean(axis=0)  # of images with the tag if all modalities were equally frequent
    return rng.random((n, len(share))) < share


def _values(rng: np.random.Generator, group: Int64s, tags: int) -> tuple[Float64s, Int64s]:
    """All tags of all images, as numbers and as categories: (n, tags) each."""
    groups, n = MODALITIES * PARTS, len(group)
    middle, usual = rng.random((groups, tags)), rng.integers(0, LEVELS, (groups, tags))
    middle[:, -NOISE:], usual[:, -NOISE:] = 0.5, 0
    numbers = middle[group] + 0.2 * rng.standard_normal((n, tags))
    other = rng.integers(0, LEVELS, (n, tags))
    return numbers, np.where(rng.random((n, tags)) < FAITHFUL, usual[group], other)


def _frame(
    numbers: Float64s,
    codes: Int64s,
    present: Bools,
    kinds: list[str],
) -> pl.DataFrame:
    """Encoded columns, then presence columns of the tags that some images lack."""
    columns = []
    for t, kind in enumerate(kinds):
        values = numbers if kind == "numeric" else codes
        dtype = pl.Float32 if kind == "numeric" else pl.Int32
        column = pl.Series(f"Tag{t:02d}", values[:, t]).cast(dtype)
        columns.append(column.set(pl.Series(~present[:, t]), None))
    columns += [
        pl.Series(f"Tag{t:02d}?", present[:, t].astype(np.int32))
        for t in range(len(kinds))
        if not present[:, t].all()
    ]
    return pl.DataFrame(columns)


def _encoding(values: pl.DataFrame, kinds: list[str]) -> Encoding:
    columns = []
    for name in values.columns:
        tag = name.rstrip("?")
        if name != tag:
            categories = PRESENCE_CATEGORIES
            columns.append(Column(name, tag, "categorical", PRESENCE, categories=categories))
        elif kinds[int(tag[3:])] == "numeric":
            low, high = values[name].min(), values[name].max()
            columns.append(Column(name, tag, "numeric", "number", minimum=low, maximum=high))
        else:
            levels = tuple(map(str, range(LEVELS)))
            columns.append(Column(name, tag, "categorical", "text", categories=levels))
    return Encoding("linear", tuple(columns))
