import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from tagsight.evaluation import retrieval as module
from tagsight.evaluation.retrieval import retrieval, similarities


def archive(seed, n=60, patients=15, values=4, strata=2):
    """Embeddings, values, strata and patients of images."""
    rng = np.random.default_rng(seed)
    embeddings = (rng.standard_normal((n, 7)) + 0.3).astype(np.float32)
    value, stratum, patient = (
        rng.integers(low, high, n) for low, high in ((-1, values), (0, strata), (0, patients))
    )
    return embeddings, value, stratum, patient


def by_scikit_learn(embeddings, values, strata, patients, asked=True):
    """For each image that is asked a search among the images that may be its neighbours."""
    shares, chances = [], []
    for i in np.flatnonzero((values >= 0) & asked):
        others = np.flatnonzero((patients != patients[i]) & (strata == strata[i]) & (values >= 0))
        if len(others):
            found = NearestNeighbors(n_neighbors=min(5, len(others)), metric="cosine")
            found.fit(embeddings[others].astype(np.float64))
            near = found.kneighbors(embeddings[[i]].astype(np.float64), return_distance=False)[0]
            shares.append(np.mean(values[others[near]] == values[i]))
            chances.append(np.mean(values[others] == values[i]))
    if not shares:
        return None, None, 0
    return np.mean(shares), np.mean(chances), len(shares)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 20), st.integers(1, 4))
def test_neighbours_are_scikit_learns(seed, patients, strata):
    arrays = archive(seed, patients=patients, strata=strata)
    found = retrieval(*similarities([arrays[0][:9], arrays[0][9:]]), *arrays[1:], arrays[3] % 3)
    agreement, chance, n = by_scikit_learn(*arrays)
    assert found.agreement == pytest.approx(agreement)
    assert found.chance == pytest.approx(chance)
    assert found.n == n
    shares = [
        by_scikit_learn(*arrays, asked=arrays[3] % 3 == trial)
        for trial in range(int((arrays[3] % 3).max()) + 1)
    ]
    assert [count for _, count in found.by_trial] == [count for _, _, count in shares]
    for (share, count), (agrees, _, _) in zip(found.by_trial, shares, strict=True):
        assert share == pytest.approx(agrees) if count else share is None


def test_labels_that_know_nothing_of_looks_agree_by_chance_and_looks_are_found():
    embeddings, value, stratum, patient = archive(1, n=900, patients=300)
    found = retrieval(*similarities([embeddings]), value, stratum, patient, 0 * patient)
    assert found.agreement == pytest.approx(found.chance, abs=0.04)
    embeddings[:, 0] += 99 * (value == 1)
    seen = retrieval(
        *similarities([embeddings]), (value == 1).astype(int), 0 * stratum, patient, 0 * patient
    )
    assert seen.agreement > 0.99
    assert 0.5 < seen.chance < 0.8


def test_a_patients_own_images_are_no_neighbours():
    embeddings = np.repeat(np.eye(4, dtype=np.float32), 6, axis=0)
    patient = np.repeat(np.arange(4), 6)
    found = retrieval(*similarities([embeddings]), patient, 0 * patient, patient, 0 * patient)
    assert found.agreement == 0


def test_images_without_a_description_are_left_out():
    embeddings, value, stratum, patient = archive(4)
    whole = retrieval(
        *similarities([embeddings[9:]]), value[9:], stratum[9:], patient[9:], 0 * patient[9:]
    )
    embeddings[:4], embeddings[4:9] = np.nan, 0
    assert retrieval(*similarities([embeddings]), value, stratum, patient, 0 * patient) == whole


def test_where_nothing_can_be_compared_nothing_is_said():
    embeddings, value, stratum, patient = archive(5)
    assert (
        retrieval(*similarities([embeddings]), value, stratum, 0 * patient, 0 * patient).agreement
        is None
    )
    assert (
        retrieval(*similarities([embeddings]), 0 * value - 1, stratum, patient, 0 * patient).n == 0
    )
    none = retrieval(
        *similarities([embeddings[:0]]), value[:0], stratum[:0], patient[:0], patient[:0]
    )
    assert none.agreement is None


def test_of_many_images_some_are_asked_among_all(monkeypatch):
    embeddings, value, stratum, patient = archive(6, n=300, patients=90)
    monkeypatch.setattr(module, "QUERIES", 20)
    asked, similar = similarities([embeddings])
    assert similar.shape == (20, 300)
    assert asked[[0, -1]].tolist() == [0, 299]
    assert np.diff(asked).min() >= 15
    assert retrieval(asked, similar, value, stratum, patient, 0 * patient).n <= 20


def test_columns_in_hand_do_not_matter(monkeypatch):
    embeddings = archive(7)[0]
    _, whole = similarities([embeddings])
    monkeypatch.setattr(module, "CELLS", 1)
    np.testing.assert_allclose(similarities([embeddings])[1], whole, atol=1e-6)
