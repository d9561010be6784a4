import hashlib
import subprocess
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from tagsight.demo import archive
from tagsight.demo.archive import packaged_files, write
from tagsight.demo.habits import Habits
from tagsight.demo.population import plan

PATIENTS, IMAGES = 30, 110
MODALITIES = {"CT", "MR", "CR", "DX", "MG", "US", "NM", "PT", "XA"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write(folder / "a", folder / "a.parquet", patients=PATIENTS, images=IMAGES, seed=1)
    return folder / "a", pl.read_parquet(folder / "a.parquet")


@pytest.fixture(scope="module")
def headers(made):
    folder, truth = made
    good = truth.filter(pl.col("broken").is_null())
    return [(row, pydicom.dcmread(folder / row["path"])) for row in good.iter_rows(named=True)]


def pixels_of(path: Path) -> np.ndarray:
    return pydicom.dcmread(path).pixel_array


def digests(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_same_bytes_whatever_the_number_of_processes(made, tmp_path):
    counted = Counter()

    class Told:
        def add(self, n):
            counted["images"] += n

    truth = tmp_path / "b.parquet"
    write(
        tmp_path / "b", truth, patients=PATIENTS, images=IMAGES, seed=1, threads=2, progress=Told()
    )
    assert digests(tmp_path / "b") == digests(made[0])
    assert pl.read_parquet(truth).equals(made[1])
    assert counted["images"] == made[1]["broken"].is_null().sum()


def test_another_seed_makes_another_archive(made):
    other = archive.truth_table(PATIENTS, IMAGES, 2)
    assert set(other["path"]).isdisjoint(made[1]["path"])


def test_truth_lists_every_file_once(made):
    folder, truth = made
    assert sorted(digests(folder)) == truth["path"].to_list()
    assert truth["path"].is_unique().all()


def test_every_modality_even_in_a_small_archive(made):
    assert set(made[1]["modality"].drop_nulls()) == MODALITIES


def test_good_files_are_valid_and_show_something(headers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, ds in headers:
            pixels = ds.pixel_array
            assert pixels.std() > 0
            assert pixels.max() < 2**ds.BitsStored
            assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
            assert len([e.value for e in ds.iterall()]) > 40


def test_uids_are_unique_where_they_must_be(headers):
    images = Counter(ds.SOPInstanceUID for _, ds in headers)
    assert max(images.values()) == 1
    series = {
        (ds.SeriesInstanceUID, row["patient"], row["study"], row["series"]) for row, ds in headers
    }
    assert len(series) == len({uid for uid, *_ in series})
    studies = {(ds.StudyInstanceUID, row["patient"], row["study"]) for row, ds in headers}
    assert len(studies) == len({uid for uid, *_ in studies})


def test_tags_agree_with_truth(headers):
    for row, ds in headers:
        assert ds.Modality == row["modality"]
        assert row["instance"] == ds.InstanceNumber
        blank = ds.get("BodyPartExamined") in (None, "", "UNKNOWN", "N/A")
        assert blank == row["body_part_missing"]


def test_broken_files_differ_from_images_as_they_say(made):
    folder, truth = made
    broken = truth.filter(pl.col("broken").is_not_null())
    assert broken["broken"].n_unique() >= 9
    for path, kind in broken.select("path", "broken").iter_rows():
        if kind == "duplicate":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(Exception, match=r"\S"):
                pixels_of(folder / path)


def test_a_duplicate_is_a_copy_of_a_file_of_its_folder(made):
    folder, truth = made
    copy = truth.filter(pl.col("broken") == "duplicate")["path"][0]
    sums = digests((folder / copy).parent)
    assert Counter(sums.values())[sums[Path(copy).name]] == 2


def test_full_plan_has_what_was_asked_for():
    truth = archive.truth_table(450, 3400, 1)
    series = truth.unique(["patient", "study", "series"])
    assert truth.height == 3400
    assert series.height >= 1000
    assert truth["patient"].n_unique() == 450
    assert truth.group_by("patient", "study", "series").len()["len"].max() <= 60
    exams = truth.group_by("patient").agg(pl.col("study").n_unique())
    assert (exams["study"] > 1).mean() > 0.15
    written = series.filter(~pl.col("body_part_missing"))
    assert 0.02 < written["body_part_wrong"].mean() < 0.08
    assert 0.1 < series["body_part_missing"].mean() < 0.4
    parts = series.group_by("modality").agg(pl.col("body_part").n_unique())
    assert (parts.filter(pl.col("modality") != "MG")["body_part"] >= 2).all()


def test_images_are_neither_too_many_nor_too_few():
    short = archive.truth_table(60, None, 1)
    assert archive.truth_table(60, 240, 1).height == 240
    series = short.unique(["patient", "study", "series"]).height
    # Mammograms of one series are one series but several images.
    assert series <= archive.truth_table(60, 1, 1).height < short.height


def test_a_fault_in_a_process_is_not_lost(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(archive, "_command", lambda *_: ["false"])
    with pytest.raises(subprocess.CalledProcessError):
        write(tmp_path / "a", tmp_path / "a.parquet", patients=9, images=None, seed=1, threads=2)


def test_packaged_files_are_there_and_mostly_dicom():
    found = packaged_files()
    assert len(found) > 50
    assert all(path.is_file() for path in found)
    starts = [path.read_bytes()[128:132] == b"DICM" for path in found]
    assert np.mean(starts) > 0.9


def test_habits_decide_machines_and_body_parts():
    habits = Habits(machines=1, own_machine=1.0, filled=1.0, wrong=0.0)
    truth = archive.truth_table(90, None, 1, habits)
    assert truth.group_by("modality").agg(pl.col("maker").n_unique())["maker"].max() == 1
    assert not truth["body_part_missing"].any()
    assert not truth["body_part_wrong"].any()
    assert set(truth["modality"]) == MODALITIES
    usual = archive.truth_table(90, None, 1)
    assert usual["body_part_missing"].any()
    half = archive.truth_table(90, None, 1, Habits(filled=0.5, wrong=0.5))
    assert 0.3 < half["body_part_missing"].mean() < 0.7
    assert half["body_part_wrong"].mean() > 0.1


def test_a_patient_with_a_machine_of_his_own_is_always_on_it():
    people = plan(200, None, 2, Habits(own_machine=1.0))
    for person in people:
        used = {(s.modality, s.device.number) for s in person.series if s.body_part != "WHOLEBODY"}
        assert len(used) == len({modality for modality, _ in used})


def test_processes_know_the_habits(tmp_path):
    habits = Habits(machines=1, filled=0.5, wrong=0.3)
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        sizes = {"patients": 10, "images": 30, "seed": 4}
        write(folder / "a", folder / "t.parquet", **sizes, habits=habits, threads=threads)
    assert digests(tmp_path / "1/a") == digests(tmp_path / "2/a")
