import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_limits

from tagsight.evaluation.pair_statistic import pair_statistic, pair_statistics, pairs

DRAWS = 100  # of each simulation of the level


def slow_share(vectors, labels, strata, patients, kept):
    """1 − Σa / Σb from all pairs, as the definition has it; None where there is no pair."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    a, b = [], []
    for i in np.flatnonzero(kept):
        others = [
            j for j in np.flatnonzero(kept) if patients[j] != patients[i] and strata[j] == strata[i]
        ]
        same = [j for j in others if labels[j] == labels[i] and labels[i] >= 0]
        if others:
            b.append(np.mean([1 - units[i] @ units[j] for j in others]))
            a.append(np.mean([1 - units[i] @ units[j] for j in same]) if same else b[-1])
    return 1 - sum(a) / sum(b) if b and sum(b) > 1e-9 else None


def archive(seed, n=40, d=5, labels=4, strata=3, patients=12, trials=4):
    """Embeddings, labels, strata, patients and trials; a patient is in one trial."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, patients, n)
    return (
        (rng.standard_normal((n, d)) + 0.5).astype(np.float32),
        rng.integers(-1, labels, n),
        rng.integers(0, strata, n),
        patient,
        patient % trials,
    )


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.integers(2, 14))
def test_it_is_what_the_definition_says_with_all_pairs(seed, labels, strata, patients):
    arrays = archive(seed, n=30, labels=labels, strata=strata, patients=patients)
    vectors, label, stratum, patient, trial = arrays
    said = pair_statistic(*arrays)
    whole = slow_share(vectors.astype(float), label, stratum, patient, np.ones(30, bool))
    if whole is None:
        assert said.explained is None
        assert said.reason
        return
    assert said.explained == pytest.approx(whole, abs=1e-6)
    if said.t is not None:
        parts = [
            slow_share(vectors.astype(float), label, stratum, patient, trial != left_out)
            for left_out in np.unique(trial)
        ]
        g = len(parts)
        error = np.sqrt((g - 1) / g * np.square(np.array(parts) - np.mean(parts)).sum())
        if said.df == g - 1:  # all trials have images to compare
            reach = stats.t.ppf(0.975, g - 1) * error
            assert said.ci95 == pytest.approx((whole - reach, whole + reach), abs=1e-6)
            assert said.t == pytest.approx(whole / error, rel=1e-4)
            assert said.p == pytest.approx(2 * stats.t.sf(abs(whole / error), g - 1), rel=1e-3)


def test_a_patient_in_several_trials_is_never_compared_with_himself():
    vectors, label, stratum, patient, _ = archive(3)
    trial = np.arange(len(label)) % 5
    said = pair_statistic(vectors, label, stratum, patient, trial)
    parts = [
        slow_share(vectors.astype(float), label, stratum, patient, trial != left_out)
        for left_out in range(5)
    ]
    reach = stats.t.ppf(0.975, 4) * np.sqrt(0.8 * np.square(parts - np.mean(parts)).sum())
    assert said.ci95[1] - said.explained == pytest.approx(reach, rel=1e-5)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.permutations(range(6)))
def test_names_of_labels_and_the_order_of_images_do_not_matter(seed, names):
    vectors, label, stratum, patient, trial = archive(seed, labels=5)
    first = pair_statistic(vectors, label, stratum, patient, trial)
    renamed = np.where(label < 0, -1, 10 * np.array(names)[label])
    order = np.random.default_rng(seed).permutation(len(label))
    second = pair_statistic(
        *(each[order] for each in (vectors, renamed, 7 - stratum, 100 - patient, trial + 3))
    )
    assert second.explained == pytest.approx(first.explained, abs=1e-12)
    assert second.ci95 == pytest.approx(first.ci95, abs=1e-9)
    assert (second.n, second.labels, second.df) == (first.n, first.labels, first.df)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_labels_that_divide_no_stratum_explain_nothing(seed):
    vectors, _, stratum, patient, trial = archive(seed)
    for label in (np.zeros_like(stratum), stratum, np.full_like(stratum, -1)):
        said = pair_statistic(vectors, label, stratum, patient, trial)
        assert said.explained == 0
        assert said.ci95 == (0, 0)
        assert said.p is None
        assert said.reason


def test_a_label_of_one_patient_explains_nothing():
    vectors, _, stratum, patient, trial = archive(1)
    assert pair_statistic(vectors, patient, stratum, patient, trial).explained == 0


def test_rows_that_were_not_drawn_are_as_if_they_were_not_there():
    vectors, *others = archive(2, n=60)
    absent = np.arange(60) % 4 == 0
    vectors[absent] = np.nan
    vectors[1] = 0
    absent[1] = True
    alone = pair_statistic(vectors[~absent], *(each[~absent] for each in others))
    assert pair_statistic(vectors, *others) == alone


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_images_without_a_stratum_are_as_if_they_were_not_there(seed):
    vectors, *others = archive(seed, n=60)
    others[1] = others[1] - 1
    inside = others[1] >= 0
    alone = pair_statistic(vectors[inside], *(each[inside] for each in others))
    said = pair_statistic(vectors, *others)
    assert said.explained == pytest.approx(alone.explained, abs=1e-9)
    assert (said.n, said.labels, said.paired) == (alone.n, alone.labels, alone.paired)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_two_strata_can_be_compared_on_the_same_images(seed, parts):
    """Those that have another patient's image of their label in both."""
    vectors, label, stratum, patient, trial = archive(seed, n=50, labels=3)
    finer = stratum * parts + np.random.default_rng(seed).integers(0, parts, 50)
    arrays = [vectors], {"q": label}, {"s": stratum, "fine": finer}, patient, trial
    found = pairs(*arrays, [("q", "s"), ("q", "fine")])
    among = found.paired("q", "fine")
    same = (label[:, None] == label) & (patient[:, None] != patient) & (label >= 0)
    has = (same & (finer[:, None] == finer)).any(axis=1)
    assert found.images(among) == has.sum()
    units = vectors / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    far = 1 - units @ units.T
    for name, inside in (("s", stratum), ("fine", finer)):
        other = (inside[:, None] == inside) & (patient[:, None] != patient)
        b = sum(far[i, other[i]].mean() for i in np.flatnonzero(has))
        a = sum(far[i, (other & same)[i]].mean() for i in np.flatnonzero(has))
        said = found.explained("q", name, among)
        assert said.n == said.paired == has.sum()
        assert said.explained == (pytest.approx(1 - a / b, abs=1e-6) if has.any() else None)


