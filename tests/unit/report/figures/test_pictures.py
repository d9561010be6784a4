"""The gallery and the reconstructions."""

import io

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from tagsight.looks.embeddings import reconstructed
from tagsight.report.figures import pictures

STEP = pictures.SIDE + 2 * pictures.MARGIN


@pytest.fixture
def sample():
    """Pictures that each tell their row by their grey, clusters and fates in another order."""
    n = 40
    images = np.broadcast_to((np.arange(n) * 5)[:, None, None], (n, 128, 128)).astype(np.uint8)
    names = [f"i{row}" for row in range(n)]
    reasons = ["decoder_failed" if row % 7 == 3 else None for row in range(n)]
    clusters = pl.DataFrame(
        {"image": names, "cluster": [1 + (row >= 30) for row in range(n)]}
    ).with_columns(medoid=pl.col("image").is_in(["i5", "i31"]))
    unmarked = [None] * n
    schema = dict.fromkeys(["image", "patient", "reason", "burned_in"], pl.String)
    people = [f"p{row % 4}" for row in range(n)]
    columns = {"image": names, "patient": people, "reason": reasons, "burned_in": unmarked}
    fates = pl.DataFrame(columns, schema)
    return images, clusters.reverse(), fates


def test_members_are_the_clusters_own_drawable_and_not_the_medoid(sample):
    _, clusters, fates = sample
    first, second = pictures.picks(clusters, fates, 8, 1, False, 3)
    assert (first.cluster, first.size, first.medoid) == (1, 30, 5)
    assert (second.cluster, second.size) == (2, 10)
    assert second.medoid is None  # 31 could not be drawn
    assert len(set(first.members)) == 8
    assert all(row < 30 and row % 7 != 3 and row != 5 for row in first.members)
    assert all(row >= 30 and row % 7 != 3 for row in second.members)


def test_images_in_no_cluster_are_not_shown(sample):
    _, clusters, fates = sample
    none = clusters.with_columns(pl.col("cluster").replace(2, 0))
    (first,) = pictures.picks(none, fates, 8, 1, False, 3)
    assert first == pictures.picks(clusters, fates, 8, 1, False, 3)[0]


def test_members_depend_on_the_seed_alone(sample):
    _, clusters, fates = sample
    drawn = pictures.picks(clusters, fates, 8, 1, False, 3)
    assert drawn == pictures.picks(clusters.sample(fraction=1, shuffle=True), fates, 8, 1, False, 3)
    assert drawn != pictures.picks(clusters, fates, 8, 2, False, 3)


def marked(fates, *rows):
    yes = pl.when(pl.int_range(pl.len()).is_in(rows)).then(pl.lit("yes"))
    return fates.with_columns(burned_in=yes)


def test_images_that_may_carry_text_are_held_back_and_counted(sample):
    _, clusters, fates = sample
    marks = 3, 5, 6, 7  # 3 could not be drawn, 5 is a medoid
    first, second = pictures.picks(clusters, marked(fates, *marks), 30, 1, False, 3)
    assert first.medoid is None
    assert (first.held_back, first.medoid_held_back) == (3, True)
    assert set(first.members) == {row for row in range(30) if row % 7 != 3} - set(marks)
    assert (second.held_back, second.medoid_held_back) == (0, False)


def test_a_medoid_that_is_not_in_the_sample_is_told_from_one_that_could_not_be_drawn(sample):
    images, clusters, fates = sample
    first, second = pictures.picks(clusters, fates, 8, 1, False, 3)
    assert not first.medoid_elsewhere
    assert not second.medoid_elsewhere  # it is in the sample, and could not be drawn
    others = clusters.with_columns(medoid=pl.col("image") == "i5")
    first, second = pictures.picks(others, marked(fates, 31, 32), 8, 1, False, 3)
    assert (second.medoid, second.medoid_elsewhere, second.medoid_held_back) == (None, True, False)
    assert not first.medoid_elsewhere
    assert pictures.tiles(images, [first, second])[2].medoid_elsewhere


def test_they_are_shown_if_asked_for_and_then_nothing_is_otherwise(sample):
    _, clusters, fates = sample
    plain = pictures.picks(clusters, fates, 8, 1, False, 3)
    assert pictures.picks(clusters, marked(fates, *range(40)), 8, 1, True, 3) == plain
    none = pictures.picks(clusters, marked(fates, *range(40)), 8, 1, False, 3)
    assert all(each.medoid is None and not each.members for each in none)
    assert pictures.examples(none) == []


