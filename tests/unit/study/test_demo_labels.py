"""What was planted, as the table that `worth.labels` takes."""

import polars as pl

from study import demo_labels
from study.demo_scores import ARCHIVE


def test_every_planted_image_has_what_was_planted_in_it(tmp_path):
    for folder in ("annotations", "demo"):
        (tmp_path / "results" / folder).mkdir(parents=True)
    truth = {
        "path": ["a.dcm", "b.dcm", "c.dcm"],
        "modality": ["DX", "MR", "CT"],
        "body_part": ["CHEST", "KNEE", "HEAD"],
        "view": ["PA", None, "AX"],
        "contrast": [None, "T1", None],
        "broken": [None, None, "cut"],
    }
    pl.DataFrame(truth).write_parquet(tmp_path / "results/demo/truth.parquet")
    annotations = pl.DataFrame(
        {
            "image": ["2", "1", "3", "4"],
            "path": [f"{ARCHIVE}{name}.dcm" for name in ("b", "a", "c", "pydicom/x")],
        }
    )
    annotations.write_parquet(tmp_path / "results/annotations/0.parquet")
    demo_labels.main([str(tmp_path)])
    table = pl.read_csv(tmp_path / "results/demo/labels.csv")
    assert table.rows() == [(1, "DX CHEST PA "), (2, "MR KNEE  T1")]
