import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from study.left_out import distance_to_others, permutations
from tagsight.evaluation.centres import inner_products


def slow(rows, labels, patients):
    far = []
    for i, row in enumerate(rows):
        others = patients != patients[i]
        inside = others & (labels == labels[i])
        centre = rows[inside if inside.any() else others].mean(0) if others.any() else 0 * row
        far.append(1 - row @ centre / max(np.linalg.norm(row) * np.linalg.norm(centre), 1e-30))
    return np.mean(far)


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 12), st.integers(0, 999))
def test_agrees_with_the_definition(n, clusters, people, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.5, 1, (n, 5)).astype(np.float32)
    labels, patients = rng.integers(0, clusters, n), rng.integers(0, people, n)
    found = distance_to_others(inner_products(rows), labels, patients)
    np.testing.assert_allclose(found, slow(rows.astype(float), labels, patients), atol=2e-4)


def test_labels_move_inside_their_stratum_alone():
    strata = np.random.default_rng(0).integers(0, 4, 50)
    for source in permutations(strata, 20, np.random.default_rng(1)):
        assert np.array_equal(strata[source], strata)
        assert np.array_equal(np.sort(source), np.arange(50))
