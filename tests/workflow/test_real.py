"""Real scanners' files: every one accounted for, nothing that identifies anyone in any output."""

import json
import logging
import warnings
from pathlib import Path

import polars as pl
import pydicom
import pytest
from running import CLONE, overlay, run

from tagsight.content.tables import content_tables

REAL = CLONE.parent / "shared" / "dicom"
SAMPLES = {"tuning": 160, "holdout": 60, "autoencoder": 200, "trials": 5, "trial": 60}

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here"),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A run over the real files, and what it said on the terminal."""
    directory = tmp_path_factory.mktemp("real")
    config = overlay(
        directory,
        input=str(REAL),
        demo=None,
        privacy__key_file=None,
        samples=SAMPLES | {"per_series": 4},
        cluster__k=[3, 5, 8, 10, 15],
    )
    return directory, run(directory, config)


def table(directory, name):
    shards = sorted((directory / "results" / name).glob("*.parquet"))
    return pl.concat([pl.read_parquet(shard) for shard in shards], how="diagonal")


def test_every_file_is_an_image_or_rejected_with_a_reason(real):
    directory, _ = real
    found, tags, rejected = (table(directory, n) for n in ("files", "tags", "rejected"))
    taken = [*tags["path"], *rejected["path"]]
    assert sorted(taken) == sorted(found["path"])
    assert len(taken) == sum(path.is_file() for path in REAL.rglob("*"))
    assert rejected["reason"].null_count() == 0
    assert len(tags) > 0.9 * len(found)


def test_every_image_is_annotated(real):
    directory, _ = real
    tags = table(directory, "tags")
    annotations = pl.read_csv(directory / "results/annotations.csv")
    assert sorted(annotations["image"]) == sorted(tags["image"])
    assert annotations["cluster"].null_count() == 0


def test_words_of_tags_agree_with_those_of_descriptions(real):
    facets = json.loads((real[0] / "results/facets.json").read_text(encoding="utf-8"))
    plane, weighting = facets["plane"], facets["weighting"]
    assert plane["compared"] >= 40
    assert plane["agree"] >= 0.95 * plane["compared"]
    assert weighting["compared"] >= 40
    assert weighting["agree"] >= 0.9 * weighting["compared"]


def test_the_first_word_of_a_name_holds_for_nine_tenths_of_its_images(real):
    """It is a modality, or what a kind is called; or it says the mix."""
    annotations = pl.read_csv(real[0] / "results/annotations.csv")
    called = content_tables().kinds
    modalities = set(annotations["modality"].drop_nulls())
    plain = 0
    for (name,), images in annotations.group_by("name"):
        first = name.split(" · ")[0]
        if "/" in first or "%" in first:
            continue
        plain += 1
        of_kind = [called.words(kind) == first for kind in images["kind"]]
        assert sum(of_kind) >= 0.9 * len(images), name
        if first in modalities:
            stated = images["modality"].drop_nulls()
            assert (stated == first).sum() >= 0.9 * len(stated), name
    assert plain > 0.8 * annotations["name"].n_unique()


def test_every_image_that_was_drawn_for_a_sample_could_be(real):
    fates = table(real[0], "images")
    assert fates["reason"].drop_nulls().to_list() == []


def test_no_traceback_reaches_the_terminal(real):
    said = real[1].stdout + real[1].stderr
    assert "Traceback" not in said
    assert "Warning:" not in said


def test_nothing_that_identifies_reaches_a_result_or_a_log(real):
    directory, done = real
    texts = {"the terminal": done.stdout + done.stderr}
    for path in directory.rglob("*"):
        if path.suffix == ".parquet" and path.is_file():
            frame = pl.read_parquet(path)
            if path.name == "labels.parquet":  # for those on site, whose own UIDs these are
                frame = frame.select(pl.exclude("^.*InstanceUID$"))
            texts[str(path)] = "\n".join(strings(frame))
        elif path.suffix in {".json", ".csv", ".log", ".tsv", ".html", ".txt", ".svg"}:
            texts[str(path)] = path.read_text(errors="replace", encoding="utf-8").replace(
                str(REAL), ""
            )
    secrets = identities()
    assert len(secrets) > 500
    assert [where for where, text in texts.items() if any(s in text for s in secrets)] == []


def strings(frame):
    """All different texts of a table, paths excepted."""
    for column in frame.columns:
        if frame[column].dtype == pl.String and column != "path":
            yield from frame[column].drop_nulls().unique()


IDENTIFYING = (
    *("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "InstitutionName"),
    *("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"),
    *("ReferringPhysicianName", "OperatorsName", "DeviceSerialNumber", "StationName"),
)


def identities():
    """Identifying values of the real files that are long enough to be no coincidence."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    found = set()
    for path in sorted(p for p in REAL.rglob("*") if p.is_file()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found |= set(identities_of(path))
    return found


def identities_of(path: Path):
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except Exception:  # some are broken on purpose: they have nothing to tell
        return
    for keyword in IDENTIFYING:
        try:
            text = str(header.get(keyword) or "").strip()
        except Exception:
            continue
        if len(text) >= 7 and len(set(text)) > 2 and not text.isalpha():
            yield text
