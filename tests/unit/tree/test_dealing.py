import itertools

from hypothesis import given
from hypothesis import strategies as st

from tagsight.tree.dealing import deal

GRIDS = st.dictionaries(
    st.sampled_from("ABC"),
    st.lists(st.floats(0, 1), min_size=1, max_size=5).map(
        lambda falls: dict(enumerate(sorted(falls, reverse=True), start=1))
    ),
    min_size=1,
)


def test_clusters_go_where_each_lowers_the_mean_distance_most():
    grids = {"CT": {1: 0.5, 2: 0.3, 3: 0.29}, "MR": {1: 0.5, 2: 0.4, 3: 0.2}}
    # MR gains .15 by each of two more, CT .2 by one more and .01 by the next.
    assert deal(grids, {"CT": 100, "MR": 100}, 3) == {"CT": 2, "MR": 1}
    assert deal(grids, {"CT": 100, "MR": 100}, 5) == {"CT": 2, "MR": 3}


def test_a_kind_of_more_images_counts_by_their_square_root():
    grids = {"CT": {1: 0.5, 2: 0.4}, "MR": {1: 0.5, 2: 0.25}}
    assert deal(grids, {"CT": 400, "MR": 100}, 3) == {"CT": 1, "MR": 2}
    assert deal(grids, {"CT": 900, "MR": 100}, 3) == {"CT": 2, "MR": 1}


def test_each_kind_has_a_cluster_even_if_fewer_are_asked_for():
    grids = {kind: {1: 0.5, 2: 0.1} for kind in "ABC"}
    assert deal(grids, dict.fromkeys("ABC", 10), 2) == {"A": 1, "B": 1, "C": 1}


@given(GRIDS, st.integers(1, 20))
def test_no_more_are_dealt_than_asked_for_and_only_what_the_grids_have(grids, count):
    numbers = deal(grids, dict.fromkeys(grids, 9), count)
    assert sum(numbers.values()) <= max(count, len(grids))
    assert all(number in grids[kind] for kind, number in numbers.items())


@given(GRIDS, st.integers(1, 12))
def test_where_each_step_gains_less_than_the_one_before_it_is_the_best_deal(grids, count):
    convex = {
        kind: {k: 1 / k * (1 + i) for k in grid} for i, (kind, grid) in enumerate(grids.items())
    }
    numbers = deal(convex, dict.fromkeys(convex, 1), count)
    options = itertools.product(*(grid.items() for grid in convex.values()))
    least = min(
        sum(distance for _, distance in option)
        for option in options
        if sum(k for k, _ in option) <= max(count, len(convex))
    )
    assert sum(convex[kind][k] for kind, k in numbers.items()) <= least + 1e-9
