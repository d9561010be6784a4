"""An archive of three files has labels, and a page that says what could not be tested and why."""

import json

import polars as pl
import pytest
from pydicom.data import get_testdata_file
from running import overlay, run

FILES = ("CT_small.dcm", "MR_small.dcm", "SC_rgb_rle.dcm")


@pytest.mark.parametrize("tree", [False, True])
def test_three_files_have_labels_and_are_told_what_could_not_be_tested(tmp_path, tree):
    paths = [str(get_testdata_file(name, download=False)) for name in FILES]
    (tmp_path / "list.txt").write_text("\n".join(paths) + "\n", encoding="utf-8")
    own = {"input": "list.txt", "demo": None, "privacy__key_file": None, "tags__shards": None}
    own["labels__tree"] = tree
    done = run(tmp_path, overlay(tmp_path, **own))
    labelled = pl.read_csv(tmp_path / "results/annotations.csv")
    assert sorted(labelled["path"]) == sorted(paths)
    assert labelled["label" if tree else "cluster"].null_count() == 0
    draws = json.loads((tmp_path / "results/draws.json").read_text(encoding="utf-8"))
    said = (tmp_path / "results/report/result.txt").read_text(encoding="utf-8")
    assert any("look alike was not tested" in line for line in draws["untested"])
    for line in draws["untested"]:
        assert line in said
        assert line in (tmp_path / "logs/draws.log").read_text(encoding="utf-8")
        assert line in (tmp_path / "results/report/index.html").read_text(encoding="utf-8")
    evaluation = json.loads((tmp_path / "results/evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["trials"]["n"] == 0
    assert pl.read_parquet(tmp_path / "results/training.parquet").is_empty()
    logs = [path.read_text(encoding="utf-8") for path in (tmp_path / "logs").rglob("*.log")]
    assert not any("Traceback" in text for text in [done.stdout, done.stderr, *logs])
