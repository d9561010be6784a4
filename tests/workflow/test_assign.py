"""New images later: they get a finished run's labels, and nothing of the run is touched."""

import shutil

import numpy as np
import polars as pl
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, OphthalmicTomographyImageStorage
from running import overlay, run

from tagsight.run.atomic import read_json

pytestmark = pytest.mark.long

OWN = ("assign", "resume")  # what the rule leaves
PACKAGED = ("CT_small.dcm", "MR_small.dcm", "reportsi.dcm")


def written(directory):
    """Path -> bytes and time of all results but the rule's own."""
    paths = [path for path in sorted((directory / "results").rglob("*")) if path.is_file()]
    others = [path for path in paths if not any(own in str(path) for own in OWN)]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in others}


def write_foreign(path):
    """An image of a kind that the run has none of."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = OphthalmicTomographyImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    image.SeriesInstanceUID = image.StudyInstanceUID = "2.25.2"
    image.PatientID = "foreign"
    image.Modality, image.ImageType, image.Manufacturer = "OPT", ["MIXED", "VOLUME"], "Topcon"
    image.BodyPartExamined, image.AcquisitionContrast = "RETINA", "UNKNOWN"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME1"
    image.Rows = image.Columns = 31
    image.BitsAllocated, image.BitsStored, image.HighBit = 8, 7, 6
    image.PixelRepresentation, image.PatientOrientation = 0, ["X", "Y"]
    image.PixelData = np.zeros((31, 31), np.uint8).tobytes() + b"\0"
    image.save_as(path, enforce_file_format=True)


@pytest.fixture
def new(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    for name in PACKAGED:
        shutil.copy(get_testdata_file(name), folder)
    write_foreign(folder / "foreign.dcm")
    (folder / "notes.txt").write_text("no image", encoding="utf-8")
    return folder


def test_new_images_are_assigned_and_the_run_is_left_as_it_is(copy_of_finished, new, tmp_path):
    """Though its config has changed since, and its archive has grown.

    CT_small.dcm is in the demo's archive too; MR_small.dcm shares its UID with other files there.
    """
    archive = copy_of_finished / "results/demo/archive"
    known = sorted(path for path in archive.iterdir() if path.is_dir())[0]
    shutil.copy(get_testdata_file("CT_small.dcm"), archive / "later.dcm")
    copied = next(path for path in sorted(known.rglob("*")) if path.is_file())
    shutil.copy(copied, new / "copied.dcm")
    before = written(copy_of_finished)
    places = [str(new), str(known.relative_to(copy_of_finished))]
    changed = {"seed": 9, "labels__count": 4, "tags__shards": 1, "privacy__keep": []}
    config = overlay(tmp_path, assign__input=places, **changed)
    done = run(copy_of_finished, config, targets=["assign"])
    assert written(copy_of_finished) == before

    results = copy_of_finished / "results"
    table = pl.read_parquet(results / "assign.parquet")
    assert pl.read_csv(results / "assign.csv")["image"].to_list() == table["image"].to_list()
    annotated = pl.read_parquet(results / "annotations/*.parquet")
    own = table.filter("known").join(annotated, on="image", suffix="_before")
    assert len(own) == sum(path.is_file() for path in known.rglob("*"))
    for column in ("kind", "label", "name", "cluster", "second", "because"):
        assert own[column].equals(own[f"{column}_before"]), column
    fits = {path.split("/")[-1]: fit for path, fit in table["path", "fits"].rows()}
    # Too few patients of this small run have CT to say what fits there.
    assert (fits["CT_small.dcm"], fits["foreign.dcm"]) == (None, False)
    copies = table.filter("known").join(own, on="image", how="anti")["path"]
    assert {path.split("/")[-1] for path in copies} == {"copied.dcm", "CT_small.dcm"}

    foreign = table.filter(pl.col("path").str.ends_with("foreign.dcm"))
    assert foreign.select("kind", "label", "unseen").row(0) == ("OPT", None, "kind")

    told = read_json(results / "assign.json")
    assert told["rejected"] == {"no_pixels": 1, "not_dicom": 1}
    assert (told["new"], told["known"]) == (2, len(own) + 2)
    assert told["kinds"]["OPT"] == {"new": 1, "fit_none": 1, "in_run": False}
    rejected = pl.read_csv(results / "assign_rejected.csv")
    assert sorted(rejected["path"].str.split("/").list.last()) == ["notes.txt", "reportsi.dcm"]
    assert told["result"] in done.stdout
    assert "results/assign.csv" in done.stdout
    assert "report/index.html" not in done.stdout
    assert "results/assign" not in (copy_of_finished / "logs/assign.log").read_text(
        encoding="utf-8"
    )

    shutil.copy(get_testdata_file("MR_small.dcm"), new / "one more.dcm")
    run(copy_of_finished, config, targets=["assign"])
    assert ", 1 of them new" in (copy_of_finished / "logs/assign.log").read_text(encoding="utf-8")
    assert written(copy_of_finished) == before


def test_a_run_that_is_not_finished_is_refused_in_a_line(copy_of_finished, new, tmp_path):
    (copy_of_finished / "results/cards.json").unlink()
    before = written(copy_of_finished)
    config = overlay(tmp_path, assign__input=str(new))
    done = run(copy_of_finished, config, targets=["assign"], check=False)
    assert done.returncode != 0
    assert "assign: results/cards.json is not there: new images are put" in done.stderr
    assert written(copy_of_finished) == before
