import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

from tagsight.errors import DataError
from tagsight.tags import parsers
from tagsight.tags.encoding import Column, Encoding, feature_keywords, load, to_features
from tagsight.tags.fitting import apply, fit
from tagsight.tags.frequencies import frequencies, keywords_of
from tagsight.tags.labels import labels
from tagsight.terms.body_parts import read_spellings

TABLE = read_spellings(Path(__file__).parents[3] / "tagsight/data/body_parts.csv")

KEY = bytes(32)


def table(**columns):
    n = len(next(iter(columns.values())))
    ids = {
        "image": [f"{i:032x}" for i in range(n)],
        **{level: [f"{level}{i}" for i in range(n)] for level in ("series", "study", "patient")},
    }
    return pl.DataFrame({**ids, **columns}, schema=dict.fromkeys([*ids, *columns], pl.String))


def fitted(tags, presence_weight=1.0, min_patients=1, **asked):
    counted = frequencies(tags.lazy(), 1)
    kept = pl.DataFrame({"keyword": keywords_of(tags.lazy())}).with_columns(fate=pl.lit("kept"))
    return fit(
        tags.lazy(),
        counted,
        kept,
        distance="linear",
        presence_weight=presence_weight,
        body_parts=TABLE,
        key=KEY,
        min_patients=min_patients,
        **asked,
    )


MIXED = table(
    Modality=["CT", "MR", "ct ", None, "MR"],
    PixelSpacing=["0.5\\0.5", "1\\2", None, "", "0.7\\0.5"],
    BodyPartExamined=["T SPINE", "TSPINE", "HEAD", "UNKNOWN", "THORACIC SPINE"],
    KVP=["120", "0", "80", None, None],
    ConvolutionKernel=["B30", "B30", None, None, None],
)


def test_columns_kinds_and_ranges():
    encoding = fitted(MIXED)
    by_name = {c.name: c for c in encoding.columns}
    assert by_name["Modality"].categories == ("CT", "MR")
    assert by_name["BodyPartExamined"].categories == ("HEAD", "TSPINE")
    assert by_name["BodyPartExamined"].parser == "body_part"
    spacing = by_name["PixelSpacing[0]"]
    assert (spacing.minimum, spacing.maximum) == (0.5, 1.0)
    assert (by_name["KVP"].minimum, by_name["KVP"].maximum) == (80.0, 120.0)
    assert "ConvolutionKernel" not in by_name
    assert [n for n in by_name if n.endswith("?")] == [
        "Modality?",
        "PixelSpacing?",
        "KVP?",
        "ConvolutionKernel?",
    ]


def test_apply_gives_numbers_and_codes():
    frame = apply(MIXED, fitted(MIXED), TABLE, KEY)
    assert frame["Modality"].to_list() == [0, 1, 0, None, 1]
    assert frame["BodyPartExamined"].to_list() == [1, 1, 0, None, 1]
    assert frame["KVP"].to_list() == [120.0, None, 80.0, None, None]
    assert frame["KVP?"].to_list() == [1, 1, 1, 0, 0]
    assert frame["PixelSpacing[1]"].to_list() == [0.5, 2.0, None, None, 0.5]
    assert set(frame.drop("image").dtypes) == {pl.Float32, pl.Int32}


def test_tags_filled_in_the_same_images_share_a_presence_column():
    tags = table(
        KVP=["120", "80", None], ConvolutionKernel=["A", "B", None], Modality=["A", "B", "B"]
    )
    encoding = fitted(tags, presence_weight=0.5)
    presence = [c for c in encoding.columns if c.parser == "presence"]
    assert [(c.name, c.weight, c.categories) for c in presence] == [
        ("KVP?", 0.5, ("absent", "present"))
    ]
    assert not [c for c in fitted(tags, presence_weight=0).columns if c.parser == "presence"]


def test_a_new_category_and_a_new_tag_table():
    new = table(Modality=["US", "MR", None], BodyPartExamined=["KNEE", None, "HEAD"])
    frame = apply(new.lazy(), fitted(MIXED), TABLE, KEY)
    assert frame["Modality"].to_list() == [2, 1, None]
    assert frame["BodyPartExamined"].to_list() == [2, None, 0]
    assert frame["KVP"].null_count() == 3
    assert frame["KVP?"].to_list() == [0, 0, 0]


