"""The plan of the archive, and its planted truth: patients, dates, devices and series.

No picture is drawn here, so that the plan is ready quickly and each patient can then be made
separately, in any order, by any number of processes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from tagsight.demo.devices import Device, pick, spell
from tagsight.demo.habits import DEMO, Habits
from tagsight.demo.pictures.body import Body, draw_body
from tagsight.run.package_data import rows_of

EXAMS = {
    "CT": 0.2,
    "MR": 0.24,
    "CR": 0.11,
    "DX": 0.15,
    "MG": 0.08,
    "US": 0.1,
    "NM": 0.045,
    "PT": 0.035,
    "XA": 0.04,
}
PARTS: dict[str, dict[str, float]] = {
    "CT": {"HEAD": 3, "CHEST": 3, "ABDOMEN": 3, "PELVIS": 1, "LSPINE": 1},
    "MR": {"HEAD": 4, "LSPINE": 2.5, "KNEE": 2, "ABDOMEN": 1, "PELVIS": 1, "HEART": 0.7},
    "MG": {"BREAST": 1},
    "US": {"ABDOMEN": 4, "HEART": 2.5, "THYROID": 2, "BREAST": 1.5},
    "NM": {"WHOLEBODY": 2, "THYROID": 1, "HEART": 1},
    "PT": {"WHOLEBODY": 3, "HEAD": 1},
    "XA": {"HEART": 3, "HEAD": 1, "ABDOMEN": 1},
}
FILMS: dict[str, float] = {
    "CHEST": 5,
    "KNEE": 2,
    "HAND": 1.5,
    "PELVIS": 1.5,
    "LSPINE": 1.5,
    "TSPINE": 1,
    "ABDOMEN": 1,
}
# Body parts that staff forget to change after the previous exam.
WRONG_PARTS = {"HEAD": "CHEST", "CHEST": "ABDOMEN", "ABDOMEN": "CHEST", "TSPINE": "LSPINE"}
STACKS = ("CT", "MR", "PT")


@dataclass(frozen=True)
class Series:
    """A series to be made; `views` has one item per image if they differ, else one."""

    patient: int
    study: int
    number: int
    modality: str
    body_part: str
    views: tuple[str, ...]
    contrast: str
    device: Device
    slices: int
    frames: int
    written: str
    wrong: bool

    def view(self, image: int) -> str:
        """Return the view of an image of the series."""
        return self.views[image % len(self.views)]


@dataclass(frozen=True)
class Patient:
    """An invented patient with all exams."""

    number: int
    site: int
    sex: str
    birth: dt.date
    height: float
    weight: float
    body: Body
    dates: tuple[dt.date, ...]
    series: tuple[Series, ...]


@cache
def _protocols(modality: str, part: str) -> tuple[tuple[str, str, float], ...]:
    rows = rows_of("demo_protocols.csv")
    chosen = [r for r in rows if (r["modality"], r["part"]) == (modality, part)]
    return tuple((r["contrast"], r["view"], float(r["share"])) for r in chosen)


def _deal_modalities(count: int, rng: np.random.Generator) -> list[str]:
    """Return the modality of each patient's first exam, each modality by its share."""
    names, total = list(EXAMS), sum(EXAMS.values())
    wanted = [max(1, round(count * EXAMS[name] / total)) for name in names]
    modalities = [name for name, n in zip(names, wanted, strict=True) for _ in range(n)]
    # The most frequent modalities absorb what rounding adds or removes.
    modalities = [*modalities, *(["MR"] * max(0, count - len(modalities)))]
    while len(modalities) > max(count, len(names)):
        modalities.remove(max(names, key=modalities.count))
    return [modalities[i] for i in rng.permutation(len(modalities))][:count]


def _draw_part(modality: str, rng: np.random.Generator) -> str:
    weights = PARTS.get(modality, FILMS)
    shares = np.array(list(weights.values()), dtype=float)
    return list(weights)[int(rng.choice(len(weights), p=shares / shares.sum()))]


def _write_part(
    part: str, device: Device, habits: Habits, rng: np.random.Generator
) -> tuple[str, bool]:
    """Return BodyPartExamined as the device or its user fills it, and whether it is wrong."""
    if rng.random() > (device.fill if habits.filled is None else habits.filled):
        return "", False
    if rng.random() < habits.wrong:
        other = WRONG_PARTS.get(part, "HEAD" if part == "PELVIS" else "CHEST")
        return spell(other, device, rng), True
    return spell(part, device, rng), False


def _frames(modality: str, part: str, view: str, rng: np.random.Generator) -> int:
    if modality == "XA":
        return int(rng.integers(6, 13))
    if (modality, part) == ("NM", "HEART"):
        return int(rng.integers(10, 17))
    if modality == "US" and view == "HEART" and rng.random() < 0.4:
        return int(rng.integers(6, 13))
    return 1


def _slices(modality: str, contrast: str, rng: np.random.Generator) -> int:
    if modality in STACKS and contrast != "SCOUT":
        return int(rng.choice(5, p=[0.42, 0.26, 0.16, 0.1, 0.06])) + 1
    return int(rng.integers(1, 4)) if modality == "US" else 1


def _draw_views(
    modality: str, part: str, device: Device, rng: np.random.Generator
) -> list[tuple[str, tuple[str, ...]]]:
    """Return contrast and views of the series of a part, at least one."""
    offered = _protocols(modality, part)
    taken = [(c, v) for c, v, share in offered if rng.random() < share] or [offered[0][:2]]
    if device.style == "together" and len(taken) > 1:
        return [("", tuple(view for _, view in taken))]
    return [(contrast, (view,)) for contrast, view in taken[:4]]


