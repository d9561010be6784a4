"""The pair statistic of a run, from its files, against plain numpy over all pairs."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tagsight.evaluation.labellings import (
    BY_MAKER,
    BY_REGION,
    LABELLINGS,
    MANUFACTURER,
    STRATA,
    is_compared,
)
from tagsight.evaluation.pair import TOO_FEW, columns_of, group, trial_images, untested
from tagsight.evaluation.pair import pair as compared
from tagsight.evaluation.pair_tests import told

N, TRIALS = 40, 4


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Files of a small run: samples and embeddings of trials, annotations in two shards."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(1)
    shipped = []
    for i in range(TRIALS):
        series = rng.integers(0, 20, N)
        kind = series % 3
        missing = rng.random(N) < 0.1
        sample = pl.DataFrame(
            {
                "image": [f"{i} {j}" for j in range(N)],
                "series": [f"{i} {s}" for s in series],
                "patient": [None if s == 19 else f"{i} {s // 2}" for s in series],
                "modality": [None if s == 18 else ["CT", "MR", "US"][s % 3] for s in series],
                "body_part": [["HEAD", "CHEST"][s % 2] for s in series],
                "region": [["head", None][s % 2] for s in series],
                "plane": rng.choice(["AX", "SAG"], N).tolist(),
                "manufacturer": rng.choice(["A", "B", None], N, p=[0.5, 0.3, 0.2]).tolist(),
                "model": rng.choice(["A1", "A2", "B1"], N).tolist(),
            }
        )
        labels = kind * 2 + (rng.random(N) < 0.5)
        looks = np.eye(6)[labels] + rng.normal(0, 0.5, (N, 6)) + 0.3
        looks[missing] = np.nan
        sample.write_parquet(folder / f"trial-{i}.parquet")
        np.save(folder / f"trial-{i}.npy", looks.astype(np.float32))
        label = [None if m else int(x) for m, x in zip(rng.random(N) < 0.05, labels, strict=True)]
        shipped.append(sample.select("image", label=pl.Series(label, dtype=pl.Int32)))
    shuffled = pl.concat(shipped).sample(fraction=1, shuffle=True, seed=1)
    shuffled[:70].write_parquet(folder / "a.parquet")
    shuffled[70:].write_parquet(folder / "b.parquet")
    np.save(folder / "tuning.npy", rng.normal(size=(60, 6)).astype(np.float32))
    return folder


def of_files(run, drop=()):
    samples = [run / f"trial-{i}.parquet" for i in range(TRIALS)]
    images = trial_images(samples, [run / "a.parquet", run / "b.parquet"]).drop(drop)
    embeddings = [np.load(path.with_suffix(".npy"), mmap_mode="r") for path in samples]
    return embeddings, np.load(run / "tuning.npy", mmap_mode="r"), images


def pair(*arrays):
    return told(compared(*arrays).explained)


def share(units, labels, strata, patients, kept):
    """1 - sum a / sum b over all pairs of kept images."""
    far = np.clip(1 - units @ units.T, 0, None)
    others = (strata[:, None] == strata) & (patients[:, None] != patients) & kept & kept[:, None]
    same = others & (labels[:, None] == labels)
    same &= labels[:, None] != ""
    has = others.any(axis=1)
    b = np.where(others, far, 0).sum(axis=1)[has] / others.sum(axis=1)[has]
    a = np.where(same, far, 0).sum(axis=1)[has] / np.maximum(same.sum(axis=1), 1)[has]
    return 1 - np.where(same.any(axis=1)[has], a, b).sum() / b.sum()


def has_other(groups, people):
    """Whether another patient has an image in the group of an image."""
    return ((groups[:, None] == groups) & (people[:, None] != people)).any(axis=1)


def texts(frame, *columns):
    return frame.select(
        pl.concat_str(pl.col(columns).cast(pl.String).fill_null("?"), separator="|")
    )[:, 0].to_numpy()


@pytest.mark.parametrize("labelling", ["labels", "modality_region_plane", "manufacturer"])
@pytest.mark.parametrize(
    ("stratum", "columns"),
    [
        ("modality", ["modality"]),
        ("modality_region", ["modality", "region"]),
        ("modality_manufacturer", ["modality", "manufacturer"]),
        ("none", []),
    ],
)
def test_it_is_recomputed_by_plain_numpy_from_files(run, labelling, stratum, columns):
    said = pair(*of_files(run))[labelling][stratum]
    shipped = pl.concat([pl.read_parquet(run / f"{name}.parquet") for name in "ab"])
    trials = [pl.read_parquet(run / f"trial-{i}.parquet") for i in range(TRIALS)]
    frame = pl.concat([each.with_columns(trial=i) for i, each in enumerate(trials)])
    frame = frame.join(shipped, on="image", how="left", maintain_order="left")
    looks = np.concatenate([np.load(run / f"trial-{i}.npy") for i in range(TRIALS)]).astype(float)
    drawn = np.isfinite(looks).all(axis=1)
    for must in {"region", "manufacturer"} & set(columns):  # else an image is in no stratum
        drawn &= frame[must].is_not_null().to_numpy()
    frame, looks = frame.filter(pl.Series(drawn)), looks[drawn]
    units = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    of = {
        "labels": ["label"],
        "modality_region_plane": ["modality", "region", "plane"],
        "manufacturer": ["manufacturer"],
    }
    people = frame.select(pl.coalesce("patient", "series", "image"))[:, 0].to_numpy()
    labels = texts(frame, *of[labelling])
    if labelling == "manufacturer":
        labels = frame["manufacturer"].fill_null("").to_numpy()  # which is no label
    strata = texts(frame, *columns) if columns else np.full(len(frame), "")
    trial = frame["trial"].to_numpy()
    whole = share(units, labels, strata, people, np.ones(len(frame), bool))
    parts = np.array([share(units, labels, strata, people, trial != i) for i in range(TRIALS)])
    error = np.sqrt((TRIALS - 1) / TRIALS * np.square(parts - parts.mean()).sum())
    assert said["n"] == has_other(strata, people).sum()
    if (labelling, stratum) == ("manufacturer", "modality_manufacturer"):
        assert said["explained"] == 0
        assert "divides nothing" in said["reason"]
        return
    assert said["explained"] == pytest.approx(whole, abs=1e-6)
    groups = np.char.add(np.char.add(labels.astype(str), "|"), strata.astype(str))
    assert said["paired"] == (has_other(groups, people) & (labels != "")).sum()
    reach = stats.t.ppf(0.975, TRIALS - 1) * error
    assert said["ci95"] == pytest.approx((whole - reach, whole + reach), abs=1e-5)
    assert said["p"] == pytest.approx(2 * stats.t.sf(abs(whole / error), TRIALS - 1), rel=1e-3)


def test_every_labelling_and_stratum_of_the_registries_is_told(run):
    said = pair(*of_files(run))
    assert list(said) == [each.key for each in LABELLINGS]
    assert {(q, s) for q, of in said.items() for s in of} == {
        (q.key, s.key) for q in LABELLINGS for s in STRATA if is_compared(q, s)
    }
    for of_labelling in said.values():
        assert of_labelling
        for figures in of_labelling.values():
            assert figures["explained"] is not None or figures["reason"]
    for name in ("modality", "modality_region"):
        assert said["modality"][name]["explained"] == 0
        assert "divides nothing" in said["modality"][name]["reason"]
    corrected = [f["p_holm"] for of in said.values() for f in of.values() if f["p"] is not None]
    assert all(p is not None for p in corrected)


def test_in_a_flat_run_the_body_part_stands_for_the_region(run):
    *arrays, images = of_files(run, ["region", "plane"])
    said = pair(*arrays, images)
    assert "modality_region_plane" not in said
    assert columns_of(images)["modality_region"] == ["modality", "body_part"]
    assert said["modality_region"]["none"]["labels"] > said["modality"]["none"]["labels"]


def test_one_trial_or_none_say_what_could_not_be_told(run):
    (first, *_), tuning, images = of_files(run)
    one = pair([first], tuning, images[:N])["labels"]["modality"]
    assert one["explained"] is not None
    assert one["ci95"] is one["p"] is one["p_holm"] is None
    assert one["reason"] == "a single trial"
    none = pair([first[:0]], tuning, images.clear())["labels"]["modality"]
    assert none["explained"] is None
    assert "two patients" in none["reason"]


def test_pictures_too_few_for_groups_are_said_to_be_so(run):
    embeddings, tuning, images = of_files(run)
    said = pair(embeddings, tuning[:1], images)["embedding"]
    assert {each["reason"] for each in said.values()} == {TOO_FEW}


def test_images_that_do_not_state_a_maker_or_region_are_of_none(run):
    *arrays, images = of_files(run)
    for by in (MANUFACTURER, BY_MAKER, BY_REGION):
        groups = group(images, by)
        lacking = images[by.stated[0]].is_null().to_numpy()
        assert lacking.any()
        assert ((groups < 0) == lacking).all()
    with_all = pair(*arrays, images)
    unstated = images.with_columns(pl.lit(None, pl.String).alias("manufacturer"))
    without = pair(*arrays, unstated)
    for stratum in ("modality", "none"):
        assert without["manufacturer"][stratum]["explained"] is None
        assert without["manufacturer"][stratum]["reason"] == "no image states its maker"
        of_labels = with_all["labels"][stratum]["explained"]
        assert without["labels"][stratum]["explained"] == pytest.approx(of_labels, abs=1e-9)
    assert without["labels"]["modality_manufacturer"]["reason"] == "no image states its maker"


def test_what_could_not_be_tested_is_counted(run):
    embeddings, _, images = of_files(run)
    drawn = np.concatenate([np.isfinite(each).all(axis=1) for each in embeddings])
    odd = images.with_columns(
        modality=pl.when(pl.int_range(pl.len()).is_in([0, 1]))
        .then(pl.lit("XA"))
        .when(pl.int_range(pl.len()) == 2)
        .then(pl.lit("DOE JOHN"))
        .otherwise("modality"),
        patient=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("0 0")).otherwise("patient"),
    )
    said = untested(drawn, odd)
    named = {"XA": int(drawn[:2].sum()), "other": int(drawn[2])}
    assert said["alone"] == {name: n for name, n in named.items() if n}
    assert said["images"] == drawn.sum()
    files = pl.concat([pl.read_parquet(run / f"trial-{i}.parquet") for i in range(TRIALS)])
    assert said["without_patient"] == (files["patient"].is_null().to_numpy() & drawn).sum() > 0
    assert untested(drawn, images)["alone"] == {}
