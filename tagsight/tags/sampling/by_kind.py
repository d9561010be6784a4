"""Samples drawn by kind of image, filled in order: an archive of any size ends in labels.

A plain draw of a large archive holds thousands of CT and no mammogram, and one of a small archive
shrinks all samples until none is of use. So here

- the images of a sample are dealt to kinds by the square root of the kind's share of the archive;
- samples are filled one after the other: tuning, holdout, trials, autoencoder. Tuning takes its
  size or half of the patients of a kind, the holdout its size or a third of those left: without
  tuning there are no labels, but one that took all would leave nothing to test them on;
- there are fewer trials where not all would have LEAST_IMAGES images of LEAST_PATIENTS patients;
- the autoencoder has the patients left. Where these have fewer images than the tuning sample, it
  learns from the tuning sample's images too: these are compared by tags alone, so that a network
  that has seen them makes no test easier. It never learns from a trial's, whose pixels are the
  test. Without trials nothing needs it, and it has no sample.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import polars as pl

from tagsight.errors import DataError
from tagsight.run.plain_text import counted
from tagsight.tags.sampling import by_patient

LEAST_PATIENTS, LEAST_IMAGES = 2, 10  # of a trial that can tell anything


# One part of so many of the patients that are left of a kind: the most that a sample takes.
PARTS = {"tuning": 2, "holdout": 3}
LEARNING = "autoencoder"


class Taken(NamedTuple):
    """The patients of a sample, and how many images of each kind it has."""

    units: pl.Series
    quotas: Mapping[str, int]


def draw_samples(
    images: pl.DataFrame,
    sizes: Mapping[str, int],
    per_series: int,
    seed: int,
    kinds: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Return the samples of an archive: by kind where kinds are known, else by patient alone.

    images: as in `by_patient.draw`; where kinds are known also `kind` (String) and `picture`
    (Boolean): only pictures are drawn. sizes, per_series, seed, kinds: see `draw_by_kind`.
    Returns the images drawn with their `sample`, and where kinds are known `kind` and `weight`. A
    draw by patient alone that would leave a sample empty is filled in order instead.
    Raises DataError where there is no image at all.
    """
    if images.is_empty():
        raise DataError(
            "input: no file could be taken for an image; results/rejected/ says why of each"
        )
    if "kind" in images.columns:
        pictures = images.filter("picture").drop("picture")
        return draw_by_kind(pictures, sizes, per_series, seed, kinds)
    drawn = by_patient.draw(images, sizes, per_series, seed)
    if drawn["sample"].n_unique() == len(sizes):
        return drawn
    of_one_kind = images.with_columns(kind=pl.lit("image"))
    return draw_by_kind(of_one_kind, sizes, per_series, seed).drop("kind", "weight")