def _device(
    modality: str, patient: int, site: int, habits: Habits, rng: np.random.Generator
) -> Device:
    """Draw a device, mostly one of the patient's hospital."""
    fleet = [d for d in habits.fleet(modality) if d.site == site]
    if habits.own_machine and rng.random() < habits.own_machine:
        own = fleet or habits.fleet(modality)
        return own[patient % len(own)]
    if fleet and rng.random() < habits.at_home:
        return fleet[int(rng.integers(len(fleet)))]
    return pick(habits.fleet(modality), rng)


def _exam(
    patient: int,
    study: int,
    part: str,
    device: Device,
    *,
    habits: Habits,
    rng: np.random.Generator,
) -> list[Series]:
    exam: list[Series] = []
    modality = device.modality
    written, wrong = _write_part(part, device, habits, rng)
    for contrast, views in _draw_views(modality, part, device, rng):
        if rng.random() < 0.15:
            written, wrong = _write_part(part, device, habits, rng)
        frames = _frames(modality, part, views[0], rng)
        slices = len(views) if len(views) > 1 else _slices(modality, contrast, rng)
        series = Series(
            patient=patient,
            study=study,
            number=len(exam) + 1,
            modality=modality,
            body_part=part,
            views=views,
            contrast=contrast,
            device=device,
            slices=1 if frames > 1 else slices,
            frames=frames,
            written=written,
            wrong=wrong,
        )
        exam.append(series)
    if (modality, part) == ("PT", "WHOLEBODY"):
        fleet = habits.fleet("CT")
        scanner = next((d for d in fleet if d.site == device.site), fleet[0])
        attenuation = _exam(patient, study, part, scanner, habits=habits, rng=rng)
        exam += [replace(s, number=s.number + len(exam)) for s in attenuation]
    return exam


def _dates(count: int, rng: np.random.Generator) -> tuple[dt.date, ...]:
    first = dt.date(2012, 1, 1) + dt.timedelta(days=int(rng.integers(0, 3300)))
    gaps = np.cumsum([0, *rng.integers(0, 200, count - 1)])
    return tuple(first + dt.timedelta(days=int(gap)) for gap in gaps)


def _age(modality: str, rng: np.random.Generator) -> float:
    low = 38.0 if modality == "MG" else 2.0 if modality in ("CR", "DX", "US") else 12.0
    return float(np.clip(rng.normal(56, 18), low, 96))


def _patient(number: int, modality: str, seed: int, habits: Habits) -> Patient:
    rng = np.random.default_rng([seed, 1, number])
    female = bool(modality == "MG" or rng.random() < 0.5)
    site, age = int(rng.integers(3)), _age(modality, rng)
    body = draw_body(int(rng.integers(2**31)), female, age, rng)
    height = float(np.clip((1.65 if female else 1.77) + 0.07 * rng.standard_normal(), 1.1, 2.05))
    weight = float((18.5 + 16 * body.fat + 1.5 * rng.standard_normal()) * height**2)
    count = 1 + int(rng.geometric(0.72) - 1)
    dates = _dates(min(count, 4), rng)
    series: list[Series] = []
    part = _draw_part(modality, rng)
    for study in range(len(dates)):
        if study and rng.random() < 0.5:
            modality = list(EXAMS)[int(rng.choice(len(EXAMS), p=list(EXAMS.values())))]
            modality = "US" if modality == "MG" and not female else modality
            part = _draw_part(modality, rng)
            part = "ABDOMEN" if (modality, part) == ("US", "BREAST") and not female else part
        device = _device(modality, number, site, habits, rng)
        series += _exam(number, study, part, device, habits=habits, rng=rng)
    birth = dates[0] - dt.timedelta(days=int(age * 365.25))
    sex = "F" if female else "M"
    return Patient(number, site, sex, birth, height, weight, body, dates, tuple(series))


def _fit_lengths(
    slices: list[int], stacks: Sequence[int], images: int, rng: np.random.Generator
) -> None:
    """Lengthen or shorten stacks in place until the archive has `images` images."""
    lacking = images - sum(slices)
    for i in rng.permutation(np.asarray(stacks, dtype=np.int64)):
        if lacking < 0:
            cut = min(slices[i] - 1, -lacking)
            slices[i], lacking = slices[i] - cut, lacking + cut
        elif lacking >= 30:
            length = int(min(rng.integers(30, 61), slices[i] + lacking))
            slices[i], lacking = length, lacking - (length - slices[i])
        elif lacking and slices[i] < 5:
            slices[i], lacking = slices[i] + 1, lacking - 1


def plan(patients: int, images: int | None, seed: int, habits: Habits = DEMO) -> list[Patient]:
    """Plan the archive's patients.

    images: reached by making some stacks of slices 30 to 60 long or, if there are too many, by
    cutting stacks to one slice; None leaves stacks short (1 to 5). Every series has at least one
    image.
    """
    rng = np.random.default_rng([seed, 0])
    modalities = _deal_modalities(patients, rng)
    people = [_patient(i, modality, seed, habits) for i, modality in enumerate(modalities)]
    if images is None:
        return people
    all_series = [s for person in people for s in person.series]
    lengths = [s.slices for s in all_series]
    stacks = [i for i, s in enumerate(all_series) if s.modality in STACKS and s.contrast != "SCOUT"]
    _fit_lengths(lengths, stacks, images, rng)
    sized = iter([replace(s, slices=n) for s, n in zip(all_series, lengths, strict=True)])
    return [replace(p, series=tuple(next(sized) for _ in p.series)) for p in people]
