"""Samples by kind: disjoint, in order of priority, no kind left out, for archives of any size."""

import math
from collections import Counter
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.errors import DataError
from tagsight.tags.sampling import by_patient
from tagsight.tags.sampling.by_kind import dealt, draw_by_kind, draw_samples, summary

TRIALS = [f"trial-{i:02d}" for i in range(1, 4)]
SIZES = {"tuning": 20, "holdout": 12, "autoencoder": 30, **dict.fromkeys(TRIALS, 6)}
KINDS = ["CT", "MR", "MG"]
# Of each patient, its series: kind, number of images, whether they are of tags alone.
SERIES = st.tuples(st.sampled_from(KINDS), st.integers(1, 5), st.booleans())
ARCHIVES = st.lists(st.lists(SERIES, min_size=1, max_size=4), min_size=1, max_size=50)
SEEDS = st.integers(0, 2**31)


def archive(patients):
    rows = [
        (f"i{p}-{s}-{i}", f"s{p}-{s}", f"p{p}", "no_pixels" if alone else None, kind)
        for p, series in enumerate(patients)
        for s, (kind, images, alone) in enumerate(series)
        for i in range(images)
    ]
    names = ("image", "series", "patient", "undrawable", "kind")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def patients(drawn, *samples):
    return set(drawn.filter(pl.col("sample").is_in(samples))["patient"])


@given(ARCHIVES, st.integers(0, 3), SEEDS)
def test_no_patient_and_no_image_is_in_two_samples(shape, thin, seed):
    images = archive(shape)
    drawn = draw_by_kind(images, SIZES, thin, seed)
    assert drawn["image"].is_unique().all()
    assert (drawn.group_by("patient").agg(pl.col("sample").n_unique())["sample"] == 1).all()
    content, own = summary(drawn, images, SIZES), len(patients(drawn, "autoencoder"))
    if content["shared"]:
        assert own <= len(drawn.filter(sample="autoencoder")) < len(drawn.filter(sample="tuning"))


@given(ARCHIVES, st.integers(0, 3), SEEDS)
def test_the_draw_depends_on_seed_and_images_alone(shape, thin, seed):
    images = archive(shape)
    drawn = draw_by_kind(images, SIZES, thin, seed)
    assert drawn.equals(draw_by_kind(images.reverse(), SIZES, thin, seed))
    assert drawn.equals(draw_by_kind(images.sample(fraction=1, shuffle=True), SIZES, thin, seed))


@given(ARCHIVES, st.integers(0, 3), SEEDS)
def test_sizes_series_and_pictures_are_kept_to(shape, thin, seed):
    drawn = draw_by_kind(archive(shape), SIZES, thin, seed)
    for name, size in SIZES.items():
        assert drawn.filter(sample=name).height <= size
    if thin:
        assert drawn.group_by("series", "sample").len()["len"].max() <= thin
    alone = drawn.drop_nulls("undrawable")
    assert set(alone["sample"]) <= {"tuning", "holdout"}


@given(ARCHIVES, st.integers(0, 3), SEEDS)
def test_samples_are_filled_in_order_of_priority(shape, thin, seed):
    """Half of a kind's patients at most are the tuning sample's."""
    images = archive(shape)
    drawn = draw_by_kind(images, SIZES, thin, seed)
    got = Counter(drawn["sample"])
    assert got["tuning"] > 0
    if got["trial-01"]:
        assert got["holdout"] > 0
    made = [name for name in TRIALS if got[name]]
    assert made == TRIALS[: len(made)]
    for name in made:
        assert got[name] >= 6
        assert len(patients(drawn, name)) >= 2
    assert got["autoencoder"] == 0 or made
    if len({kind for series in shape for kind, _, _ in series}) == 1:
        assert len(patients(drawn, "tuning")) <= math.ceil(len(shape) / 2)


@given(ARCHIVES, st.integers(0, 3), SEEDS)
def test_no_kind_is_left_out_and_weights_sum_to_the_number_of_pictures(shape, thin, seed):
    images = archive(shape)
    drawn = draw_by_kind(images, SIZES, thin, seed)
    tuning = drawn.filter(sample="tuning")
    assert set(tuning["kind"]) == set(images["kind"])
    assert tuning["weight"].sum() == pytest.approx(len(images))
    count = Counter(images["kind"])
    for (sample, kind), part in drawn.group_by("sample", "kind"):
        assert part["weight"].sum() == pytest.approx(count[kind]), sample


