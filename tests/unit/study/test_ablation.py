"""The ablation on a made-up run: what it says is what a plain reading of its method gives."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score

from study import ablation
from study.ablation import DEFAULT, Variant, compared, results, section
from study.data import Data
from tagsight.clustering import k_medoids
from tagsight.gower import metric
from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART
from tagsight.tags import encoding
from tagsight.tags.frequencies import frequencies


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six kinds of images in three modalities, of 60 patients; a kind has tags of its own."""
    run, n = tmp_path_factory.mktemp("run"), 180
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 6, n)
    columns = {
        "image": [f"{i:032x}" for i in range(n)],
        **{level: [f"{level}{i}" for i in range(n)] for level in ("series", "study")},
        "patient": [f"p{i % 60}" for i in range(n)],
        "path": ["x"] * n,
        "Modality": np.array(["CT", "MR", "US"])[kind // 2].tolist(),
        "BodyPartExamined": np.array(["HEAD", "KNEE"])[kind % 2].tolist(),
        "PatientAge": [f"{a:03d}Y" for a in rng.integers(20, 90, n)],
        "PatientSex": rng.choice(["F", "M"], n).tolist(),
    }
    for i in range(12):
        value = kind * 10 + rng.integers(0, 12, n)
        there = (kind // 2 == i % 3) | (rng.random(n) < 0.2)
        keyword = ABOUT[i]
        columns[keyword] = [str(v) if t else None for v, t in zip(value, there, strict=True)]
    tags = pl.DataFrame(columns)
    (run / "results/tags").mkdir(parents=True)
    tags.write_parquet(run / "results/tags/0.parquet")
    frequencies(tags.lazy()).write_parquet(run / "results/frequencies.parquet")
    sample = tags.select(
        "image",
        "series",
        "study",
        "patient",
        modality="Modality",
        body_part="BodyPartExamined",
        manufacturer=pl.lit(None, pl.String),
    ).sample(fraction=1, shuffle=True, seed=1)
    kinds = sample.join(tags.select("image", kind=pl.Series(kind)), on="image", how="left")["kind"]
    pictures = np.eye(6, dtype=np.float32)[kinds] + rng.normal(0, 0.3, (n, 6)).astype(np.float32)
    return Data("made", 1, sample, encoding.Encoding("linear", ()), None, pictures, run)


ABOUT = [
    "KVP",
    "RepetitionTime",
    "Exposure",
    "EchoTime",
    "SliceThickness",
    "FlipAngle",
    "XRayTubeCurrent",
    "SAR",
    "TableHeight",
    "ExposureTime",
    "PixelBandwidth",
    "NumberOfAverages",
]


@pytest.fixture(scope="module")
def found(data):
    chosen = [DEFAULT, ablation.variants()[1], Variant("tags", "70", select={"count": 70})]
    chosen += [Variant("scale", "rank", gower={"scale": "rank"})]
    chosen += [Variant("tags by entropy", "4", select={"method": "entropy", "count": 4})]
    return results(data, chosen, bootstraps=3)


def test_figures_are_what_a_plain_reading_gives(data, found):
    archive = ablation.Archive(data)
    how = {"distance": "linear", "presence_weight": 1.0, "scale": "range", "weights": "equal"}
    frame, fitted = archive.encoded(archive.tags_of(DEFAULT), how)
    assert frame["image"].equals(data.sample["image"])
    told, untold = (
        metric.matrix(encoding.to_features(frame, columns))
        for columns in (fitted, fitted.without(MODALITY_AND_BODY_PART))
    )
    (default,) = [each for each in found if each.variant == DEFAULT and each.k == 15]
    own, without = (k_medoids.grid(each, [15])[0].labels for each in (told, untold))
    assert default.figures["silhouette"] == pytest.approx(
        silhouette_score(told, own, metric="precomputed"), abs=1e-5
    )
    known = adjusted_mutual_info_score(data.sample["modality"].to_list(), without)
    assert default.figures["modality"] == pytest.approx(known)
    assert default.figures["explained"] > 0.3  # looks and tags come of the same kinds
    assert -0.2 < default.figures["beyond"] < default.figures["explained"]
    assert 0 < default.figures["stability"] <= 1


def test_differences_are_from_the_default_on_the_same_draws(found):
    rows = compared(found)
    assert set(rows["factor"]) == {"default", "presence weight", "tags", "scale", "tags by entropy"}
    for factor in ("default", "tags"):  # 70 tags are the default under another name
        same = rows.filter(factor=factor)
        assert same.select("difference", "difference_sd", "clear").to_numpy().any() == np.False_
    default, changed = (
        rows.filter(factor=factor, k=15, measure="modality").row(0, named=True)
        for factor in ("default", "presence weight")
    )
    assert changed["difference"] == pytest.approx(changed["figure"] - default["figure"])
    assert changed["clear"] == -1  # which tags are filled tells the modality here


def test_presence_and_number_of_tags_show(found):
    columns = {(each.variant.factor, each.variant.setting): each for each in found}
    assert columns["presence weight", "0"].columns < columns["default", ""].columns
    assert columns["tags by entropy", "4"].tags == 4


def test_the_text_has_every_variant_and_says_what_is_clear(data, found, monkeypatch):
    monkeypatch.setattr(ablation, "results", lambda *_: found)
    planted = Data("planted", 1, data.sample, data.encoding)
    rows, text = section([planted, data])
    assert rows["data"].unique().to_list() == ["made"]
    assert text.count("| presence weight | 0 |") == 2
    assert "### made, K = 15" in text
    assert "| default |  | " in text
