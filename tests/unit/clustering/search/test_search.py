"""The search among all rows, against FasterPAM on the matrix and against itself."""

import tempfile
from pathlib import Path
from unittest import mock

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_state import ANY, CUT, features, loss

from tagsight.clustering import k_medoids
from tagsight.clustering.search import search
from tagsight.clustering.search.state import SearchState
from tagsight.gower import metric
from tagsight.gower.features import Features
from tagsight.run.atomic import write_state

KS = [2, 5, 12]


def found(made, path, *, weight=None, candidates=100_000, distance="linear", **options):
    weight = np.ones(len(made)) if weight is None else weight
    given = {"seed": 1, "sample": 150, "checkpoint": path, **options}
    return search.search(made, weight, KS, distance=distance, candidates=candidates, **given)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """A search of few rows is many short steps: a second thread is not worth waiting for."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def weights(seed, n):
    return np.random.default_rng(seed).integers(1, 5, n).astype(float)


# Small batches, so that few rows take many, and often committed.
BATCHES = mock.patch.multiple(search, TILE=16, COMMIT=48)


class Watched(SearchState):
    """A search that keeps the losses at each of its steps."""

    def __init__(self, *given):
        super().__init__(*given)
        self.seen = []
        SEEN.append(self.seen)

    def refine(self, seed):
        self.seen.append(self.losses())
        super().refine(seed)
        self.seen.append(self.losses())

    def attempt(self, candidates, active):
        super().attempt(candidates, active)
        self.seen.append(self.losses())


SEEN = []


@settings(max_examples=15)
@given(**ANY, n=st.integers(20, 90))
@CUT
@BATCHES
@mock.patch.object(search, "SearchState", Watched)
def test_a_search_to_its_end_ends_at_an_optimum_of_single_swaps(seed, distance, n):
    """And its loss never rises on the way, and is what it says, of clusters as they should be."""
    made, weight = features(seed, n), weights(seed, n)
    with tempfile.TemporaryDirectory() as folder:
        outcome = found(made, Path(folder) / "state", weight=weight, distance=distance, sample=18)
    assert (np.diff(SEEN.pop(), axis=0) <= 0).all()
    assert outcome.share >= 1
    d = metric.matrix(made, distance).astype(np.float64)
    for each in outcome.clusterings:
        assert each.loss == pytest.approx(loss(d, weight, each.medoids), rel=1e-6)
        nearest = np.sort(d[each.medoids], axis=0)
        np.testing.assert_allclose(each.distance, nearest[0], atol=1e-6)
        np.testing.assert_allclose(each.second, nearest[1], atol=1e-6)
        np.testing.assert_allclose(
            d[each.medoids[each.labels], np.arange(n)], nearest[0], atol=1e-6
        )
        np.testing.assert_array_equal(each.labels[each.medoids], np.arange(each.k))
        assert (np.diff(np.bincount(each.labels, weight)) <= 0).all()
        for m in range(each.k):
            rest = d[np.delete(each.medoids, m)].min(axis=0)
            swapped = (weight * np.minimum(rest, d)).sum(axis=1)  # row in the place of medoid m
            assert swapped.min() >= each.loss - 1e-7 * weight.sum()


def test_the_loss_is_about_that_of_fasterpam_on_the_matrix(tmp_path):
    """Never above it where the sample is all rows; from few rows another optimum may be met."""
    made = features(2, 2000)
    grid = k_medoids.grid(metric.matrix(made), KS)
    whole = found(made, tmp_path / "whole", sample=2000).clusterings
    part = found(made, tmp_path / "part", sample=400).clusterings
    for exact, one, other in zip(grid, whole, part, strict=True):
        assert one.loss <= exact.loss * (1 + 1e-6)
        assert other.loss <= 1.1 * exact.loss


def test_collapsed_rows_are_as_good_as_all_of_them(tmp_path):
    """With the same medoids to begin from, the search of distinct rows is that of all rows."""
    some = features(4, 160, missing=0.1)
    some = some.take(np.setdiff1d(np.arange(160), [1, 159]))  # what lacks everything stays apart
    times = np.random.default_rng(0).integers(1, 6, len(some))
    every = np.repeat(np.arange(len(some)), times)
    with mock.patch.object(k_medoids, "_random_starts", return_value=[]):  # only BUILD's
        few = found(some, tmp_path / "few", weight=times.astype(float), sample=1000)
        many = found(some.take(every), tmp_path / "many", sample=1000)
    for one, all_ in zip(few.clusterings, many.clusterings, strict=True):
        assert one.loss == pytest.approx(all_.loss, rel=1e-5)
        np.testing.assert_array_equal(one.labels[every], all_.labels)
        np.testing.assert_array_equal(one.medoids, every[all_.medoids])


class Killed(Exception):
    """Stands for the end of a job before its time."""


class Kill:
    """Ends the search after so many batches."""

    def __init__(self, batches):
        self.left = batches

    def resume(self, n):
        self.resumed = n

    def add(self, *_):
        self.left -= 1
        if self.left <= 0:
            raise Killed


@settings(max_examples=10)
@given(
    **ANY,
    n=st.integers(20, 90),
    candidates=st.integers(1, 400),
    lives=st.lists(st.integers(1, 12), max_size=4),
)
@CUT
@BATCHES
def test_a_search_that_was_broken_off_goes_on_to_the_same_end(seed, distance, n, candidates, lives):
    options = {"weight": weights(seed, n), "distance": distance, "candidates": candidates}
    made, options = features(seed, n), options | {"sample": 18}
    with tempfile.TemporaryDirectory() as folder:
        unbroken = found(made, Path(folder) / "unbroken", **options)
        for batches in lives:
            try:
                found(made, Path(folder) / "broken", progress=Kill(batches), **options)
            except Killed:
                continue
        broken = found(made, Path(folder) / "broken", **options)
    assert same(unbroken, broken)
    assert broken.tried == unbroken.tried <= candidates
    np.testing.assert_array_equal(broken.swaps, unbroken.swaps)


@settings(max_examples=10)
@given(**ANY, n=st.integers(20, 90), budgets=st.lists(st.integers(0, 300), min_size=2, max_size=4))
@CUT
@BATCHES
def test_a_search_after_one_of_another_budget_is_as_if_it_was_the_first(seed, distance, n, budgets):
    made, options = features(seed, n), {"distance": distance, "sample": 18}
    with tempfile.TemporaryDirectory() as folder:
        for budget in budgets:
            outcome = found(made, Path(folder) / "state", candidates=budget, **options)
        alone = found(made, Path(folder) / "alone", candidates=budgets[-1], **options)
    assert same(outcome, alone)
    assert outcome.tried == alone.tried
    np.testing.assert_array_equal(outcome.swaps, alone.swaps)


@BATCHES
def test_a_larger_budget_goes_on_where_the_smaller_ended(tmp_path):
    made, state = features(5, 300), tmp_path / "state"
    found(made, state, candidates=100, sample=20)
    goes_on = Kill(1)
    with pytest.raises(Killed):
        found(made, state, candidates=200, progress=goes_on, sample=20)
    assert goes_on.resumed == 96  # whole batches of 16


@BATCHES
def test_a_search_that_was_broken_off_is_taken_up_where_it_was_committed(tmp_path):
    kill, goes_on = Kill(8), Kill(1)
    for progress in (kill, goes_on):
        with pytest.raises(Killed):
            found(features(5, 300), tmp_path / "state", progress=progress, sample=20)
    assert (kill.resumed, goes_on.resumed) == (0, 96)  # 8 batches of 16, of which 6 are committed


@BATCHES
@pytest.mark.parametrize("harm", ["cut", "flipped", "of another version"])
def test_a_state_that_cannot_be_used_is_searched_anew(tmp_path, harm, caplog):
    """To the same end as if it had never been."""
    made, state = features(5, 300), tmp_path / "state"
    whole = found(made, tmp_path / "other", candidates=100, sample=20)
    found(made, state, candidates=100, sample=20)
    data = bytearray(state.read_bytes())
    if harm == "of another version":
        write_state(b"PK of another kind", state)
    else:
        data[len(data) // 2] ^= 1
        state.write_bytes(data if harm == "flipped" else data[:-7])
    with caplog.at_level("WARNING", "tagsight"):
        assert same(found(made, state, candidates=100, sample=20), whole)
    assert "state of an earlier try is damaged" in caplog.text


def same(one, other):
    return all(
        np.array_equal(a.medoids, b.medoids)
        and np.array_equal(a.labels, b.labels)
        and a.distance.tobytes() == b.distance.tobytes()
        and a.second.tobytes() == b.second.tobytes()
        and a.loss == b.loss
        for a, b in zip(one.clusterings, other.clusterings, strict=True)
    ) and np.array_equal(one.silhouettes, other.silhouettes)


@settings(max_examples=4)
@given(**ANY, n=st.integers(520, 700))
@CUT
def test_one_thread_and_two_give_the_same_bytes(seed, distance, n):
    """Rows of two tiles, and sums in many strips: both are shared out among threads."""
    made, before, outcomes = features(seed, n), numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            with tempfile.TemporaryDirectory() as folder:
                options = {"weight": weights(seed, n), "distance": distance, "candidates": 48}
                outcomes.append(found(made, Path(folder) / "state", **options))
    finally:
        numba.set_num_threads(before)
    assert same(*outcomes)


def test_better_medoids_than_the_samples_are_begun_from(tmp_path):
    made = features(7, 1500)
    (best,) = k_medoids.grid(metric.matrix(made), [5])
    given = {5: best.medoids, 7: np.arange(7)}  # 7 is in no grid: it is searched for all the same
    outcome = found(made, tmp_path / "state", candidates=0, starts=given)
    assert [each.k for each in outcome.clusterings] == [2, 5, 7, 12]
    assert outcome.clusterings[1].loss <= best.loss + 1e-6
    assert outcome.swaps.tolist() == [0, 0, 0, 0]


def test_k_without_as_many_rows_is_left_out(tmp_path):
    ones = np.ones(1, np.float32)
    made = Features(
        np.arange(4, dtype=np.float32)[:, None] / 3, np.empty((4, 0), np.int32), ones, ones[:0]
    )
    assert [each.k for each in found(made, tmp_path / "state").clusterings] == [2]
    empty = found(made.take(np.array([0])), tmp_path / "one")
    assert (empty.clusterings, empty.tried) == ([], 0)


def test_progress_is_told_with_the_loss(tmp_path):
    class Told(list):
        def resume(self, n):
            self.append(n)

        def add(self, n, note=""):
            self.append((n, note))

    told = Told()
    found(features(8, 700), tmp_path / "state", candidates=600, progress=told)
    assert told[0] == 0
    assert sum(n for n, _ in told[1:]) == 600
    assert all("(K = 12)" in note for _, note in told[1:])
