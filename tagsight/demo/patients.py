"""All files of one patient: the unit of work of a process."""

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np

from tagsight.demo.devices import Device
from tagsight.demo.pictures.shots import Shot, draw_pose, take
from tagsight.demo.population import Patient, Series
from tagsight.demo.storage import build, save, store
from tagsight.demo.tags import Tags, device_tags, image_tags, patient_tags, series_tags, study_tags
from tagsight.demo.technique import MAKE

TRACERS = {"FDG": "Fluorodeoxyglucose", "MDP": "Tc99m MDP", "TC99M": "Tc-99m pertechnetate",
           "MIBI": "Sestamibi"}  # fmt: skip


def opaque_name(seed: int, *parts: object) -> str:
    """Return a folder or file name of eight characters without meaning."""
    text = "\0".join(str(part) for part in (seed, *parts))
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest().upper()


def path_of(series: Series, image: int, seed: int) -> str:
    """Return an image's path inside the archive, as its PACS would export it."""
    study = opaque_name(seed, "study", series.patient, series.study)
    folder = opaque_name(seed, "series", series.patient, series.study, series.number)
    name = (f"{image + 1:08d}.dcm", f"I{image:05d}", f"IM-{series.number:04d}-{image + 1:04d}.dcm")
    person = opaque_name(seed, "patient", series.patient)
    return f"{person}/{study}/{folder}/{name[series.device.site]}"


def truth(series: Series, image: int, seed: int) -> dict[str, object]:
    """Return what was planted in one image."""
    return {
        "path": path_of(series, image, seed),
        "modality": series.modality,
        "body_part": series.body_part,
        "view": series.view(image),
        "contrast": series.contrast or None,
        "maker": series.device.maker,
        "patient": series.patient,
        "study": series.study,
        "series": series.number,
        "instance": image + 1,
        "body_part_wrong": series.wrong,
        "body_part_missing": not series.written,
        "broken": None,
    }


def _tracer_tags(series: Series, shared: Tags) -> Tags:
    """Return the radiopharmaceutical of a nuclear series; empty for others."""
    if series.modality not in ("NM", "PT"):
        return {}
    item = {"Radiopharmaceutical": TRACERS[series.contrast], "RadionuclideTotalDose": 350000000.0}
    clock = dt.datetime.strptime(str(shared["StudyTime"])[:6], "%H%M%S").replace(tzinfo=dt.UTC)
    started = {"RadiopharmaceuticalStartTime": (clock - dt.timedelta(hours=1)).strftime("%H%M%S")}
    return {"RadiopharmaceuticalInformationSequence": [item | started]}


def _series(folder: Path, patient: Patient, series: Series, exam: Tags, seed: int) -> None:
    key = [seed, 2, patient.number, series.study, series.number]
    rng = np.random.default_rng(key)
    technique = MAKE[series.modality](series, rng)
    pose = draw_pose(series, technique.zoom, rng)
    shared = exam | technique.tags | series_tags(series, technique, seed, rng)
    shared |= _tracer_tags(series, shared)
    for image in range(series.slices):
        chance = np.random.default_rng([*key, image])
        image_pose = (
            pose if series.slices > len(series.views) else draw_pose(series, pose.zoom, chance)
        )
        shot = Shot(patient, series, technique, image, image_pose, chance)
        tags = shared | image_tags(series, technique, image, shared, seed)
        stored = store(shot, take(shot))
        ds = build(tags, stored, series.device, patient.number * 100 + series.number)
        save(ds, folder / path_of(series, image, seed))


def _exam(patient: Patient, series: Series, device: Device, seed: int) -> Tags:
    """Return an exam's tags, the same for a second device in the same exam (PET-CT)."""
    rng = np.random.default_rng([seed, 3, patient.number, series.study])
    tags = device_tags(device) | patient_tags(patient, device, series.study, rng)
    return tags | study_tags(patient, series, seed, rng)


def make_patient(folder: Path, patient: Patient, seed: int) -> int:
    """Write all files of a patient under `folder`; returns their number."""
    first: dict[int, Series] = {}
    for series in patient.series:
        lead = first.setdefault(series.study, series)
        exam = _exam(patient, lead, lead.device, seed) | device_tags(series.device)
        _series(folder, patient, series, exam, seed)
    return sum(series.slices for series in patient.series)
