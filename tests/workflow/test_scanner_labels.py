"""Labels that are scanners are called so by the page: in its sentence, in its table, on its cards.

The demo's pictures do not know their scanner, so this archive's do: a grating whose direction and
width are the model's, over a faint shape of the region. With tags of all roles labels are made of
what machines say of themselves.
"""

import json

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from running import overlay, run

from tagsight.dicom.roles import ROLES

pytestmark = pytest.mark.long

PATIENTS, SIZE = 120, 64
REGIONS = ("BRAIN", "KNEE")
SCANNERS = (  # maker, model, direction of the grating, its period in pixels
    ("SIEMENS", "Avanto", 0.0, 6),
    ("GE MEDICAL SYSTEMS", "Signa HDxt", 1.6, 6),
    ("Philips Medical Systems", "Achieva", 0.8, 10),
)


def picture(scanner, region, rng):
    """Return uint16 (64, 64): mostly the scanner's grating, a little of the region, and noise."""
    _, _, direction, period = SCANNERS[scanner]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    along = x * np.cos(direction) + y * np.sin(direction)
    phase = 2 * np.pi * along / period + rng.normal(0, 0.2)
    radius = np.hypot(x, y if region == "BRAIN" else 2 * y)
    shape = 8 * (radius < 22 + rng.normal(0, 2))
    values = 120 + 60 * np.sin(phase) + shape + rng.normal(0, 8, (SIZE, SIZE))
    return np.clip(np.rint(values), 0, 255).astype(np.uint16)


def write(path, patient, scanner, region, rng):
    maker, model, *_ = SCANNERS[scanner]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[f"study {patient}"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {patient} {region}"])
    dataset.PatientID, dataset.Modality, dataset.BodyPartExamined = f"P{patient}", "MR", region
    dataset.Manufacturer, dataset.ManufacturerModelName = maker, model
    dataset.SoftwareVersions = f"{model} {rng.integers(1, 3)}"
    dataset.MagneticFieldStrength = ("1.5", "1", "3")[scanner]
    dataset.ReceiveCoilName = f"{maker[:2]} {rng.integers(1, 3)}"
    dataset.RepetitionTime = f"{rng.normal(2000, 400):.1f}"
    dataset.Rows = dataset.Columns = SIZE
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = picture(scanner, region, rng).tobytes()
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of a run whose labels are made of tags of all roles."""
    folder, rng = tmp_path_factory.mktemp("scanners"), np.random.default_rng(5)
    (folder / "archive").mkdir()
    for patient in range(PATIENTS):
        for image in range(6):
            path = folder / "archive" / f"{patient}-{image}.dcm"
            write(path, patient, patient % 3, REGIONS[image % 2], rng)
    (folder / "key").write_text("the patients of this archive are invented\n", encoding="utf-8")
    (folder / "key").chmod(0o600)
    config = {
        "input": str(folder / "archive"),
        "demo": None,
        "privacy__key_file": str(folder / "key"),
        "labels__roles": list(ROLES),
        "labels__count": 6,
        "samples": {"tuning": 150, "holdout": 60, "autoencoder": 150, "trials": 6, "trial": 60},
        "autoencoder__epochs": 4,
    }
    run(folder, overlay(folder, **config))
    return folder / "results"


def test_the_sentence_says_that_labels_are_scanners(results):
    scanners = json.loads((results / "evaluation.json").read_text(encoding="utf-8"))["scanners"]
    said = (results / "report/result.txt").read_text(encoding="utf-8")
    assert scanners["verdict"] == "scanners", scanners
    assert "they are scanners more than anatomy" in said
    assert "they are scanners more than anatomy" in (results / "report/index.html").read_text(
        encoding="utf-8"
    )
    assert "anatomy rather than scanners" not in said


def test_the_table_shows_that_little_is_left_among_images_of_one_scanner(results):
    pair = json.loads((results / "evaluation.json").read_text(encoding="utf-8"))["pair"]["labels"]
    inside, of_one = pair["modality"]["explained"], pair["modality_model"]["explained"]
    page = (results / "report/index.html").read_text(encoding="utf-8")
    assert of_one < inside / 2
    assert "(so these labels are scanners more than anatomy)" in page


def test_each_card_says_that_its_label_is_of_one_makers_machines(results):
    cards = json.loads((results / "cards.json").read_text(encoding="utf-8"))
    page = (results / "report/index.html").read_text(encoding="utf-8")
    assert len(cards) == len(SCANNERS) * len(REGIONS)
    assert all(card["maker"]["one"] for card in cards)
    assert page.count("One maker’s machines") == len(cards)
