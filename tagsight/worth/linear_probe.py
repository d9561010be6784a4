"""How well few labelled images of some patients tell the class of other patients' images.

A linear probe: logistic regression on descriptions of images that stay as they are. Patients are
dealt anew in each draw, and no patient is on both sides of one.

Source: Alain & Bengio, "Understanding intermediate layers using linear classifier probes" (2016);
Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1:386 (2007), for intervals over crossed factors,
here networks, patients and draws.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, Int64s

STRENGTH = 1.0  # inverse of the L2 penalty, on features of standard deviation 1
STEPS = 500  # of the solver, at most
RESAMPLED = 2000  # bootstraps of an interval


@dataclass(frozen=True)
class Probed:
    """Images tested, float64 (patients, draws), and those of them that were told right by each of
    several networks, float64 (networks, patients, draws)."""

    right: Float64s
    tested: Float64s

    def accuracy(self) -> float:
        """Return the share of the images tested, over networks and draws, that were told right."""
        return float(self.right.sum() / (len(self.right) * self.tested.sum()))


def probe_draws(
    patients: Int64s, images: int, draws: int, seed: int
) -> Iterator[tuple[Int64s, Int64s]]:
    """Yield for each draw the rows to learn from, and the rows of further patients to test on.

    patients: int64 (n,). Patients come in random order until they have so many images; what the
    last of them has beyond is in neither part.
    """
    people = np.unique(patients)
    for draw in range(draws):
        random = np.random.default_rng([seed, draw])
        place = random.permutation(len(people))[np.searchsorted(people, patients)]
        order = np.lexsort((random.permutation(len(patients)), place))
        learned = order[:images]
        yield learned, np.flatnonzero(place > place[learned].max(initial=-1))


def probed(
    networks: Sequence[Float32s],
    targets: Int64s,
    patients: Int64s,
    *,
    images: int,
    draws: int,
    seed: int,
) -> Probed:
    """Return what a probe tells right of each patient's images in each draw, by each network.

    networks: descriptions of the same images by several networks, float32 (n, d). targets,
    patients: int64 (n,). Draws are the same for all descriptions.
    """
    codes = np.unique(patients, return_inverse=True)[1].reshape(-1)
    tested = np.zeros((int(codes.max()) + 1, draws))
    right = np.zeros((len(networks), *tested.shape))
    with threadpool_limits(1):
        for draw, (train, test) in enumerate(probe_draws(patients, images, draws, seed)):
            np.add.at(tested[:, draw], codes[test], 1)
            for by_patient, features in zip(right[:, :, draw], networks, strict=True):
                told = _told(features[train], targets[train], features[test])
                np.add.at(by_patient, codes[test], told == targets[test])
    return Probed(right, tested)


def _told(features: Float32s, targets: Int64s, others: Float32s) -> Int64s:
    """The class that a logistic regression tells of other images; of one class alone, that."""
    from sklearn.linear_model import LogisticRegression  # a second to load

    if (targets == targets[0]).all():
        return np.full(len(others), targets[0])
    mean, sd = features.mean(axis=0), features.std(axis=0)
    scale = np.where(sd > 0, sd, 1)  # a value that is always 0 here says nothing of others
    regression = LogisticRegression(C=STRENGTH, max_iter=STEPS)
    known, new = (np.where(sd > 0, (each - mean) / scale, 0) for each in (features, others))
    told: Int64s = regression.fit(known, targets).predict(new)
    return told


def interval(one: Probed, other: Probed | None, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy, or of how much more it is than another.

    one, other: of the same images and draws, and of networks that pair up: all three are drawn
    again, crossed, for both alike.
    """
    random = np.random.default_rng([seed, 1])
    right = one.right if other is None else one.right - other.right
    values = []
    for _ in range(RESAMPLED):
        networks, people, draws = (
            random.multinomial(n, np.full(n, 1 / n)) / n for n in right.shape
        )
        tested = people @ one.tested @ draws
        if tested > 0:
            values.append(people @ np.tensordot(networks, right, 1) @ draws / tested)
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
