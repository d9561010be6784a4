"""What labels are worth: labels of what a picture shows are worth more than labels at random."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.errors import ConfigError
from tagsight.run.tables import scan
from tagsight.tags.encoding import Column, Encoding
from tagsight.tree.encodings import Branch, Tree
from tagsight.worth import worth
from tagsight.worth.linear_probe import Probed, interval, probe_draws, probed
from tagsight.worth.pretraining import descriptions, shrunk

TEXTURES = 6


def textures(n, seed):
    """Stripes of a direction and a width (the class), and noise, uint8 (n, 64, 64)."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, TEXTURES, n)
    y, x = np.mgrid[:64, :64]
    along = np.where((classes % 2)[:, None, None], x, y)
    waves = np.sin(along / (1.2 + classes // 2)[:, None, None] + random.uniform(0, 6, (n, 1, 1)))
    pixels = 120 + 40 * waves + random.normal(0, 40, (n, 64, 64))
    return np.clip(pixels, 0, 255).astype(np.uint8), classes


def people(n):
    return [f"p{i // 3}" for i in range(n)]


def rows(classes, target=None):
    n = len(classes)
    return pl.DataFrame(
        {
            "image": [f"i{i}" for i in range(n)],
            "patient": people(n),
            "study": people(n),
            "series": people(n),
            "target": pl.Series(map(str, classes)) if target is None else target,
        }
    )


@pytest.fixture(scope="module")
def result():
    learned, classes = textures(160, 1)
    tested, targets = textures(120, 2)
    noise = np.random.default_rng(3).permutation(classes)
    labellings = {"nothing": None, "modality": pl.Series(noise), "labels": pl.Series(classes)}
    return worth.worth(labellings, learned, rows(targets), tested, seed=1, threads=2)


def test_labels_of_what_is_shown_are_worth_more_than_labels_at_random(result):
    more = result["more"]["modality"]
    assert more["ci95"][0] > 0
    assert more["ci95"][0] < more["accuracy"] < more["ci95"][1]
    right = {name: each["accuracy"] for name, each in result["labellings"].items()}
    assert right["labels"] - right["modality"] == pytest.approx(more["accuracy"])
    assert right["labels"] > 2 / TEXTURES
    assert [each["classes"] for each in result["labellings"].values()] == [None, 6, 6]
    assert (result["tested"], result["patients"], result["probe"]) == (120, 40, 60)


def test_bytes_do_not_depend_on_threads():
    pictures, classes = textures(40, 1)
    many = {
        threads: descriptions(
            {"nothing": None, "own": classes},
            pictures,
            pictures[:9],
            networks=2,
            seed=1,
            threads=threads,
            epochs=2,
        )
        for threads in (1, 3)
    }
    for name, networks in many[1].items():
        for one, other in zip(networks, many[3][name], strict=True):
            assert one.shape == (9, 64)
            assert np.array_equal(one, other)
    assert not np.array_equal(*many[1]["own"])
    assert not np.array_equal(many[1]["own"][0], many[1]["nothing"][0])


def test_pictures_are_means_of_four_pixels():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 128, 128)).astype(np.uint8)
    small = shrunk(pictures)
    assert small.shape == (3, 64, 64)
    for i, y, x in np.ndindex(3, 5, 5):
        block = pictures[i, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].astype(float)
        assert abs(small[i, y, x] - block.mean()) <= 0.5


@given(st.lists(st.integers(0, 8), min_size=2, max_size=60), st.integers(1, 30), st.integers(0, 99))
def test_no_patient_is_learned_from_and_tested(patients, images, seed):
    codes = np.array(patients)
    for train, test in probe_draws(codes, images, 3, seed):
        assert len(train) == min(images, len(codes))
        assert len(np.unique(train)) == len(train)
        assert not set(codes[train]) & set(codes[test])
        assert {*codes[train], *codes[test]} == set(codes)


def test_a_probe_is_right_where_classes_lie_apart_and_not_where_they_are_noise():
    random = np.random.default_rng(5)
    targets, patients = random.integers(0, 2, 200), np.arange(200) // 4
    apart = (targets[:, None] * 4 + random.normal(size=(200, 3))).astype(np.float32)
    noise = random.normal(size=(200, 3)).astype(np.float32)
    how = {"images": 50, "draws": 5, "seed": 1}
    assert probed([apart], targets, patients, **how).accuracy() > 0.95
    assert probed([noise], targets, patients, **how).accuracy() < 0.65
    both = probed([apart, noise], targets, patients, **how)
    assert both.right.sum(axis=(1, 2)).tolist() == [
        probed([each], targets, patients, **how).right.sum() for each in (apart, noise)
    ]


def test_a_probe_that_met_one_class_tells_that():
    told = probed(
        [np.ones((8, 2), np.float32)],
        np.zeros(8, np.int64),
        np.arange(8),
        images=4,
        draws=2,
        seed=1,
    )
    assert told.accuracy() == 1