@given(
    st.integers(0, 60),
    st.dictionaries(
        st.sampled_from("abcdef"), st.tuples(st.integers(1, 10_000), st.integers(0, 30)), min_size=1
    ),
)
def test_quotas_are_those_of_webster(size, kinds):
    """After one each: what minimises, over all transfers of an image, the unfairness of Webster."""
    roots = {kind: count**0.5 for kind, (count, _) in kinds.items()}
    available = {kind: most for kind, (_, most) in kinds.items()}
    quotas = dealt(size, roots, available)
    assert sum(quotas.values()) == min(size, sum(available.values()))
    assert all(quotas[kind] <= available[kind] for kind in quotas)
    could_give = [kind for kind in quotas if quotas[kind] > 1]
    could_take = [kind for kind in quotas if quotas[kind] < available[kind]]
    for giver in could_give:
        for taker in could_take:
            gives = Fraction(roots[giver]) / (2 * quotas[giver] - 1)
            takes = Fraction(roots[taker]) / (2 * quotas[taker] + 1)
            assert float(gives) >= float(takes) * (1 - 1e-12)


def test_kinds_are_drawn_by_the_square_root_of_their_share():
    many = archive([[("CT", 1, False)]] * 8100 + [[("MG", 1, False)]] * 100)
    drawn = draw_by_kind(many, SIZES | {"tuning": 50}, 1, seed=3)
    assert Counter(drawn.filter(sample="tuning")["kind"]) == {"CT": 45, "MG": 5}
    weight = dict(drawn.filter(sample="tuning").select("kind", "weight").iter_rows())
    assert weight == {"CT": 180, "MG": 20}


@pytest.mark.parametrize(
    ("number", "full"),
    [
        (1, {"tuning"}),
        (2, {"tuning", "holdout"}),
        (20, {"tuning", "holdout"}),
        (60, {"tuning", "holdout", "trial-01", "trial-02"}),
    ],
)
def test_what_cannot_be_had_is_left_out_and_said(number, full):
    sizes = dict.fromkeys(("tuning", "holdout", "autoencoder", *TRIALS), 5000)
    images = archive([[("CT", 1, False)]] * number)
    drawn = draw_by_kind(images, sizes, 1, seed=1)
    assert set(drawn["sample"]) == full
    content = summary(drawn, images, sizes)
    assert content["samples"]["tuning"]["drawn"] == math.ceil(number / 2)
    said = " ".join(content["untested"])
    assert ("other patients was not tested" in said) == ("holdout" not in full)
    assert ("look alike was not tested" in said) == ("trial-01" not in full)
    assert ("in 2 trials in place of 3" in said) == (full >= {"trial-02"})
    assert ("learned from the images of the tuning" in said) == content["shared"]
    assert content["shared"] == (number == 60)


def test_a_draw_by_patient_alone_stays_what_it_was():
    images = archive([[("CT", 2, False)]] * 60).drop("kind")
    assert draw_samples(images, SIZES, 1, 5).equals(by_patient.draw(images, SIZES, 1, 5))


def test_a_draw_by_patient_alone_that_left_samples_empty_is_filled_in_order():
    images = archive([[("CT", 2, False)]] * 4).drop("kind")
    drawn = draw_samples(images, SIZES, 1, 5)
    assert Counter(drawn["sample"]) == {"tuning": 2, "holdout": 1}
    assert set(drawn.columns) == {*images.columns, "sample"}


def test_what_is_no_picture_is_not_drawn():
    images = archive([[("CT", 1, False)], [("SR", 3, True)]] * 30)
    images = images.with_columns(picture=pl.col("kind") != "SR")
    drawn = draw_samples(images, SIZES, 1, 5)
    assert set(drawn["kind"]) == {"CT"}
    none = draw_samples(images.filter(kind="SR"), SIZES, 1, 5)
    assert none.is_empty()
    assert none.schema == drawn.schema
    (sentence,) = summary(none, images, SIZES)["untested"]
    assert sentence.startswith("Nothing was clustered")


def test_an_archive_without_images_ends_in_one_line():
    with pytest.raises(DataError, match="results/rejected/ says why"):
        draw_samples(archive([]), SIZES, 1, 5)


@given(ARCHIVES, st.integers(0, 3), SEEDS, st.integers(1, 4))
def test_the_samples_of_the_candidates_of_shards_are_those_of_all_images(shape, thin, seed, parts):
    images = archive(shape).with_columns(picture=pl.col("kind") != "MG")
    kinds = Counter(images.filter("picture")["kind"])
    shards = [images.gather_every(parts, first) for first in range(parts)]
    chosen = pl.concat([by_patient.candidates(shard, thin, seed) for shard in shards])
    drawn = draw_samples(chosen, SIZES, thin, seed, kinds)
    whole = draw_samples(images, SIZES, thin, seed)
    assert drawn.equals(whole)
    assert summary(drawn, chosen, SIZES) == summary(whole, images, SIZES)
