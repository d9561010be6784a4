"""What labels are worth, asked of a finished run by name."""

import json

import polars as pl
import pytest
from running import run


def drawn(directory, *samples):
    """The images of some samples that have a picture."""
    parts = []
    for sample in samples:
        fates = pl.read_parquet(directory / f"results/images/{sample}.parquet")
        images = pl.read_parquet(directory / f"results/samples/{sample}.parquet")
        parts.append(images.filter(fates["reason"].is_null()).select("patient", "body_part"))
    return pl.concat(parts)


def test_worth_is_told_of_other_patients_by_name_alone(copy_of_finished):
    assert not (copy_of_finished / "results/worth.json").exists()
    done = run(copy_of_finished, targets=("worth",))
    found = json.loads((copy_of_finished / "results/worth.json").read_text(encoding="utf-8"))
    names = sorted(path.stem for path in (copy_of_finished / "results/samples").glob("trial-*"))
    learned = drawn(copy_of_finished, "tuning", "autoencoder")
    tested = drawn(copy_of_finished, *names).drop_nulls("body_part")
    assert not set(learned["patient"]) & set(tested["patient"])
    assert (found["target"], found["read"], found["reason"]) == ("body_part", True, None)
    assert (found["learned"], found["tested"]) == (len(learned), len(tested))
    assert found["patients"] == tested["patient"].n_unique()
    assert found["classes"] == tested["body_part"].n_unique()
    assert found["probe"] <= found["tested"] // 2
    commonest = tested["body_part"].value_counts()["count"].max() / len(tested)
    assert found["commonest"] == pytest.approx(commonest)
    assert list(found["labellings"]) == ["nothing", "modality", "labels", "flat"]
    assert sorted(found["more"]) == ["flat", "modality", "nothing"]
    own = found["labellings"]["labels"]["accuracy"]
    for name, figures in found["labellings"].items():
        low, high = figures["ci95"]
        assert 0 <= low < figures["accuracy"] < high <= 1
        if name in found["more"]:
            more = found["more"][name]
            assert more["accuracy"] == pytest.approx(own - figures["accuracy"])
            assert more["ci95"][0] < more["accuracy"] < more["ci95"][1]
    assert "Traceback" not in done.stdout + done.stderr