def test_typed_values_of_few_patients_are_categories_without_a_name():
    tags = table(
        ManufacturerModelName=["Signa", "Signa", "Mr Smith's", "other"],
        BodyPartExamined=["KNEE", "HEAD", "SMITH", "HEAD"],
        Manufacturer=["GE", "Siemens", "Smith & Sons", "GE"],
    )
    encoding = fitted(tags, min_patients=2)
    shown = json.dumps(encoding.to_json())
    assert "SMITH" not in shown.upper()
    assert all(name in shown for name in ("SIGNA", "KNEE", "SIEMENS"))
    frame = apply(tags, encoding, TABLE, KEY)
    assert frame["ManufacturerModelName"].n_unique() == 3
    assert frame["BodyPartExamined"].n_unique() == 3
    assert max(frame["ManufacturerModelName"]) < 3


def test_labels_merge_spellings_and_fall_back_to_the_region():
    tags = table(
        Modality=["mr", None, "CT"],
        BodyPartExamined=["t-spine", "", None],
        AnatomicRegionSequence=[None, "Chest", None],
        Manufacturer=["GE MEDICAL SYSTEMS", "TOSHIBA", ""],
        ManufacturerModelName=["Signa  HDxt", None, "unknown"],
        site=["nlst", None, None],
        InstitutionName=["A", "B", None],
    )
    assert labels(tags, TABLE).drop("image").rows() == [
        ("MR", "TSPINE", "GE", "SIGNA HDXT", "2"),
        (None, "CHEST", "CANON", None, "1"),
        ("CT", None, None, None, None),
    ]
    assert labels(table(KVP=["1"]), TABLE).drop("image").rows() == [(None,) * 5]


def test_the_tag_of_each_feature_comes_in_the_order_of_the_features():
    encoding = fitted(MIXED)
    frame = apply(MIXED, encoding, TABLE, KEY)
    features, keywords = to_features(frame, encoding), feature_keywords(encoding)
    first = features.numeric.shape[1]
    assert len(keywords) == first + features.categorical.shape[1]
    codes = frame["Modality"].fill_null(-1).to_list()
    assert codes == features.categorical[:, keywords[first:].index("Modality")].tolist()
    assert {"PixelSpacing", "KVP"} <= set(keywords[:first])


def test_without_leaves_out_a_tags_columns():
    left = fitted(MIXED).without(["KVP", "Modality"])
    assert not {"KVP", "KVP?", "Modality"} & {c.name for c in left.columns}


def test_features_are_divided_by_the_range_asked_for():
    encoding = Encoding(
        "linear",
        (
            Column("KVP", "KVP", "numeric", "number", weight=2.0, minimum=80.0, maximum=120.0),
            Column("Modality", "Modality", "categorical", "category", categories=("CT", "MR")),
        ),
    )
    frame = pl.DataFrame(
        {"KVP": [80.0, 100.0, None, 140.0], "Modality": [0, None, 1, 2]},
        schema={"KVP": pl.Float32, "Modality": pl.Int32},
    )
    archive = to_features(frame, encoding)
    np.testing.assert_allclose(archive.numeric[:, 0], [0, 0.5, np.nan, 1])
    assert archive.categorical[:, 0].tolist() == [0, -1, 1, 2]
    assert (archive.numeric_weight.tolist(), archive.categorical_weight.tolist()) == ([2.0], [1.0])
    sample = to_features(frame, encoding.ranged_by(frame, "sample"))
    np.testing.assert_allclose(sample.numeric[:, 0], [0, 1 / 3, np.nan, 1], rtol=1e-6)
    alone = to_features(frame[:1], encoding.ranged_by(frame[:1], "sample"))
    assert alone.numeric.tolist() == [[0.0]]


@pytest.mark.parametrize("scale", ["range", "robust", "rank"])
def test_stored_and_read_again(tmp_path, scale):
    path = tmp_path / "encoding.json"
    path.write_text(json.dumps(fitted(MIXED, scale=scale).to_json()), encoding="utf-8")
    assert load(path) == fitted(MIXED, scale=scale)
    assert set(json.loads(path.read_text(encoding="utf-8"))) == {"distance", "scale", "columns"}