def draw_by_kind(
    images: pl.DataFrame,
    sizes: Mapping[str, int],
    per_series: int,
    seed: int,
    kinds: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Return samples that are filled in the order of their priority; see the module.

    images: `image`, `series`, `patient`, `undrawable` (as in `by_patient.draw`), `kind`, and others
    to keep; sizes: sample -> images asked for: `tuning`, `holdout`, trials, `autoencoder`, any of
    which may be absent; per_series: most images of a series, 0 for no limit; kinds: kind -> images
    of the archive, where these are but the candidates among them (`by_patient.candidates`).

    Returns the images drawn, with their `sample` and `weight` (Float64: how many images of the
    archive it stands for, those of its kind by those of it in its sample), in order of `image`. The
    draw depends on seed and images alone. No patient (where unknown: series, else image) is in two
    samples. A sample of 100 images or more lacks no kind that makes 1 % of the archive, while there
    are patients for it.
    """
    thinned = by_patient.thinned_in_order(images, per_series, seed)
    taken = _filled(_by_unit(thinned, seed), sizes)
    parts = [_images(thinned, name, taken[name]) for name in sizes if name in taken]
    drawn = pl.concat([_images(thinned, "", Taken(pl.Series([], dtype=pl.String), {})), *parts])
    number = images.group_by("kind").agg(all_images=pl.len().cast(pl.Int64))
    if kinds is not None:
        schema = {"kind": pl.String, "all_images": pl.Int64}
        number = pl.DataFrame(list(kinds.items()), schema, orient="row")
    weight = pl.col("all_images") / pl.len().over("sample", "kind")
    weighted = drawn.join(number, on="kind", how="left").with_columns(weight=weight)
    return weighted.drop("all_images").sort("image")


def dealt(size: int, roots: Mapping[str, float], available: Mapping[str, int]) -> dict[str, int]:
    """Return how many of `size` images are of each kind.

    roots: kind -> weight; available: kind -> most images of it.
    One each, of the largest weight first, then in proportion to the weights by Webster's method of
    highest averages, within what is available.
    Source: Balinski & Young, Fair Representation (1982).
    """
    quotas = dict.fromkeys(available, 0)
    queue = [(0, -roots[kind], kind) for kind, most in available.items() if most > 0]
    heapify(queue)
    for _ in range(size):
        if not queue:
            break
        _, _, kind = heappop(queue)
        quotas[kind] += 1
        if quotas[kind] < available[kind]:
            heappush(queue, (1, -roots[kind] / (2 * quotas[kind] + 1), kind))
    return quotas


def _by_unit(thinned: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Images and drawable images of each kind of each unit, units in a random order."""
    drawable = pl.col("undrawable").is_null().sum().alias("drawable")
    counts = thinned.group_by("unit", "kind").agg(pl.len().alias("images"), drawable)
    ranks = [by_patient.rank(seed, unit) for unit in counts["unit"]]
    return counts.with_columns(rank=pl.Series(ranks, dtype=pl.UInt64)).sort("rank", "unit", "kind")


def _filled(units: pl.DataFrame, sizes: Mapping[str, int]) -> dict[str, Taken]:
    """What each sample takes; samples that nothing is left for are absent."""
    shares = units.group_by("kind").agg(pl.col("images").sum()).sort("kind")
    roots = {kind: count**0.5 for kind, count in shares.iter_rows()}
    taken, left = {}, units
    for name in (sample for sample in PARTS if sample in sizes):
        taken[name] = _take(left, "images", roots, sizes[name], PARTS[name])
        left = _without(left, taken[name])
    trials = _trials(left, roots, {n: k for n, k in sizes.items() if n.startswith("trial")})
    if trials and "autoencoder" in sizes:
        left = _without(left, *trials.values())
        taken["autoencoder"] = _take(left, "drawable", roots, sizes["autoencoder"], parts=1)
    return {name: each for name, each in {**taken, **trials}.items() if len(each.units)}


def _take(
    units: pl.DataFrame, count: str, roots: Mapping[str, float], size: int, parts: int
) -> Taken:
    """The first patients of each kind, until there are enough images of it.

    count: the column of images that count; parts: one part in so many of a kind's patients is the
    most that are taken, rounded up.
    """
    having = units.filter(pl.col(count) > 0).with_columns(
        place=pl.int_range(pl.len()).over("kind"),
        allowed=(pl.len().over("kind") + parts - 1) // parts,
        before=(pl.col(count).cum_sum() - pl.col(count)).over("kind"),
    )
    first = having.filter(pl.col("place") < pl.col("allowed"))
    available = first.group_by("kind").agg(pl.col(count).sum()).sort("kind")
    quotas = dealt(size, roots, dict(available.iter_rows()))
    quota = pl.col("kind").replace_strict(quotas, return_dtype=pl.Int64, default=0)
    needed = first.filter(pl.col("before") < quota)
    return Taken(needed["unit"].unique(maintain_order=True), quotas)


def _without(units: pl.DataFrame, *taken: Taken) -> pl.DataFrame:
    names = pl.concat([pl.Series("unit", [], dtype=pl.String), *(each.units for each in taken)])
    return units.filter(~pl.col("unit").is_in(names.implode()))


def _trials(
    units: pl.DataFrame, roots: Mapping[str, float], sizes: Mapping[str, int]
) -> dict[str, Taken]:
    """As many trials as can be of use, each with a fair share of each kind's patients."""
    able = units.filter(pl.col("drawable") > 0)
    patients, images = able["unit"].n_unique(), int(able["drawable"].sum())
    least = min([LEAST_IMAGES, *sizes.values()])
    most = min(len(sizes), patients // LEAST_PATIENTS, images // least)
    for number in range(most, 0, -1):
        trials = dict(_equal_trials(able, roots, dict(list(sizes.items())[:number])))
        if all(_is_useful(trial, least) for trial in trials.values()):
            return trials
    return {}


def _equal_trials(
    units: pl.DataFrame, roots: Mapping[str, float], sizes: Mapping[str, int]
) -> Iterator[tuple[str, Taken]]:
    for place, (name, size) in enumerate(sizes.items()):
        trial = _take(units, "drawable", roots, size, parts=len(sizes) - place)
        yield name, trial
        units = _without(units, trial)


def _is_useful(trial: Taken, least: int) -> bool:
    return len(trial.units) >= LEAST_PATIENTS and sum(trial.quotas.values()) >= least


def _images(thinned: pl.DataFrame, name: str, taken: Taken) -> pl.DataFrame:
    """The images of a sample; patients' in the order in which they were taken, up to the quotas."""
    order = pl.DataFrame({"unit": taken.units}).with_row_index("place")
    pool = thinned.join(order, on="unit").sort("place", "rank", "image")
    if name not in by_patient.FROM_TAGS:
        pool = pool.filter(pl.col("undrawable").is_null())
    quota = pl.col("kind").replace_strict(dict(taken.quotas), return_dtype=pl.Int64, default=0)
    kept = pool.filter(pl.int_range(pl.len()).over("kind") < quota)
    return kept.with_columns(sample=pl.lit(name)).drop("unit", "rank", "place")


def summary(drawn: pl.DataFrame, images: pl.DataFrame, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return what draws.json holds: `samples`, `shared`, and `untested`, in sentences.

    drawn: from `draw_samples`; images, sizes: as in `draw_samples`.
    `samples`: sample -> `asked`, `drawn` (images), `patients`; `shared`: whether the autoencoder
    learns from the tuning sample's images too, as its own are fewer.
    """
    unit = pl.coalesce("patient", "series", "image")
    parts = {name: drawn.filter(sample=name).select(unit).to_series() for name in sizes}
    samples = {
        name: {"asked": size, "drawn": len(parts[name]), "patients": parts[name].n_unique()}
        for name, size in sizes.items()
    }
    shared = _has_too_few(samples)
    patients = images.select(unit.n_unique()).item()
    group = "label" if "kind" in drawn.columns else "cluster"
    lines = untested(samples, patients, shared=shared, group=group)
    return {"samples": samples, "shared": shared, "untested": lines}


def _has_too_few(samples: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether there are trials, and fewer images to learn from than asked for and than to tune."""
    own, trials = samples.get("autoencoder"), _trials_of(samples)
    if own is None or not any(row["drawn"] for row in trials):
        return False
    return own["drawn"] < min(own["asked"], samples["tuning"]["drawn"])


def _least(trials: Iterable[Mapping[str, int]]) -> int:
    return min([LEAST_IMAGES, *(row["asked"] for row in trials)])


def _trials_of(samples: Mapping[str, Mapping[str, int]]) -> list[Mapping[str, int]]:
    return [row for name, row in samples.items() if name.startswith("trial")]


def untested(
    samples: Mapping[str, Mapping[str, int]],
    patients: int,
    *,
    shared: bool = False,
    group: str = "cluster",
) -> list[str]:
    """Return in sentences what cannot be tested, or is tested in another way, and why.

    samples, shared: as in `summary`; patients: of the archive (where unknown: series);
    group: what images are divided into. Where there is no sample to learn looks from, there are no
    pixels, and of looks nothing is said.
    """
    trials = _trials_of(samples)
    full = sum(row["drawn"] > 0 for row in trials)
    whose = counted(patients, "patient")
    if not samples["tuning"]["drawn"]:
        return ["Nothing was clustered or tested: the archive has no picture that can be drawn."]
    lines = []
    if not samples["holdout"]["drawn"]:
        lines.append(
            f"Whether {group}s are found again in other patients was not tested: of {whose} none "
            "is left for the holdout sample."
        )
    if not full and LEARNING in samples:
        lines.append(
            f"Whether images of a {group} look alike was not tested: of {whose} too few are left "
            f"for a trial, which takes {LEAST_PATIENTS} of them with {_least(trials)} images that "
            "can be drawn."
        )
    elif full < len(trials) and LEARNING in samples:
        lines.append(
            f"Whether images of a {group} look alike was tested in {counted(full, 'trial')} "
            f"in place of {len(trials)}: {whose} are too few for more."
        )
    if shared:
        lines.append(
            "The network that describes looks learned from the images of the tuning sample too, as "
            "too few other patients are left; from none of a trial."
        )
    return lines
