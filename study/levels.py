"""How often the pair statistic gives a false alarm, and what it sees, on archives made of numbers.

Embeddings follow what looks are tied to, and labels are drawn at random for each patient, for each
of his modalities, for each series or for each site. No label knows looks beyond modality, so that
whatever is found inside modality is a false alarm; so it is where a few patients have most of the
images, and where trials are few. For power, labels know looks by a known share.

    python -m study.levels

writes both tables into docs/evaluation.md.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from study.tables import markdown
from tagsight.arrays import Float32s, Float64s, Int64s
from tagsight.evaluation.pair_statistic import Explained, pair_statistic
from tagsight.evaluation.pair_tests import LEVEL, smallest

Rng = np.random.Generator

PAGE = Path(__file__).parents[1] / "docs/evaluation.md"
MARKS = "<!-- levels -->", "<!-- end of levels -->"  # the tables stand between them
TRIALS = 10
MODALITIES, SITES, SCANNERS, LABELS, WIDTH = 5, 8, 6, 8, 12
DRAWS = 600
SIZES = (100, 1000)  # images of a trial
SHIFTS = (0.15, 0.25, 0.35, 0.5, 0.7)  # how far labels move looks


@dataclass(frozen=True)
class Archive:
    """Images of all trials, without looks: int64 (n,) each."""

    trials: Int64s
    patients: Int64s
    modalities: Int64s
    series: Int64s
    sites: Int64s
    scanners: Int64s


@dataclass(frozen=True)
class Shape:
    """How many trials an archive has, and how its images are dealt to patients.

    even: whether patients have 1 to 8 images; else a Pareto distribution of shape 1, so that a few
    have most of them, but at most a trial's.
    """

    trials: int = TRIALS
    even: bool = True

    def sizes(self, rng: Rng, images: int) -> Int64s:
        """Draw how many images each of enough patients has, int64 (n,)."""
        n = self.trials * images
        if self.even:
            return rng.integers(1, 9, n)
        return np.minimum(1 + rng.pareto(1, n), images).astype(np.int64)


EVEN = Shape()
# Beside the rows of even archives.
UNEVEN = {
    "of Pareto-sized patients": Shape(even=False),
    "of 3 trials": Shape(trials=3),
}


def archive(rng: Rng, images: int, shape: Shape = EVEN) -> Archive:
    """Draw an archive of trials of so many images.

    Patients have one modality mostly. Sites have modalities of their own, not machines.
    """
    n = shape.trials * images
    patients = np.repeat(np.arange(n), shape.sizes(rng, images))[:n]
    sites = rng.integers(0, SITES, n)[patients]
    mostly = ((sites + rng.integers(0, 3, n)[patients]) % MODALITIES).astype(np.int64)
    modalities = np.where(rng.random(n) < 0.8, mostly, rng.integers(0, MODALITIES, n))
    series = _numbered(patients, modalities, rng.integers(0, 2, n))
    scanners = rng.integers(0, SCANNERS, (n, MODALITIES))[patients, modalities]
    people = patients.max() + 1
    trials = patients * shape.trials // people
    return Archive(trials, patients, modalities, series, sites, scanners)


LOOKS: dict[str, Callable[[Archive], Int64s | None]] = {
    "modality alone": lambda _: None,
    "the patient": lambda of: of.patients,
    "the scanner": lambda of: _numbered(of.modalities, of.scanners),
}
UNITS: dict[str, Callable[[Archive], Int64s]] = {
    "patient": lambda of: of.patients,
    "patient and modality": lambda of: _numbered(of.patients, of.modalities),
    "series": lambda of: of.series,
    "site": lambda of: of.sites,
}


def looks(rng: Rng, of: Archive, tied_to: str) -> Float64s:
    """Draw embeddings that follow the modality, and what they are tied to: float64 (n, WIDTH)."""
    pictures = 0.5 + rng.standard_normal((MODALITIES, WIDTH))[of.modalities]
    groups = LOOKS[tied_to](of)
    if groups is not None:
        pictures += 1.5 * rng.standard_normal((groups.max() + 1, WIDTH))[groups]
    return pictures + 0.8 * rng.standard_normal(pictures.shape)


def labels(rng: Rng, of: Archive, drawn_for: str) -> Int64s:
    """Draw a label for each unit, some more often than others: int64 (n,)."""
    units = UNITS[drawn_for](of)
    shares = np.arange(1, LABELS + 1) / np.arange(1, LABELS + 1).sum()
    return rng.choice(LABELS, units.max() + 1, p=shares)[units]


def false_alarms(
    draws: int, images: int = SIZES[0], first: int = 0
) -> Iterator[dict[str, str | float]]:
    """Yield for each kind of labels and looks how often noise was called an effect.

    first: rows before it are left out; a row does not depend on others.
    """
    even = [(u, t, EVEN, "") for u in UNITS for t in LOOKS]
    uneven = [("patient", "the patient", shape, f", {name}") for name, shape in UNEVEN.items()]
    for place, (drawn_for, tied_to, shape, name) in enumerate([*even, *uneven]):
        if place < first:
            continue
        found = []
        for draw in range(draws):
            rng = np.random.default_rng([1, place, draw])
            of = archive(rng, images, shape)
            found.append(_tested(looks(rng, of, tied_to), labels(rng, of, drawn_for), of))
        alarms = [each for each in found if each.p is not None and each.p < LEVEL]
        yield {
            "labels drawn for each": drawn_for + name,
            "looks follow": tied_to,
            "false alarms": _percent(len(alarms) / draws),
            "of these above 0": _percent(sum((a.explained or 0) > 0 for a in alarms) / draws),
            "mean explained": _percent(float(np.mean([f.explained for f in found])), 2),
        }


def power(
    draws: int, sizes: Sequence[int] = SIZES, shifts: Sequence[float] = SHIFTS
) -> Iterator[dict[str, str | float]]:
    """Yield for each number of images and effect how often it was seen."""
    for images in sizes:
        for shift in shifts:
            found = [_with_effect(images, shift, draw) for draw in range(draws)]
            seen = [each.p is not None and each.p < LEVEL for each in found]
            visible = [smallest(each) or np.nan for each in found]
            yield {
                "images": f"{TRIALS} × {images:,}",
                "labels explain": _percent(float(np.mean([f.explained for f in found])), 1),
                "seen": _percent(float(np.mean(seen))),
                "smallest visible, as told": _percent(float(np.nanmean(visible)), 1),
            }


def tables(draws: int) -> str:
    """Return both tables in markdown."""
    noise, effects = pl.DataFrame(list(false_alarms(draws))), pl.DataFrame(list(power(draws // 2)))
    size = f"{TRIALS} × {SIZES[0]} images"
    of_noise = f"{draws} archives of {size} in each row, unless it says otherwise:"
    of_effects = f"{draws // 2} archives in each row:"
    return "\n\n".join((of_noise, markdown(noise), of_effects, markdown(effects)))


def written(page: str, content: str) -> str:
    """Return the page with content between the marks; raises ValueError without these."""
    first, last = map(re.escape, MARKS)
    if not re.search(f"{first}.*{last}", page, re.DOTALL):
        raise ValueError("the page has no place for the tables")
    whole = f"{MARKS[0]}\n{content}\n{MARKS[1]}"
    return re.sub(f"{first}.*{last}", lambda _: whole, page, flags=re.DOTALL)


def _with_effect(images: int, shift: float, draw: int) -> Explained:
    """One draw: labels of patients and modalities move looks, which follow the patient too."""
    rng = np.random.default_rng([2, images, round(1000 * shift), draw])
    of = archive(rng, images)
    known = labels(rng, of, "patient and modality")
    pictures = looks(rng, of, "the patient")
    pictures += 2 * shift * np.eye(LABELS, WIDTH)[known]
    return _tested(pictures, known, of)


def _tested(pictures: Float64s, known: Int64s, of: Archive) -> Explained:
    embeddings: Float32s = pictures.astype(np.float32)
    return pair_statistic(embeddings, known, of.modalities, of.patients, of.trials)


def _numbered(*columns: Int64s) -> Int64s:
    rows = np.stack(columns, axis=1)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description="False alarms and power of the pair statistic.")
    parser.add_argument("--draws", type=int, default=DRAWS)
    content = tables(parser.parse_args().draws)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), content), encoding="utf-8")


if __name__ == "__main__":
    main()
