"""What must show in the pictures, and what in the tags explains it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from tagsight.demo.devices import devices, spell, spellings, words
from tagsight.demo.patients import make_patient
from tagsight.demo.pictures.body import draw_body
from tagsight.demo.pictures.canvas import Pose, canvas, ellipse, texture
from tagsight.demo.pictures.shots import Shot, take
from tagsight.demo.population import EXAMS, PARTS, Patient, Series, plan
from tagsight.demo.storage import store
from tagsight.demo.technique import HOUNSFIELD, MAKE, signal


def patient_of(seed: int) -> Patient:
    body = replace(draw_body(seed, True, 60.0, np.random.default_rng(seed)), lesion=0.0)
    day = dt.date(2015, 1, 1)
    return Patient(seed, 0, "F", day, 1.7, 70.0, body, (day,), ())


def series_of(modality: str, part: str, view: str, contrast: str = "") -> Series:
    device = devices(modality)[0]
    return Series(
        patient=1,
        study=0,
        number=1,
        modality=modality,
        body_part=part,
        views=(view,),
        contrast=contrast,
        device=device,
        slices=1,
        frames=1,
        written=part,
        wrong=False,
    )


def shot_of(series: Series, seed: int = 1) -> Shot:
    technique = MAKE[series.modality](series, np.random.default_rng(3))
    return Shot(patient_of(seed), series, technique, 0, Pose(), np.random.default_rng(seed))


def picture(series: Series, seed: int = 1) -> np.ndarray:
    return take(shot_of(series, seed))


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_an_ellipse_covers_its_area():
    c = canvas(200, 200, Pose(), np.random.default_rng(0), 0.0)
    area = ellipse(c, (0.1, -0.1), (0.5, 0.3)).sum() / 200**2 * 4
    assert area == pytest.approx(np.pi * 0.5 * 0.3, rel=0.02)


def test_texture_has_the_asked_shape():
    assert texture(np.random.default_rng(0), (61, 47), 9.0).shape == (61, 47)


@pytest.mark.parametrize("modality", ["CR", "MR", "CT"])
def test_body_parts_look_unlike_and_patients_alike(modality):
    a, b = {
        "CR": (series_of("CR", "CHEST", "PA"), series_of("CR", "HAND", "PA")),
        "MR": (series_of("MR", "HEAD", "AX", "T2"), series_of("MR", "LSPINE", "SAG", "T2")),
        "CT": (series_of("CT", "CHEST", "AX", "PLAIN"), series_of("CT", "HEAD", "AX", "PLAIN")),
    }[modality]
    same = likeness(picture(a, 1), picture(a, 2))
    other = likeness(picture(a, 1), picture(b, 2))
    assert same > 0.5
    assert same > other + 0.2
    assert same < 0.999


def test_echo_time_decides_between_dark_and_bright_water():
    t1 = {t: signal(t, (500, 10, None), "T1") for t in ("csf", "wm", "fat", "gm")}
    t2 = {t: signal(t, (4000, 100, None), "T2") for t in ("csf", "wm", "fat", "gm")}
    assert t1["csf"] < t1["gm"] < t1["wm"] < t1["fat"]
    assert t2["csf"] > t2["gm"] > t2["wm"]


def test_inversion_takes_out_what_it_is_timed_for():
    flair = {t: signal(t, (9000, 115, 2450), "FLAIR") for t in ("csf", "gm")}
    stir = {t: signal(t, (4500, 60, 160), "STIR") for t in ("fat", "csf")}
    assert flair["csf"] < 0.4 * flair["gm"]
    assert stir["fat"] < 0.2 * stir["csf"]


def test_iodine_shows_in_vessels():
    rng = np.random.default_rng(0)
    plain = MAKE["CT"](series_of("CT", "CHEST", "AX", "PLAIN"), rng)
    agent = MAKE["CT"](series_of("CT", "CHEST", "AX", "CE"), rng)
    assert plain.tones == HOUNSFIELD
    assert agent.tones["blood"] > plain.tones["blood"] + 90
    assert (agent.tags["ContrastBolusAgent"], plain.tags["ContrastBolusAgent"]) != ("", "")


def test_thin_sharp_slices_are_noisy():
    rng = np.random.default_rng(0)
    soft = [MAKE["CT"](series_of("CT", "CHEST", "AX", "PLAIN"), rng).noise for _ in range(30)]
    sharp = [MAKE["CT"](series_of("CT", "CHEST", "AX", "LUNG"), rng).noise for _ in range(30)]
    assert np.median(sharp) > 2 * np.median(soft)


@pytest.mark.parametrize(("view", "side"), [("L CC", 0), ("R MLO", 1)])
def test_a_breast_lies_at_its_own_edge(view, side):
    image = picture(series_of("MG", "BREAST", view))
    halves = [half.mean() for half in np.array_split(image, 2, axis=1)]
    assert halves[side] > 3 * halves[1 - side]


def test_a_chest_film_has_dark_lungs_beside_a_bright_middle():
    series = series_of("DX", "CHEST", "PA")
    image = picture(series)
    rows, columns = image.shape
    band = image[int(rows * 0.35) : int(rows * 0.5)].mean(axis=0)
    middle, left = band[columns // 2], band[int(columns * 0.3)]
    assert middle > left + 0.15


def test_monochrome1_is_stored_inverted():
    series = series_of("CR", "HAND", "PA")
    dark = next(d for d in devices("CR") if d.style == "mono1")
    light = next(d for d in devices("CR") if d.style == "mono2")
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    stored = []
    for device in (dark, light):
        shot = shot_of(replace(series, device=device))
        stored.append(store(shot, image))
    assert [s.tags["PhotometricInterpretation"] for s in stored] == ["MONOCHROME1", "MONOCHROME2"]
    assert likeness(stored[0].pixels, stored[1].pixels) == pytest.approx(-1, abs=1e-3)


def test_hounsfield_units_survive_storing():
    series = series_of("CT", "ABDOMEN", "AX", "PLAIN")
    for device in devices("CT"):
        shot = shot_of(replace(series, device=device))
        image = take(shot)
        kept = store(shot, image)
        back = kept.pixels.astype(float) + kept.tags["RescaleIntercept"]
        assert np.abs(back - image).max() < 0.501


def test_every_series_of_a_plan_can_be_drawn():
    drawn = set()
    for patient in plan(200, None, 3):
        for series in patient.series:
            key = (series.modality, series.body_part, series.contrast, series.views)
            if key in drawn:
                continue
            drawn.add(key)
            technique = MAKE[series.modality](series, np.random.default_rng(0))
            shot = Shot(patient, series, technique, 0, Pose(), np.random.default_rng(0))
            image = take(shot)
            assert np.isfinite(image).all()
            assert image.ndim == (3 if series.frames > 1 else 2)
    assert len(drawn) > 60


def test_where_a_small_body_leaves_less_than_nothing_there_are_no_counts(tmp_path):
    # A cavity as deep as the wall is bright, and a body smaller than both.
    patient = plan(900, 4200, 2)[759]
    assert {series.modality for series in patient.series} >= {"PT"}
    assert make_patient(tmp_path, patient, 2) == sum(s.slices for s in patient.series)


def test_every_body_part_has_words_and_its_own_spelling():
    parts = {part for group in PARTS.values() for part in group} | {"CHEST", "HAND", "TSPINE"}
    assert set(EXAMS) >= set(PARTS)
    for part in parts:
        assert words(part)["english"]
        for site in range(3):
            assert spellings(part, site)[0] == part


def test_a_machine_keeps_to_one_spelling():
    device, rng = devices("DX")[1], np.random.default_rng(0)
    written = [spell("TSPINE", device, rng) for _ in range(300)]
    usual = max(set(written), key=written.count)
    assert 0.7 < written.count(usual) / 300 < 0.95