def test_an_encoding_stored_without_a_scale_has_ranges():
    stored = fitted(MIXED).to_json()
    del stored["scale"]
    assert Encoding.from_json(stored) == fitted(MIXED)


SKEWED = table(
    KVP=[str(80 + i % 7) for i in range(98)] + ["139", "150"],
    Modality=["CT"] * 60 + ["MR"] * 40,
    PatientSex=["F", "M", None, None] * 25,
)


def test_numbers_are_scaled_as_asked_and_new_images_alike():
    def of(scale, values):
        new = table(KVP=values)
        encoding = fitted(SKEWED, scale=scale)
        return to_features(apply(new, encoding, TABLE, KEY), encoding).numeric[:, 0]

    np.testing.assert_allclose(of("range", ["80", "115", "150", "20"]), [0, 0.5, 1, 0])
    np.testing.assert_allclose(of("robust", ["80", "83", "86", "150"]), [0, 0.5, 1, 1])
    ranks = rankdata([float(v) for v in SKEWED["KVP"]])
    known = (ranks - ranks.min()) / (ranks.max() - ranks.min())
    np.testing.assert_allclose(of("rank", SKEWED["KVP"]), known, rtol=1e-6)
    between = (known[-2] + known[-1]) / 2
    np.testing.assert_allclose(of("rank", ["144.5", "20", "900"]), [between, 0, 1], rtol=1e-6)


def test_quantiles_and_ranks_may_be_the_samples_own():
    few = SKEWED[90:]
    for scale in ("range", "robust", "rank"):
        encoding = fitted(SKEWED, scale=scale)
        frame = apply(few, encoding, TABLE, KEY)
        by_sample = to_features(frame, encoding.ranged_by(frame, "sample"))
        alone = to_features(frame, fitted(few, scale=scale))
        np.testing.assert_array_equal(by_sample.numeric, alone.numeric)


def mean_distances(encoding, tags):
    """Name -> weight times mean distance over the pairs that both have it, pair by pair."""
    frame = apply(tags, encoding, TABLE, KEY)
    features = to_features(frame, encoding)
    names = [[c.name for c in encoding.columns if c.kind == k] for k in ("numeric", "categorical")]
    said = {}
    for x, weight, name in zip(features.numeric.T, features.numeric_weight, names[0], strict=True):
        said[name] = weight * pdist(x[~np.isnan(x), None], "cityblock").mean()
    columns = zip(features.categorical.T, features.categorical_weight, names[1], strict=True)
    for x, weight, name in columns:
        said[name] = weight * pdist(x[x >= 0, None], "hamming").mean()
    return said


@pytest.mark.parametrize("scale", ["range", "robust", "rank"])
def test_commensurable_columns_have_the_same_mean_distance(scale):
    encoding = fitted(SKEWED, presence_weight=0.5, scale=scale, weights="commensurable")
    said = mean_distances(encoding, SKEWED)
    assert list(said) == ["KVP", "Modality", "PatientSex", "PatientSex?"]
    expected = said["Modality"] * np.array([1, 1, 1, 0.5])
    np.testing.assert_allclose(list(said.values()), expected, rtol=1e-5)
    values = [c.weight for c in encoding.columns if c.parser != "presence"]
    assert np.mean(values) == pytest.approx(1)


VALUES = {
    "Modality": st.sampled_from(["CT", "mr", "US ", "", None]),
    "KVP": st.none() | st.floats().map(str) | st.sampled_from(["0", "120", "x", ""]),
    "PixelSpacing": st.none() | st.lists(st.floats(0, 9).map(str), max_size=3).map("\\".join),
    "PatientAge": st.none() | st.from_regex(r"[0-9]{3}[DWMY]", fullmatch=True),
    "BodyPartExamined": st.none() | st.sampled_from(["HEAD", "T SPINE", "q"]) | st.text(max_size=5),
    "Manufacturer": st.none() | st.sampled_from(["GE", "Siemens"]) | st.text(max_size=5),
}
IMAGES = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=10)


