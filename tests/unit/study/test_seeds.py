"""What counts as a run that ended as it should."""

import json

import numpy as np
import polars as pl
import pytest

from study.seeds import ARCHIVES, failure

SAID = "3 images of 1 kind have 1 label. Whether images of a label look alike could not be tested."


@pytest.fixture
def run(tmp_path):
    """A finished run of three images that were not tested."""
    results = tmp_path / "results"
    (results / "report").mkdir(parents=True)
    (tmp_path / "logs").mkdir()
    pl.DataFrame({"label": [1, 1, 1]}).write_csv(results / "annotations.csv")
    (results / "draws.json").write_text(
        json.dumps({"untested": ["No patient is left."]}), encoding="utf-8"
    )
    (results / "evaluation.json").write_text(
        json.dumps({"pair": {"labels": {"modality": {"p": None}}}}), encoding="utf-8"
    )
    (results / "report/result.txt").write_text(f"{SAID}\n- No patient is left.\n", encoding="utf-8")
    return tmp_path


def test_a_run_with_labels_that_says_what_was_not_tested_is_right(run):
    assert failure([], run, 1) is None


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("logs/cards.log", "Traceback (most recent call last)", "traceback"),
        ("results/annotations.csv", "label,name\n1,CT\n,MR\n", "1 of 2 images have no label"),
        ("results/annotations.csv", "label\n", "0 of 0 images"),
        ("results/report/result.txt", SAID, "does not say what could not"),
        (
            "results/report/result.txt",
            "All is well. No patient is left.",
            "and result.txt does not",
        ),
    ],
)
def test_what_is_wrong_with_a_run_is_told(run, path, content, why):
    (run / path).write_text(content, encoding="utf-8")
    assert why in failure([], run, 1)


def test_archives_are_of_one_patient_of_one_modality_and_of_so_many_files():
    files = pl.DataFrame(
        {
            "path": [f"/{i}" for i in range(400)],
            "patient": [f"p{i % 7}" for i in range(400)],
            "Modality": ["CT", None, "MR", "MR"] * 100,
        }
    )
    drawn = {name: draw(files, np.random.default_rng(3)) for name, draw in ARCHIVES.items()}
    for name, column in (("one patient", "patient"), ("one modality", "Modality")):
        assert files.filter(pl.col("path").is_in(drawn[name]))[column].n_unique() == 1
    assert [len(set(drawn[name])) for name in ("3 files", "40 files", "300 files")] == [3, 40, 300]