def test_the_interval_is_that_of_a_mean_over_patients():
    """With one draw, and patients of one image each, it is near the normal interval of a share."""
    right = (np.random.default_rng(0).random((1, 400, 1)) < 0.3).astype(float)
    one = Probed(right, np.ones((400, 1)))
    low, high = interval(one, None, 1)
    error = 1.96 * np.sqrt(one.accuracy() * (1 - one.accuracy()) / 400)
    assert low == pytest.approx(one.accuracy() - error, abs=0.01)
    assert high == pytest.approx(one.accuracy() + error, abs=0.01)
    assert interval(one, one, 1) == (0, 0)


def test_the_interval_is_that_of_a_mean_over_networks_where_they_alone_differ():
    shares = np.random.default_rng(2).uniform(0.2, 0.8, 40)
    one = Probed(np.tile(shares[:, None, None], (1, 30, 4)), np.ones((30, 4)))
    assert one.accuracy() == pytest.approx(shares.mean())
    low, high = interval(one, None, 1)
    error = 1.96 * shares.std() / np.sqrt(40)
    assert low == pytest.approx(shares.mean() - error, abs=0.01)
    assert high == pytest.approx(shares.mean() + error, abs=0.01)
    other = Probed(one.right - 0.1, one.tested)  # networks pair up
    assert interval(one, other, 1) == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("learned", "tested", "targets", "reason"),
    [
        (19, 60, "ab", "fewer than 20 images to learn labels from"),
        (40, 27, "ab", "fewer than 10 other patients"),
        (40, 60, "a", "all images of other patients are the same"),
    ],
)
def test_too_little_is_said_and_nothing_is_trained(learned, tested, targets, reason):
    pictures, classes = textures(learned, 1)
    others, _ = textures(tested, 2)
    target = pl.Series([targets[i % len(targets)] for i in range(tested)])
    labellings = {"nothing": None, "labels": pl.Series(classes)}
    found = worth.worth(labellings, pictures, rows(others, target), others, seed=1, threads=1)
    assert found["reason"].startswith(reason)
    assert found["labellings"] == {}


def test_a_target_is_a_column_of_samples_or_a_tag(tmp_path):
    samples = pl.DataFrame({"image": ["b", "a"], "patient": ["1", "2"], "region": ["HEAD", None]})
    tags = pl.DataFrame({"image": ["a", "c", "b"], "KVP": ["120", "80", ""]})
    tags.write_parquet(tmp_path / "tags.parquet")
    stored = scan([tmp_path / "tags.parquet"])
    assert worth.target_of(samples, stored, "region").to_list() == ["HEAD", None]
    assert worth.target_of(samples, stored, "KVP").to_list() == [None, "120"]
    for wrong in ("patient", "image", "Modality"):
        with pytest.raises(ConfigError, match=f"target: {wrong}"):
            worth.target_of(samples, stored, wrong)


def test_labels_of_a_file_go_by_image(tmp_path):
    images, path = pl.DataFrame({"image": ["b", "a", "c"]}), tmp_path / "mine.csv"
    path.write_text("label,image,more\n01,a,x\nyes,b,y\nno,z,\n", encoding="utf-8")
    assert worth.labels_of_file(images, str(path)).to_list() == ["yes", "01", None]
    for text in ("image,name\na,b\n", "image,label\na,b\na,c\n", "image,label\nz,b\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"worth\.labels"):
            worth.labels_of_file(images, str(path))


def test_whether_labels_are_made_from_a_target():
    column = Column("word.region", "region", "categorical", "word", categories=("HEAD", "KNEE"))
    tree = Tree({"CT": Branch(9, True, Encoding("linear", (column,)))})
    selection = pl.DataFrame(
        {
            "keyword": ["BodyPartExamined", "Manufacturer", "KVP"],
            "fate": ["dropped", "dropped", "kept"],
            "reason": ["in words", "not content", "kept"],
        }
    )
    read = {
        name: worth.is_read(name, selection, tree)
        for name in ("modality", "region", "body_part", "KVP", "manufacturer", "view")
    }
    assert [name for name, each in read.items() if each] == [
        "modality",
        "region",
        "body_part",
        "KVP",
    ]


@settings(max_examples=10)
@given(st.permutations(range(6)))
def test_labels_of_a_run_go_by_image(order):
    annotations = pl.DataFrame({"image": list("abcdef"), "label": range(6), "cluster": [9] * 6})
    images = pl.DataFrame({"image": [list("abcdef")[i] for i in order]})
    assert worth.labels_of_run(images, annotations.lazy()).to_list() == list(order)
    flat = annotations.drop("label").lazy()
    assert worth.labels_of_run(images, flat).to_list() == [9] * 6
