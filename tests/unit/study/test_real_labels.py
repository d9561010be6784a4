"""The study of labels on real images, on archives that are drawn, and on tables made here."""

import re

import numpy as np
import polars as pl
import pytest

from study import gradients, real_archives, real_labels, real_page
from study.real_designs import COUNT, DEFAULT, FlatRun, Trees, crossed, number
from tagsight.demo import archive as demo
from tagsight.demo.habits import Habits
from tagsight.dicom.dictionary import DERIVED

ALL = 40  # patients


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("real")
    demo.write(
        place / "a",
        place / "truth.parquet",
        patients=ALL,
        images=None,
        seed=3,
        habits=Habits(machines=2),
    )
    return place / "a"


@pytest.fixture(scope="module")
def archive(folder):
    return real_archives.of_folders([folder])


def scores(archive="Files", splits=20, gain=0.1, noise=0.01):
    """A table as of the study: the tree explains `gain` more than `other`, and noise."""
    rng = np.random.default_rng(0)
    rows = []
    for split in range(splits):
        hard = 0.3 * rng.standard_normal()
        for design, against in (("tree", None), ("other", None), ("tree", "other")):
            level = hard + gain * (against is not None) + noise * rng.standard_normal()
            rows.append(
                {"archive": archive, "split": split, "design": design, "against": against}
                | {"labels": 9.0, "met": 0.5}
                | dict.fromkeys(real_page.SCORES, level)
            )
    return pl.DataFrame(rows, real_page.SCHEMA)


def test_one_picture_of_each_series_and_none_twice(archive, folder):
    series = archive.tags["series"].drop_nulls()
    assert series.is_unique().all()
    assert len({picture.tobytes() for picture in archive.pictures}) == len(archive.tags) > 20
    twice = real_archives.of_folders([folder, folder])
    assert twice.truth.sort("person", "kind").equals(archive.truth.sort("person", "kind"))


def test_what_is_withheld_is_in_no_tag(archive):
    assert set(archive.tags.columns) & set(DERIVED)
    withheld = real_archives.withheld(archive)
    assert not set(withheld.tags.columns) & set(DERIVED)
    assert withheld.truth.equals(archive.truth)
    assert archive.truth["technique"].count() > 0


def test_labels_of_withheld_archives_do_not_depend_on_descriptions(archive):
    derived = [c for c in archive.tags.columns if c in DERIVED]
    reverse = archive.tags.with_columns(pl.col(derived).reverse())
    spoilt = real_archives.Archive(archive.setting, reverse, archive.truth, archive.pictures)
    fitted = real_labels.half(archive.truth["person"], np.random.default_rng(0))
    tree, flat = [], []
    for each in (archive, spoilt):
        trees = Trees(real_archives.withheld(each), {"tree": DEFAULT})
        tree.append(trees.fitted("tree", fitted).labels(COUNT))
        flat.append(FlatRun(each).labels(fitted, [5])[5])
    assert tree[0].equals(tree[1])
    assert flat[0].equals(flat[1])
    assert tree[0].null_count() == 0


def test_halves_share_no_person():
    people = pl.Series(["a", "b", "c", "a", "d", "d", "b"])
    fitted = real_labels.half(people, np.random.default_rng(1))
    assert not set(people.filter(pl.Series(fitted))) & set(people.filter(pl.Series(~fitted)))
    assert people.filter(pl.Series(fitted)).n_unique() == 2


def test_rows_of_files_have_equal_numbers_of_labels(archive, tmp_path):
    rows, about = real_labels.of_files(archive, 1)
    table = pl.DataFrame(rows, real_page.SCHEMA)
    own = dict(table.filter(pl.col("against").is_null()).select("design", "labels").iter_rows())
    for design, against, labels in (
        table.filter(design="tree").drop_nulls("against").select("design", "against", "labels")
    ).iter_rows():
        assert design == "tree"
        assert labels in {own[against], own["tree"]}
        if against.startswith("modality"):  # they have at least one for each kind
            assert labels == own[against]
    assert table["pca"].is_between(-1, 1).all()
    assert f"{len(archive.tags)} series" in about["Files"]
    real_page.write(tmp_path, table, about)
    assert (tmp_path / "labels-real.md").stat().st_size > 1000


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9])
def test_crossed_labels_are_as_many_as_asked_for_and_the_largest_stay(count):
    kinds = pl.Series(["MR"] * 10 + ["CT"] * 5 + ["CT"])
    values = pl.Series(["a"] * 5 + ["b"] * 3 + [None] * 2 + ["a"] * 4 + ["c"] + ["new"])
    fitted = np.array([True] * 15 + [False])
    labels = crossed(kinds, values, fitted, count)
    assert number(labels, fitted) == min(count, 5)
    assert labels[15] == "CT rest"  # the value is in no fitted image
    if count >= 3:
        assert labels[0] == "MR a"
    by_kind = pl.DataFrame({"label": labels, "kind": kinds}).group_by("label")
    assert by_kind.agg(pl.col("kind").n_unique())["kind"].max() == 1


def test_labels_are_met_by_other_people_alone():
    labels, people = np.array([1, 1, 2, 2, 3]), np.array([1, 2, 3, 3, 4])
    assert real_labels.met(labels, people) == pytest.approx(2 / 5)


def test_gradients_of_an_edge_lie_in_its_angle():
    ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    right, down = gradients.histograms(np.stack([ramp, ramp.T])).reshape(2, -1, gradients.ANGLES)
    # The gradient to the right has angle 0, between the first and the last of half a turn.
    assert right.sum(axis=0)[[0, 8]] == pytest.approx(right.sum() / 2, rel=1e-5)
    assert down.sum(axis=0).argmax() == 4
    assert down.sum(axis=0)[4] == pytest.approx(down.sum(), rel=1e-5)


def test_gradients_know_no_brightness_and_a_blank_picture_has_none():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 100, (1, 64, 64)).astype(np.uint8)
    one, brighter = gradients.histograms(picture), gradients.histograms(picture + np.uint8(50))
    assert one == pytest.approx(brighter)
    assert not gradients.histograms(np.full((1, 64, 64), 9, np.uint8)).any()


def test_errors_of_halves_do_not_vanish_with_many_splits():
    few, many = (
        real_page.paired(scores(splits=n, noise=0.05), "tree", "other", "pca")[1] for n in (20, 400)
    )
    assert many == pytest.approx(0.05 * np.sqrt(2), rel=0.2)
    assert few == pytest.approx(many, rel=0.5)
    of_draws = real_page.paired(scores("IDC", 400, noise=0.05), "tree", "other", "pca")[1]
    assert of_draws == pytest.approx(0.05 * np.sqrt(2 / 400), rel=0.2)


@pytest.mark.parametrize(
    ("gain", "word"), [(0.1, "better"), (-0.1, "worse"), (0, "not told apart")]
)
def test_the_page_says_what_the_table_says(gain, word, tmp_path):
    real_page.write(tmp_path, scores(gain=gain), {"Files": "some files"})
    page = (tmp_path / "labels-real.md").read_text(encoding="utf-8")
    line = re.search(r"- Against other – (.*)", page)[1]
    assert re.findall("better|worse|not told apart", line) == [word]
    mean, error = real_page.paired(scores(gain=gain), "tree", "other", "hog")
    assert f"{mean:+.3f} ± {error:.3f}" in page
    assert pl.read_csv(tmp_path / "labels-real.csv").height == 60


def test_it_is_left_out_where_there_are_no_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(real_labels, "DICOM", tmp_path / "none")
    real_labels.main(["--folder", str(tmp_path)])
    assert "left out" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
