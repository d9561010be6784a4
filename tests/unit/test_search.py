"""The search among all rows, against FasterPAM on the matrix and against itself."""

import os
import subprocess
import sys

import numpy as np
import pytest
from test_streamed import features, loss

from tagsight import gower, medoids, search
from tagsight.gower import Features

KS = [2, 5, 12]


def found(made, path, *, weight=None, candidates=100_000, distance="linear", **options):
    weight = np.ones(len(made)) if weight is None else weight
    given = {"seed": 1, "sample": 150, "resume": path, **options}
    return search.search(made, weight, KS, distance=distance, candidates=candidates, **given)


@pytest.mark.parametrize("distance", ["linear", "root"])
def test_after_a_round_without_a_swap_no_single_swap_lowers_the_loss(tmp_path, distance):
    made = features(1, 400)
    weight = np.random.default_rng(1).integers(1, 4, 400).astype(float)
    outcome = found(made, tmp_path / "state", weight=weight, distance=distance)
    assert outcome.share >= 1
    d = gower.matrix(made, distance).astype(np.float64)
    for each in outcome.found:
        assert each.loss == pytest.approx(loss(d, weight, each.medoids), rel=1e-6)
        for m in range(each.k):
            rest = d[np.delete(each.medoids, m)].min(axis=0)
            swapped = (weight * np.minimum(rest, d)).sum(axis=1)  # row in the place of medoid m
            assert swapped.min() >= each.loss - 1e-5


def test_the_loss_is_about_that_of_fasterpam_on_the_matrix(tmp_path):
    """Never above it where the sample is all rows; from few rows another optimum may be met."""
    made = features(2, 2000)
    grid = medoids.grid(gower.matrix(made), KS)
    whole = found(made, tmp_path / "whole", sample=2000).found
    part = found(made, tmp_path / "part", sample=400).found
    for exact, one, other in zip(grid, whole, part, strict=True):
        assert one.loss <= exact.loss * (1 + 1e-6)
        assert other.loss <= 1.1 * exact.loss


def test_clusters_are_numbered_by_weight_and_told_by_their_nearest_medoid(tmp_path):
    made = features(3, 500)
    weight = np.random.default_rng(0).integers(1, 9, 500).astype(float)
    d = gower.matrix(made)
    for each in found(made, tmp_path / "state", weight=weight, candidates=300).found:
        assert (np.diff(np.bincount(each.labels, weight)) <= 0).all()
        own = d[each.medoids[each.labels], np.arange(500)]
        np.testing.assert_allclose(own, d[each.medoids].min(axis=0), atol=1e-6)
        np.testing.assert_array_equal(each.labels[each.medoids], np.arange(each.k))
        np.testing.assert_allclose(each.distance, own, atol=1e-6)


def test_collapsed_rows_are_as_good_as_all_of_them(tmp_path):
    """With the same medoids to begin from, the search of distinct rows is that of all rows."""
    some = features(4, 160, missing=0.1)
    some = some.take(np.setdiff1d(np.arange(160), [1, 159]))  # what lacks everything stays apart
    times = np.random.default_rng(0).integers(1, 6, len(some))
    every = np.repeat(np.arange(len(some)), times)
    few = found(some, tmp_path / "few", weight=times.astype(float), sample=1000)
    many = found(some.take(every), tmp_path / "many", sample=1000)
    for one, all_ in zip(few.found, many.found, strict=True):
        assert one.loss == pytest.approx(all_.loss, rel=1e-5)
        np.testing.assert_array_equal(one.labels[every], all_.labels)
        np.testing.assert_array_equal(one.medoids, every[all_.medoids])


def test_a_search_that_was_broken_off_goes_on_to_the_same_end(tmp_path):
    made = features(5, 3000)
    unbroken = found(made, tmp_path / "unbroken", candidates=2500)
    found(made, tmp_path / "broken", candidates=0)
    for upto in (700, 2500):
        broken = found(made, tmp_path / "broken", candidates=upto)
    assert same(unbroken, broken)
    assert broken.tried == 2500


def same(one, other):
    return all(
        np.array_equal(a.medoids, b.medoids)
        and np.array_equal(a.labels, b.labels)
        and a.distance.tobytes() == b.distance.tobytes()
        and a.second.tobytes() == b.second.tobytes()
        and a.loss == b.loss
        for a, b in zip(one.found, other.found, strict=True)
    ) and np.array_equal(one.silhouettes, other.silhouettes)


def test_one_thread_and_two_give_the_same_bytes(tmp_path):
    program = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from test_search import features, found\n"
        "end = found(features(6, 20000), Path(sys.argv[1]), candidates=1024)\n"
        "for each in end.found:\n"
        "    print(each.medoids.tolist(), each.loss.hex(), hash(each.distance.tobytes()))\n"
        "print([s.hex() for s in end.silhouettes], end.swaps)\n"
    )
    here = os.path.dirname(__file__)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / threads)],
            env=os.environ
            | {"PYTHONHASHSEED": "0", "NUMBA_NUM_THREADS": threads, "PYTHONPATH": here},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in "12"
    ]
    printed = [process.communicate()[0] for process in running]
    assert printed[0] == printed[1]
    assert printed[0].count("\n") == 4


def test_better_medoids_than_the_samples_are_begun_from(tmp_path):
    made = features(7, 1500)
    (best,) = medoids.grid(gower.matrix(made), [5])
    given = {5: best.medoids, 7: np.arange(7)}  # 7 is in no grid: it is searched for all the same
    outcome = found(made, tmp_path / "state", candidates=0, starts=given)
    assert [each.k for each in outcome.found] == [2, 5, 7, 12]
    assert outcome.found[1].loss <= best.loss + 1e-6
    assert outcome.swaps.tolist() == [0, 0, 0, 0]


def test_k_without_as_many_rows_is_left_out(tmp_path):
    ones = np.ones(1, np.float32)
    made = Features(
        np.arange(4, dtype=np.float32)[:, None] / 3, np.empty((4, 0), np.int32), ones, ones[:0]
    )
    assert [each.k for each in found(made, tmp_path / "state").found] == [2]
    empty = found(made.take(np.array([0])), tmp_path / "one")
    assert (empty.found, empty.tried) == ([], 0)


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
