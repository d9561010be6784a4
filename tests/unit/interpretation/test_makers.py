import numpy as np
import polars as pl

from tagsight.interpretation.makers import with_makers


def sample(makers, modality="CT", patients=None):
    n = len(makers)
    return pl.DataFrame(
        {
            "image": [f"{modality} {i}" for i in range(n)],
            "series": [f"{modality} {i}" for i in range(n)],
            "study": [f"{modality} {i}" for i in range(n)],
            "patient": [f"{modality} {p}" for p in (patients or range(n))],
            "modality": modality,
            "manufacturer": makers,
        },
        schema_overrides={"manufacturer": pl.String},
    )


def makers(images, clusters):
    members = images.select("image", cluster=pl.Series(clusters))
    cards = [{"label": c} for c in sorted(set(clusters))]
    return [card["maker"] for card in with_makers(cards, "label", images, members, 3)]


def test_a_label_of_one_maker_among_others_of_its_modality_is_told():
    images = sample(["A"] * 10 + ["B"] * 8 + ["A"] * 2)
    one, other = makers(images, [1] * 10 + [2] * 10)
    assert one == {"inside": 1.0, "outside": 0.2, "one": True}
    assert other == {"inside": 0.8, "outside": 0.0, "one": False}


def test_makers_of_another_modality_are_not_compared():
    """All CT are of A, whatever their label: that tells nothing of labels."""
    images = pl.concat([sample(["A"] * 10), sample(["B"] * 10, "MR")])
    first, second, third = makers(images, [1] * 5 + [2] * 5 + [3] * 10)
    assert first == second == {"inside": 1.0, "outside": 1.0, "one": False}
    assert third is None


def test_few_patients_and_unknown_makers_tell_nothing():
    images = sample(["A"] * 6 + ["B"] * 6, patients=[0, 0, 0, 1, 1, 1, *range(2, 8)])
    assert makers(images, [1] * 6 + [2] * 6)[0] is None
    assert makers(sample([None] * 8), [1] * 4 + [2] * 4) == [None, None]


def test_the_most_frequent_maker_counts_and_order_does_not():
    rng = np.random.default_rng(0)
    images = sample(rng.choice(["A", "B", "C"], 60).tolist())
    clusters = rng.integers(1, 4, 60).tolist()
    for one in makers(images, clusters):
        assert 0 <= one["outside"] <= 1
        assert one["inside"] >= 1 / 3
    order = rng.permutation(60)
    shuffled = images[order]
    assert makers(shuffled, [clusters[i] for i in order]) == makers(images, clusters)
