"""Cards: names that tell clusters apart, and shares that recount."""

from types import SimpleNamespace

import polars as pl
import pytest

from tagsight.cards import cards


def column(name, kind, parser="category", categories=()):
    return SimpleNamespace(
        name=name,
        keyword=name.split("[")[0].rstrip("?"),
        kind=kind,
        parser=parser,
        categories=list(categories),
    )


ENCODING = SimpleNamespace(
    columns=[
        column("ScanningSequence", "categorical", categories=["GR", "SE"]),
        column("Modality", "categorical", categories=["CT", "MR"]),
        column("MagneticFieldStrength", "numeric", "number"),
        column("PixelSpacing[0]", "numeric", "number"),
        column("KVP?", "categorical", "presence", ["absent", "present"]),
    ]
)
SAMPLE = pl.DataFrame(
    {
        "image": list("abcdefgh"),
        "modality": ["MR", "MR", "MR", "MR", "CT", "CT", "CT", None],
        "body_part": ["HEAD", "HEAD", "HEAD", None, "CHEST", None, None, None],
        "ScanningSequence": [1, 1, 1, 0, None, None, None, 2],
        "Modality": [1, 1, 1, 1, 0, 0, 0, None],
        "MagneticFieldStrength": [1.5, 1.5, 1.5, 1.5, None, None, None, None],
        "PixelSpacing[0]": [0.1, 0.2, 0.3, 0.9, 0.7, 0.7, 0.8, None],
        "KVP?": [0, 0, 0, 0, 1, 1, 1, 0],
    }
)
CLUSTERS = pl.DataFrame(
    {
        "image": list("hgfedcba"),
        "cluster": [3, 2, 2, 2, 1, 1, 1, 1],
        "medoid": [True, False, True, False, False, True, False, False],
    }
)


def test_sizes_medoids_and_names():
    found = cards(SAMPLE, CLUSTERS, ENCODING)
    assert [card["cluster"] for card in found] == [1, 2, 3]
    assert [card["size"] for card in found] == [4, 3, 1]
    assert [card["medoid"] for card in found] == ["c", "f", "h"]
    assert [card["share"] for card in found] == [0.5, 0.375, 0.125]
    assert found[0]["name"] == "MR · HEAD · 1.5 T · SE"
    assert found[1]["name"] == "CT"
    assert found[2]["name"] == "mixed"


def test_shares_recount_and_come_most_distinguishing_first():
    tags = cards(SAMPLE, CLUSTERS, ENCODING)[0]["tags"]
    differences = [tag["inside"] - tag["outside"] for tag in tags]
    assert differences == sorted(differences, reverse=True)
    said = {tag["column"]: tag for tag in tags}
    sequence = said["ScanningSequence"]
    assert (sequence["value"], sequence["inside"], sequence["outside"]) == ("SE", 0.75, 0)
    assert said["MagneticFieldStrength"]["value"] == "1.5 T"
    assert said["KVP?"]["outside"] == 0.25
    spacing = said["PixelSpacing[0]"]
    assert (spacing["keyword"], spacing["value"]) == ("PixelSpacing", "0.3 (0.2–0.3)")
    assert spacing["outside"] == 0


def test_an_unknown_category_is_said_so():
    tags = cards(SAMPLE, CLUSTERS, ENCODING)[2]["tags"]
    assert {"value": "(other)", "inside": 1.0}.items() <= tags[0].items()


def test_names_are_unique():
    sample = pl.DataFrame({"image": list("abc"), "modality": ["CT"] * 3, "body_part": [None] * 3})
    sample = sample.with_columns(pl.col("body_part").cast(pl.String))
    clusters = pl.DataFrame({"image": list("abc"), "cluster": [1, 2, 3], "medoid": [True] * 3})
    found = cards(sample, clusters, SimpleNamespace(columns=[]))
    assert [card["name"] for card in found] == ["CT", "CT (2)", "CT (3)"]


def test_one_cluster_has_nobody_outside():
    tags = cards(SAMPLE, CLUSTERS.with_columns(cluster=1, medoid=pl.col("image") == "a"), ENCODING)
    assert all(tag["outside"] == pytest.approx(0) for tag in tags[0]["tags"])
