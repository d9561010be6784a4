"""Cards: names that tell clusters apart, and shares that recount."""

from types import SimpleNamespace

import polars as pl
import pytest

from tagsight.interpretation.cards import cards, with_medoids


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
        "patient": list("ppqqrrss"),
        "study": list("ppqqrrss"),
        "series": list("abcdefgh"),
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
    found = cards(SAMPLE, CLUSTERS, ENCODING, min_patients=1)
    assert [card["cluster"] for card in found] == [1, 2, 3]
    assert [card["size"] for card in found] == [4, 3, 1]
    assert [card["medoid"] for card in found] == ["c", "f", "h"]
    assert [card["share"] for card in found] == [0.5, 0.375, 0.125]
    assert found[0]["name"] == "MR · 1.5 T"  # three of four are of the head, and spin echoes
    assert found[1]["name"] == "CT"
    assert found[2]["name"] == "mixed"


def test_medoids_outside_the_sample_are_told_and_clusters_without_an_image_have_a_card():
    made = cards(SAMPLE, CLUSTERS.with_columns(medoid=False), ENCODING, min_patients=1)
    assert [card["medoid"] for card in made] == [None, None, None]
    told = with_medoids(made, pl.DataFrame({"cluster": [4, 1, 2, 3], "image": list("zwxy")}))
    assert [card["medoid"] for card in told] == ["w", "x", "y", "z"]
    assert [card["name"] for card in told[:3]] == [card["name"] for card in made]
    assert (told[3]["cluster"], told[3]["size"], told[3]["tags"]) == (4, 0, [])
    assert len({card["name"] for card in told}) == 4
    assert told[3].keys() == told[0].keys()


def test_images_in_no_cluster_have_no_card_and_count_as_outside():
    none = CLUSTERS.with_columns(
        cluster=pl.col("cluster").replace(3, 0), medoid=pl.col("medoid") & (pl.col("cluster") < 3)
    )
    found = cards(SAMPLE, none, ENCODING, min_patients=1)
    assert [card["cluster"] for card in found] == [1, 2]
    assert found == cards(SAMPLE, CLUSTERS, ENCODING, min_patients=1)[:2]


def test_shares_recount_and_come_most_distinguishing_first():
    tags = cards(SAMPLE, CLUSTERS, ENCODING, min_patients=1)[0]["tags"]
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
    tags = cards(SAMPLE, CLUSTERS, ENCODING, min_patients=1)[2]["tags"]
    assert {"value": "(other)", "inside": 1.0}.items() <= tags[0].items()


def plain(modality, body_part):
    """An image of each patient, without encoded columns."""
    letters = list("abcdefghij")[: len(modality)]
    ids = dict.fromkeys(("image", "patient", "study", "series"), letters)
    texts = {"modality": modality, "body_part": body_part}
    return pl.DataFrame(ids | texts, schema_overrides=dict.fromkeys(texts, pl.String))


@pytest.mark.parametrize(
    ("part", "min_patients", "name"),
    [("JOHN DOE", 4, "CT"), ("JOHN DOE", 3, "CT · JOHN DOE"), ("HEAD", 4, "CT · HEAD")],
)
def test_a_rare_body_part_that_no_table_knows_is_not_shown(part, min_patients, name):
    clusters = pl.DataFrame({"image": list("abc"), "cluster": 1, "medoid": [True, False, False]})
    encoding = SimpleNamespace(columns=[])
    (card,) = cards(plain(["CT"] * 3, [part] * 3), clusters, encoding, min_patients)
    assert card["name"] == name


@pytest.mark.parametrize(
    ("patients", "name"),
    [(list("abc"), "MILLER JOHN · HEAD"), (["a"] * 3, "HEAD"), ([None] * 3, "HEAD")],
)
def test_a_modality_that_few_people_have_and_no_table_knows_is_not_shown(patients, name):
    """Three studies without a patient may be of one person."""
    clusters = pl.DataFrame({"image": list("abc"), "cluster": 1, "medoid": [True, False, False]})
    known = pl.Series("patient", patients, dtype=pl.String)
    sample = plain(["MILLER JOHN"] * 3, ["HEAD"] * 3).with_columns(known)
    (card,) = cards(sample, clusters, SimpleNamespace(columns=[]), 3)
    assert card["name"] == name


