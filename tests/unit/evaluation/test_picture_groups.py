import numpy as np
from sklearn.metrics import adjusted_rand_score, pairwise_distances

from tagsight.evaluation.pair import picture_groups


def pictures(n, seed, d=12):
    """Pictures of six kinds, the same at each seed, and which kind each is of."""
    kind = np.random.default_rng(seed).integers(0, 6, n)
    noise = np.random.default_rng(seed + 1).normal(0, 0.2, (n, d))
    kinds = np.random.default_rng(99).normal(size=(6, d))
    return (kinds[kind] + noise).astype(np.float32), kind


def test_groups_mean_the_same_in_all_trials():
    tuning, _ = pictures(150, 0)
    (one, first), (two, second) = pictures(40, 1), pictures(50, 2)
    found = picture_groups(tuning, [one, two], 6)
    assert adjusted_rand_score(np.r_[first, second], found) > 0.95
    alone = picture_groups(tuning, [two], 6)
    assert np.array_equal(found[40:], alone)


def test_each_image_is_in_the_group_of_the_nearest_medoid():
    tuning, _ = pictures(80, 3)
    found = picture_groups(tuning, [tuning], 5)
    distances = pairwise_distances(tuning, metric="cosine")
    medoids = [
        members[distances[np.ix_(members, members)].sum(0).argmin()]
        for members in (np.flatnonzero(found == g) for g in range(5))
    ]
    assert np.array_equal(distances[medoids].argmin(axis=0), found)


def test_images_that_are_not_there_are_in_no_group_and_no_medoid():
    tuning, _ = pictures(80, 4)
    trial, _ = pictures(30, 5)
    whole = picture_groups(tuning, [trial], 4)
    holed = np.concatenate([tuning, np.full((5, 12), np.nan, np.float32)])
    trial[7] = np.nan
    found = picture_groups(holed, [trial], 4)
    assert found[7] == -1
    assert np.array_equal(np.delete(found, 7), np.delete(whole, 7))


def test_too_few_pictures_make_no_groups():
    tuning, _ = pictures(3, 6)
    assert picture_groups(tuning, [tuning], 3) is None
    assert picture_groups(np.full_like(tuning, np.nan), [tuning], 1) is None
