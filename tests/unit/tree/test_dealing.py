import itertools

from hypothesis import given
from hypothesis import strategies as st

from tagsight.tree.dealing import deal

GAINS = st.dictionaries(
    st.sampled_from("ABC"),
    st.lists(st.floats(0, 1), max_size=4).map(
        lambda steps: dict(enumerate(itertools.accumulate([0.0, *steps]), start=1))
    ),
    min_size=1,
)


def test_clusters_go_where_each_gains_most():
    gains = {"CT": {1: 0, 2: 0.2, 3: 0.21}, "MR": {1: 0, 2: 0.1, 3: 0.3}}
    # MR gains .15 by each of two more, CT .2 by one more and .01 by the next.
    assert deal(gains, 3) == {"CT": 2, "MR": 1}
    assert deal(gains, 5) == {"CT": 2, "MR": 3}


def test_each_kind_has_a_cluster_even_if_fewer_are_asked_for():
    gains = {kind: {1: 0.0, 2: 0.4} for kind in "ABC"}
    assert deal(gains, 2) == {"A": 1, "B": 1, "C": 1}


@given(GAINS, st.integers(1, 20))
def test_no_more_are_dealt_than_asked_for_and_only_what_the_kinds_have(gains, count):
    numbers = deal(gains, count)
    assert sum(numbers.values()) <= max(count, len(gains))
    assert all(number in gains[kind] for kind, number in numbers.items())


@given(GAINS, st.integers(1, 12))
def test_where_each_step_gains_less_than_the_one_before_it_is_the_best_deal(gains, count):
    concave = {
        kind: {k: (1 - 1 / k) * (1 + i) for k in of_kind}
        for i, (kind, of_kind) in enumerate(gains.items())
    }
    numbers = deal(concave, count)
    options = itertools.product(*(of_kind.items() for of_kind in concave.values()))
    most = max(
        sum(gain for _, gain in option)
        for option in options
        if sum(k for k, _ in option) <= max(count, len(concave))
    )
    assert sum(concave[kind][k] for kind, k in numbers.items()) >= most - 1e-9