def test_a_hidden_category_is_no_name():
    hidden = SimpleNamespace(
        columns=[column("ConvolutionKernel", "categorical", categories=["(rare 01)", "B30F"])]
    )
    sample = plain(["CT"] * 3, [None] * 3).with_columns(ConvolutionKernel=pl.Series([0, 1, 1]))
    clusters = pl.DataFrame({"image": list("abc"), "cluster": [2, 1, 1], "medoid": [1, 1, 0]})
    found = cards(sample, clusters.with_columns(pl.col("medoid") == 1), hidden, min_patients=1)
    assert [card["name"] for card in found] == ["CT · B30F", "CT"]


def test_a_cluster_of_several_modalities_is_named_by_them():
    sample = plain(["XA", "US", "NM"], [None] * 3)
    clusters = pl.DataFrame({"image": list("abc"), "cluster": 1, "medoid": [True, False, False]})
    (card,) = cards(sample, clusters, SimpleNamespace(columns=[]))
    assert card["name"] == "NM 33 % / US / XA"


@pytest.mark.parametrize(
    ("ct", "name"), [(10, "CT · CHEST"), (9, "CT · CHEST"), (8, "CT 80 % / MR · CHEST")]
)
def test_a_name_has_one_modality_where_it_holds_for_nine_tenths(ct, name):
    sample = plain(["CT"] * ct + ["MR"] * (10 - ct), ["CHEST"] * 10)
    images = pl.DataFrame({"image": sample["image"], "cluster": 1, "medoid": [True] + [False] * 9})
    (card,) = cards(sample, images, SimpleNamespace(columns=[]))
    assert card["name"] == name


def test_a_registered_uid_is_shown_by_its_name():
    uids = ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"]
    encoding = SimpleNamespace(columns=[column("SOPClassUID", "categorical", categories=uids)])
    sample = plain(["CT", "CT", "MR"], [None] * 3).with_columns(SOPClassUID=pl.Series([0, 0, 1]))
    clusters = pl.DataFrame({"image": list("abc"), "cluster": [1, 1, 2], "medoid": [1, 0, 1]})
    found = cards(sample, clusters.with_columns(pl.col("medoid") == 1), encoding, min_patients=1)
    assert found[0]["tags"][0]["value"] == "CT Image Storage"
    assert found[0]["name"] == "CT"


def test_what_few_patients_have_is_not_shown():
    weights = [80.0, 81.0, 82.0, 83.0]
    sample = pl.DataFrame(
        {
            "image": list("abcd"),
            "patient": ["p", "p", "q", "r"],
            "study": list("stuv"),
            "series": list("stuv"),
            "modality": ["CT"] * 4,
            "body_part": ["HEAD"] * 4,
            "PatientWeight": weights,
            "ScanOptions": [0, 0, 0, 1],
        }
    )
    encoding = SimpleNamespace(
        columns=[
            column("PatientWeight", "numeric"),
            column("ScanOptions", "categorical", categories=["HELICAL", "AXIAL"]),
        ]
    )
    one = pl.DataFrame({"image": list("abcd"), "cluster": 1, "medoid": [True, False, False, False]})
    shown = {
        people: {tag["keyword"] for tag in cards(sample, one, encoding, people)[0]["tags"]}
        for people in (2, 3, 4)
    }
    assert shown == {2: {"PatientWeight", "ScanOptions"}, 3: {"PatientWeight"}, 4: set()}


def test_presence_is_not_shown_beside_the_value():
    present = column("KVP?", "categorical", parser="presence", categories=["absent", "present"])
    encoding = SimpleNamespace(columns=[column("KVP", "numeric"), present])
    sample = plain(["CT"] * 3, [None] * 3).with_columns(
        pl.Series("KVP", [120.0, 120.0, None]), pl.Series("KVP?", [1, 1, 0])
    )
    clusters = pl.DataFrame({"image": list("abc"), "cluster": [1, 1, 2], "medoid": [1, 0, 1]})
    found = cards(sample, clusters.with_columns(pl.col("medoid") == 1), encoding, min_patients=1)
    assert [tag["column"] for tag in found[0]["tags"]] == ["KVP"]
    assert [tag["value"] for tag in found[1]["tags"]] == ["absent"]


def test_names_are_unique():
    sample = plain(["CT"] * 3, [None] * 3)
    clusters = pl.DataFrame({"image": list("abc"), "cluster": [1, 2, 3], "medoid": [True] * 3})
    found = cards(sample, clusters, SimpleNamespace(columns=[]))
    assert [card["name"] for card in found] == ["CT", "CT (2)", "CT (3)"]


def test_one_cluster_has_nobody_outside():
    tags = cards(SAMPLE, CLUSTERS.with_columns(cluster=1, medoid=pl.col("image") == "a"), ENCODING)
    assert all(tag["outside"] == pytest.approx(0) for tag in tags[0]["tags"])