@settings(max_examples=60)
@given(IMAGES, st.randoms(), st.sampled_from([1, 3]))
def test_what_holds_of_any_archive(images, random, min_patients):
    tags = table(**{keyword: [image[keyword] for image in images] for keyword in VALUES})
    try:
        encoding = fitted(tags, min_patients=min_patients)
    except DataError:  # nothing in it tells one image from another
        reject()
    frame = apply(tags, encoding, TABLE, KEY)
    assert frame["image"].equals(tags["image"])
    assert frame.columns == ["image", *(c.name for c in encoding.columns)]
    for column in encoding.columns:
        values = frame[column.name].drop_nulls()
        assert values.n_unique() >= 2
        if column.categories is None:
            assert all(math.isfinite(v) for v in values)
            assert (values.min(), values.max()) == (column.minimum, column.maximum)
        else:
            assert set(values) == set(range(len(column.categories)))
        if column.parser != "presence":
            filled = (tags[column.keyword].fill_null("") != "").to_numpy()
            assert not (frame[column.name].is_not_null().to_numpy() & ~filled).any()
    assert Encoding.from_json(json.loads(json.dumps(encoding.to_json()))) == encoding
    order = random.sample(range(len(images)), len(images))
    shuffled = pl.concat([tags[[i]] for i in order])
    assert fitted(shuffled, min_patients=min_patients) == encoding
    assert apply(shuffled, encoding, TABLE, KEY).equals(frame[order])
    features = to_features(frame, encoding)
    known = features.numeric[~np.isnan(features.numeric)]
    assert ((known >= 0) & (known <= 1)).all()


def test_no_tag_left_gives_features_without_columns():
    features = to_features(MIXED.select("image"), Encoding("root", ()))
    assert features.numeric.shape == features.categorical.shape == (5, 0)


@pytest.mark.parametrize("ranges", ["archive", "sample"])
def test_a_column_missing_throughout_stays_missing(ranges):
    frame = apply(table(Modality=["CT", "MR"]), fitted(MIXED), TABLE, KEY)
    features = to_features(frame, fitted(MIXED).ranged_by(frame, ranges))
    assert np.isnan(features.numeric).all()


def test_rare_values_are_hidden_under_the_key():
    tags = table(ScanOptions=["A", "A"], StationName=["KOVAC ANA", "ROOM 1"])
    shown = {
        key: fit(
            tags.lazy(),
            frequencies(tags.lazy(), 1),
            pl.DataFrame({"keyword": ["StationName"], "fate": ["kept"]}),
            distance="linear",
            presence_weight=0,
            body_parts=TABLE,
            key=key,
            min_patients=3,
        )
        .columns[0]
        .categories
        for key in (KEY, b"another key, as long as it has to be")
    }
    assert not any("KOVAC" in name for names in shown.values() for name in names)
    assert set.intersection(*map(set, shown.values())) == set()


@pytest.mark.parametrize("reason", ["too often missing", "constant"])
def test_an_archive_whose_tags_tell_nothing_is_an_error_if_config_dropped_some(reason):
    alike = table(Modality=["CT", "CT"])
    kept = pl.DataFrame({"keyword": ["Modality", "KVP"], "reason": ["kept", reason]})
    kept = kept.with_columns(fate=pl.col("reason").replace(reason, "dropped"))
    asked = {"distance": "linear", "presence_weight": 1.0, "body_parts": TABLE, "key": KEY}
    if reason == "too often missing":
        with pytest.raises(DataError, match=r"select\.max_missing"):
            fit(alike.lazy(), frequencies(alike.lazy(), 1), kept, **asked)
        return
    encoding = fit(alike.lazy(), frequencies(alike.lazy(), 1), kept, **asked)
    assert encoding.columns == ()
    assert len(to_features(apply(alike, encoding, TABLE, KEY), encoding)) == 2


def test_an_entry_among_the_parsers_is_fitted_by_its_name_and_kind(monkeypatch):
    def sharpness(text, _spellings):
        return text.str.extract(r"^B(\d+)").cast(pl.Float64)

    tags = table(ConvolutionKernel=["B30f", "B70s", None, "b50"])
    assert fitted(tags).columns[0].parser == "category"
    entry = parsers.Parser("sharpness", "numeric", sharpness, keywords=("ConvolutionKernel",))
    monkeypatch.setattr(parsers, "PARSERS", [*parsers.PARSERS, entry])
    column = fitted(tags).columns[0]
    assert (column.parser, column.kind, column.minimum, column.maximum) == (
        "sharpness",
        "numeric",
        30,
        70,
    )
    counted = frequencies(tags.lazy(), 1)
    assert counted["inferred"].to_list() == ["numeric"]