@pytest.mark.parametrize(
    ("patients", "shown"),
    [(["a", "b", "c"], True), (["a", "b"], False), ([None], False), (["a", "b", None], True)],
)
def test_a_cluster_of_few_patients_shows_no_picture(sample, patients, shown):
    images, clusters, fates = sample
    of_second = pl.Series([patients[row % len(patients)] for row in range(40)], dtype=pl.String)
    patient = pl.when(pl.int_range(pl.len()) >= 30).then(of_second).otherwise("patient")
    first, second = pictures.picks(clusters, fates.with_columns(patient=patient), 8, 1, False, 3)
    assert len(first.members) == 8
    assert (bool(second.members), second.of_few) == (shown, not shown)
    assert pictures.tiles(images, [second])[2].of_few == (not shown)


def test_patients_count_whose_images_can_be_shown(sample):
    """Of three patients one alone has images that were drawn: all pictures would be of that one."""
    _, clusters, _ = sample
    names, people = [f"i{row}" for row in range(9)], [*"aaaaaaabc"]
    reasons, marks = [None] * 7 + ["decoder_failed", None], [None] * 8 + ["yes"]
    columns = {"image": names, "patient": people, "reason": reasons, "burned_in": marks}
    fates = pl.DataFrame(columns, dict.fromkeys(columns, pl.String))
    (first,) = pictures.picks(clusters, fates, 8, 1, False, 3)
    assert (first.of_few, first.medoid, first.members) == (True, None, [])
    (first,) = pictures.picks(clusters, fates, 8, 1, False, 1)
    assert len(first.members) == 6


def test_figures_are_made_where_nothing_may_be_shown(sample):
    images, clusters, fates = sample
    none = pictures.picks(clusters, marked(fates, *range(40)), 8, 1, False, 3)
    sheet = np.asarray(Image.open(io.BytesIO(pictures.gallery(images, none, ["CT", "MR"]))))
    assert sheet[:, pictures.LABEL + 4 : -4].max(axis=2)[8:120].max() == 0  # inside of the frame
    originals = images[pictures.examples(none)]
    again = reconstructed(Negative(), originals)
    assert np.asarray(Image.open(io.BytesIO(pictures.reconstructions(originals, again)))).max() == 0
    assert pictures.tiles(images, none)[1] == pictures.Tiles(None, [], 26, True)


def test_the_gallery_shows_these_images_in_their_places(sample):
    images, clusters, fates = sample
    shown = pictures.picks(clusters, fates, 4, 1, False, 3)
    sheet = Image.open(io.BytesIO(pictures.gallery(images, shown, ["CT · HEAD", "MR"])))
    assert sheet.size == (pictures.LABEL + 5 * STEP, 2 * STEP)
    for row, each in enumerate(shown):
        for column, image in enumerate([each.medoid, *each.members]):
            middle = (pictures.LABEL + column * STEP + STEP // 2, row * STEP + STEP // 2)
            grey = 0 if image is None else 5 * image
            assert sheet.getpixel(middle) == (grey, grey, grey)
        assert sheet.getpixel((pictures.LABEL + 1, row * STEP + 1)) == pictures.MARK


def test_tiles_are_the_gallerys_images(sample):
    images, clusters, fates = sample
    shown = pictures.picks(clusters, fates, 3, 1, False, 3)
    tiles = pictures.tiles(images, shown)
    assert tiles[2].medoid is None
    greys = [np.asarray(Image.open(io.BytesIO(tile))).mean() for tile in tiles[1].members]
    np.testing.assert_allclose(greys, [5 * row for row in shown[0].members], atol=2)


@pytest.mark.parametrize(("clusters", "members"), [(5, 8), (300, 8), (300, 1000), (300, 0)])
def test_the_pictures_shown_are_bounded(clusters, members):
    shown = pictures.shown_clusters(clusters, members)
    assert 1 <= shown <= clusters
    assert shown == 1 or shown * (members + 1) <= pictures.MOST_PICTURES


class Negative(torch.nn.Module):
    """Turns light into dark, and goes beyond what can be shown."""

    def forward(self, images):
        return 1.1 - images


def test_a_reconstruction_is_what_the_network_makes_of_the_image():
    images = np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)
    again = reconstructed(Negative(), images)
    assert again.dtype == np.uint8
    np.testing.assert_allclose(again, np.minimum(1.1 * 255 - images, 255), atol=0.51)


def test_a_cluster_is_told_by_a_member_where_its_medoid_could_not_be_drawn():
    shown = [
        pictures.GalleryRow(1, 9, None, [4, 5]),
        pictures.GalleryRow(2, 3, 7),
        pictures.GalleryRow(3, 1, None),
    ]
    assert pictures.examples(shown) == [4, 7]
    assert pictures.examples(shown, 1) == [4]


def test_originals_are_above_their_reconstructions():
    originals = np.full((2, 128, 128), 200, np.uint8)
    png = pictures.reconstructions(originals, originals // 2)
    sheet = np.asarray(Image.open(io.BytesIO(png)))
    assert sheet.shape == (2 * STEP, 2 * STEP)
    assert sheet[STEP // 2, STEP // 2] == 200
    assert sheet[STEP + STEP // 2, STEP // 2] == 100
