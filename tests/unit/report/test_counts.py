"""Counts against a small archive that one can count by eye."""

import polars as pl

from tagsight.report.counts import counts, trial_sizes
from tagsight.tags.encoding import PRESENCE, Column


def test_everything_is_counted_and_files_add_up():
    tags = pl.LazyFrame(
        {
            "image": ["a", "b", "c", "d"],
            "series": ["1", "1", "2", None],
            "patient": ["p", "p", None, None],
        }
    )
    rejected = pl.DataFrame({"reason": ["no_pixels", "not_dicom", "no_pixels"]})
    keywords = ["KVP", "Modality", "Rows", "KVP"]  # of a tree, KVP in two kinds
    selection = pl.DataFrame({"keyword": keywords, "fate": ["kept", "dropped", "kept", "kept"]})
    columns = [
        Column("KVP", "KVP", "numeric", "number"),
        Column("KVP?", "KVP", "categorical", PRESENCE),
    ]
    fates = pl.DataFrame(
        {
            "reason": [None, "decoder_failed", None, None],
            "remark": ["other_colours", None, None, "another_size; other_colours"],
        }
    )
    found = counts(tags, rejected, selection, columns, {"tuning": 3, "trial-01": 1}, fates)
    assert found == {
        "files": 7,
        "images": 4,
        "series": 2,
        "patients": 1,
        "unknown_patient": 2,
        "rejected": {"no_pixels": 2, "not_dicom": 1},
        "tags": 3,
        "kept": 2,
        "columns": 2,
        "presence": 1,
        "samples": {"tuning": 3, "trial-01": 1},
        "drawn": 4,
        "undrawn": {"decoder_failed": 1},
        "remarks": {"other_colours": 2, "another_size": 1},
    }
    assert list(found["rejected"]) == ["no_pixels", "not_dicom"]


def test_trials_are_told_from_the_other_samples():
    sizes = {"tuning": 9, "trial-01": 4, "trial-02": 5, "trial-03": 0}
    assert trial_sizes(sizes) == [4, 5]
