"""Planted groups whose images lack whole modules of tags, as a CT lacks all that an MR has.

Three groups share the modules that they have (a modality), and differ in the values of their tags
alone (what was imaged); groups of other modalities differ in both. The control has the same values
and as many missing ones, but scattered: then what is missing tells nothing.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.tags.encoding import PRESENCE, PRESENCE_CATEGORIES, Column, Encoding

MODALITIES, PARTS = 5, 3
MODULES, TAGS = 8, 6  # a module has as many tags; half of them numbers
COMMON, NOISE = 6, 8  # tags that all have: the same values in all groups for NOISE of them
LEVELS = 6
PRESENT = 0.45  # share of the modules that a modality has
BLANK = 0.08  # share of values missing for no reason
FAITHFUL = 0.45  # share of categories that are as the group's


def images(n: int, seed: int, structural: bool = True) -> tuple[pl.DataFrame, Encoding, pl.Series]:
    """Return n images: sample (who it is of, labels, columns), encoding, true groups.

    The groups' sizes fall off as 1 / rank, four images a patient.
    """
    rng = np.random.default_rng(seed)
    groups = MODALITIES * PARTS
    share = 1 / np.arange(1, groups + 1)
    group = rng.choice(groups, n, p=share / share.sum())
    kinds, has = _modules(rng)
    numbers, codes = _values(rng, group, len(kinds))
    there = has[group % MODALITIES] if structural else _scattered(rng, has, n)
    there &= rng.random(there.shape) > BLANK
    values = _frame(numbers, codes, there, kinds)
    texts = [f"group {g}" for g in group]
    known = {
        "image": [f"image {i}" for i in range(n)],
        "series": [f"series {i}" for i in range(n)],
        "study": [f"study {g} {i // 4}" for i, g in enumerate(group)],
        "patient": [f"patient {g} {i // 4}" for i, g in enumerate(group)],
        "modality": [f"modality {g % MODALITIES}" for g in group],
        "body_part": [f"part {g // MODALITIES}" for g in group],
    }
    sample = pl.concat([pl.DataFrame(known), values], how="horizontal")
    return sample, _encoding(values, kinds), pl.Series("truth", texts)


def _modules(rng: np.random.Generator) -> tuple[list[str], NDArray[np.bool_]]:
    """The kind of each tag, and which modality has it: bool (modalities, tags)."""
    has = rng.random((MODALITIES, MODULES)) < PRESENT
    has[np.arange(MODALITIES), np.arange(MODALITIES)] = True  # a module of its own
    tags = np.repeat(has, TAGS, axis=1)
    everywhere = np.ones((MODALITIES, COMMON + NOISE), bool)
    there = np.hstack([tags, everywhere])
    return ["numeric" if t % 2 else "categorical" for t in range(there.shape[1])], there


def _scattered(rng: np.random.Generator, has: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    share = has.mean(axis=0)  # of images that would lack the tag, were all modalities as frequent
    return rng.random((n, len(share))) < share


def _values(
    rng: np.random.Generator, group: NDArray[np.int64], tags: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Every tag of every image, once as a number and once as a category: (n, tags) each."""
    groups, n = MODALITIES * PARTS, len(group)
    middle, usual = rng.random((groups, tags)), rng.integers(0, LEVELS, (groups, tags))
    middle[:, -NOISE:], usual[:, -NOISE:] = 0.5, 0
    numbers = middle[group] + 0.2 * rng.standard_normal((n, tags))
    other = rng.integers(0, LEVELS, (n, tags))
    return numbers, np.where(rng.random((n, tags)) < FAITHFUL, usual[group], other)


def _frame(
    numbers: NDArray[np.float64],
    codes: NDArray[np.int64],
    there: NDArray[np.bool_],
    kinds: list[str],
) -> pl.DataFrame:
    """The encoded columns, then for each tag that some lack whether it is there."""
    columns = []
    for t, kind in enumerate(kinds):
        values = numbers if kind == "numeric" else codes
        dtype = pl.Float32 if kind == "numeric" else pl.Int32
        known = pl.Series(f"Tag{t:02d}", values[:, t]).cast(dtype)
        columns.append(known.set(pl.Series(~there[:, t]), None))
    columns += [
        pl.Series(f"Tag{t:02d}?", there[:, t].astype(np.int32))
        for t in range(len(kinds))
        if not there[:, t].all()
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