def test_columns_are_read_a_block_at_a_time(monkeypatch):
    arrays = archive(4, d=23)
    whole = pair_statistic(*arrays)
    monkeypatch.setattr("tagsight.evaluation.pair_sums.CELLS", 3 * 40)
    monkeypatch.setattr("tagsight.evaluation.pair_sums.PIECE", 7)
    assert pair_statistic(*arrays).t == pytest.approx(whole.t, rel=1e-9)


def test_several_labellings_and_files_at_once_are_as_one_by_one(tmp_path):
    """Also where images of a patient that agree in one labelling do not in another."""
    vectors, label, stratum, patient, trial = archive(8, n=90, d=7)
    order = np.argsort(trial, kind="stable")
    vectors, label, stratum, patient, trial = (
        each[order] for each in (vectors, label, stratum, patient, trial)
    )
    vectors[3] = np.nan
    labellings = {"one": label, "other": (label * 3 + patient) % 5, "none": np.full(90, -1)}
    strata = {"all": np.zeros(90, int), "some": stratum}
    files = []
    for each in np.unique(trial):
        np.save(tmp_path / f"{each}.npy", vectors[trial == each])
        files.append(np.load(tmp_path / f"{each}.npy", mmap_mode="r"))
    together = pair_statistics(files, labellings, strata, patient, trial)
    for name, labels in labellings.items():
        for s, inside in strata.items():
            alone = pair_statistic(vectors, labels, inside, patient, trial)
            said = together[name][s]
            assert said.explained == pytest.approx(alone.explained, abs=1e-12)
            assert said.error == pytest.approx(alone.error, abs=1e-12)
            assert (said.n, said.labels, said.reason) == (alone.n, alone.labels, alone.reason)


def test_the_number_of_threads_does_not_show():
    arrays = archive(9, n=400, d=64, patients=150)
    with threadpool_limits(2):
        first = pair_statistic(*arrays)
    with threadpool_limits(1):
        assert pair_statistic(*arrays) == first


def test_nothing_at_all_is_no_error():
    nothing = np.zeros(0, int)
    said = pair_statistic(np.zeros((0, 3), np.float32), *[nothing] * 4)
    assert (said.explained, said.n) == (None, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"patients": np.zeros(40, int)}, "two patients"),
        ({"embeddings": np.full((40, 5), np.nan, np.float32)}, "two patients"),
        ({"embeddings": np.ones((40, 5), np.float32)}, "the same"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(change, reason):
    names = ("embeddings", "labels", "strata", "patients", "trials")
    said = pair_statistic(**dict(zip(names, archive(5), strict=True)) | change)
    assert said.explained is None
    assert said.p is None
    assert reason in said.reason


def test_one_trial_has_a_figure_without_a_test():
    said = pair_statistic(*archive(6, trials=1))
    assert said.explained is not None
    assert said.ci95 is None
    assert said.reason == "a single trial"


LOOKS = ("modality", "patient")
KNOW = ("patient", "patient and modality", "series")


def noise(seed, looks, know):
    """Pictures that follow modality or patient, and labels that know nothing of them."""
    rng = np.random.default_rng([seed, LOOKS.index(looks), KNOW.index(know)])
    patient = np.repeat(np.arange(70), rng.integers(1, 7, 70))
    n = len(patient)
    modality = np.where(rng.random(n) < 0.7, (patient * 7) % 3, rng.integers(0, 3, n))
    series = np.unique(patient * 100 + modality * 10 + rng.integers(0, 2, n), return_inverse=True)[
        1
    ]
    units = {
        "patient": patient,
        "patient and modality": patient * 3 + modality,
        "series": series,
    }[know]
    labels = rng.integers(0, 6, units.max() + 1)[units]  # one of a unit
    centres = rng.standard_normal((3, 6))[modality]
    people = rng.standard_normal((70, 6))[patient] * (2 if looks == "patient" else 0.3)
    pictures = centres + people + 0.6 * rng.standard_normal((n, 6))
    return pictures.astype(np.float32), labels, modality, patient, patient % 10


@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("know", KNOW)
def test_labels_that_know_nothing_of_looks_seldom_raise_an_alarm(looks, know):
    said = [pair_statistic(*noise(seed, looks, know)) for seed in range(DRAWS)]
    assert np.mean([each.p < 0.05 for each in said]) <= 0.07
    shares = np.array([each.explained for each in said])
    assert abs(shares.mean()) < 3 * shares.std(ddof=1) / np.sqrt(DRAWS)


def test_labels_that_know_looks_are_seen():
    pictures, labels, *others = noise(0, "modality", "patient and modality")
    pictures[np.arange(len(labels)), labels] += 1
    said = pair_statistic(pictures, labels, *others)
    assert said.explained > 0.02
    assert said.p < 0.01
