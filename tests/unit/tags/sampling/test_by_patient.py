"""Samples: disjoint by patient, at most so many of a series, the same in any order of rows."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.tags.sampling.by_patient import candidates, draw, shortfall

SIZES = {"tuning": 20, "holdout": 10, "trial-01": 5}


def archive(shape: list[list[int]]) -> pl.DataFrame:
    """Images of an archive given as images per series per patient; patient 0 is unknown."""
    rows = [
        (f"i{p}-{s}-{i}", f"s{p}-{s}", f"p{p}" if p else None, None)
        for p, patient in enumerate(shape)
        for s, images in enumerate(patient)
        for i in range(images)
    ]
    names = ["image", "series", "patient", "undrawable"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


SHAPES = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=8, max_size=40)


@given(SHAPES, st.integers(0, 3), st.integers(0, 2**31))
def test_no_patient_is_in_two_samples_and_no_series_gives_too_many(shape, per_series, seed):
    drawn = draw(archive(shape), SIZES, per_series, seed)
    assert drawn["image"].is_unique().all()
    assert drawn["image"].is_sorted()
    known = drawn.drop_nulls("patient")
    assert known.group_by("patient").agg(pl.col("sample").n_unique())["sample"].max() in (None, 1)
    assert drawn.group_by("series").agg(pl.col("sample").n_unique())["sample"].max() == 1
    if per_series:
        assert drawn.group_by("series").len()["len"].max() <= per_series
    for name, size in SIZES.items():
        assert 1 <= drawn.filter(sample=name).height <= size


@given(SHAPES, st.integers(0, 2**31))
def test_the_draw_does_not_depend_on_the_order_of_the_rows(shape, seed):
    images = archive(shape)
    assert draw(images, SIZES, 1, seed).equals(draw(images.reverse(), SIZES, 1, seed))


def test_samples_are_full_where_there_is_enough():
    drawn = draw(archive([[3, 2]] * 200), SIZES, 1, seed=1)
    assert dict(drawn.group_by("sample").len().iter_rows()) == SIZES
    assert shortfall(drawn, SIZES) is None


def test_samples_shrink_in_proportion_where_there_is_not():
    sizes = {name: size * 100 for name, size in SIZES.items()}
    drawn = draw(archive([[1]] * 350), sizes, 1, seed=1)
    got = dict(drawn.group_by("sample").len().iter_rows())
    assert got == {"tuning": 200, "holdout": 100, "trial-01": 50}
    assert "10%" in shortfall(drawn, sizes)


def with_tags_alone(images: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    return images.with_columns(undrawable=pl.when(which).then(pl.lit("no_pixels")))


@given(SHAPES, st.integers(0, 3), st.integers(0, 2**31), st.integers(0, 5))
def test_images_of_tags_alone_are_drawn_where_no_picture_is_needed(shape, per_series, seed, nth):
    images = with_tags_alone(archive(shape), pl.col("image").hash(seed=nth) % 3 == 0)
    drawn = draw(images, SIZES, per_series, seed)
    if drawn["sample"].n_unique() < len(SIZES):
        able = images.filter(pl.col("undrawable").is_null())
        assert able.select(pl.coalesce("patient", "series").n_unique()).item() < 10
    alone = drawn.drop_nulls("undrawable")
    assert set(alone["sample"]) <= {"tuning", "holdout"}
    if per_series == 1:
        able = images.filter(pl.col("undrawable").is_null())["series"]
        assert not alone["series"].is_in(able.implode()).any(), "a picture of the series was there"


def test_samples_that_need_pictures_are_filled_with_them():
    images = with_tags_alone(archive([[1, 1]] * 200), pl.col("image").str.ends_with("-1-0"))
    drawn = draw(images, SIZES, 1, seed=1)
    assert dict(drawn.group_by("sample").len().iter_rows()) == SIZES
    assert drawn.drop_nulls("undrawable").height > 5


def test_another_seed_is_another_draw():
    images = archive([[1]] * 200)
    first, second = (set(draw(images, SIZES, 1, seed)["image"]) for seed in (1, 2))
    assert first != second


@given(SHAPES, st.integers(0, 3), st.integers(0, 2**31), st.integers(1, 4))
def test_the_draw_from_the_candidates_of_shards_is_that_from_all_images(shape, thin, seed, parts):
    images = archive(shape)
    shards = [images.gather_every(parts, first) for first in range(parts)]
    chosen = pl.concat([candidates(shard, thin, seed) for shard in shards])
    assert draw(chosen, SIZES, thin, seed).equals(draw(images, SIZES, thin, seed))
    if thin:
        assert len(chosen) <= thin * parts * sum(map(len, shape))
