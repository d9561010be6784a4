"""A finished run of invented patients, written by the library's own functions."""

import numpy as np
import polars as pl

from tagsight.clustering import annotation, k_medoids
from tagsight.gower import metric
from tagsight.reading.provenance import footer
from tagsight.run.atomic import write_json, write_parquet
from tagsight.run.hashing import keyed_hash
from tagsight.tags import encoding, fitting
from tagsight.tags.frequencies import frequencies
from tagsight.terms.body_parts import read_spellings

KEY = bytes(range(32))
KINDS = {  # what the images of a kind have, and between what their numbers lie
    "CT": (
        {"Modality": "CT", "BodyPartExamined": "CHEST"},
        {"KVP": (80, 140), "Exposure": (5, 90)},
    ),
    "MR": ({"Modality": "MR", "BodyPartExamined": "BRAIN"}, {"EchoTime": (10, 99)}),
    "CR": ({"Modality": "CR", "BodyPartExamined": "HAND"}, {"KVP": (40, 70)}),
    "SR": ({"Modality": "SR"}, {}),
}
PICTURES = ("CT", "MR", "CR")
MAKERS = ("Philips", "SIEMENS", "GE")
KEYWORDS = ("Modality", "BodyPartExamined", "Manufacturer", "KVP", "Exposure", "EchoTime")
READING = {"keep": ["PatientSex"], "keep_undrawable": ["no_pixels"], "derive_text": []}


def tags(seed, patients, kinds=PICTURES, folder="old"):
    """A table of tags: some series of each patient, of one kind, some images of each series."""
    rng = np.random.default_rng(seed)
    rows = []
    for p in range(patients):
        patient = keyed_hash(KEY, f"{seed} {p}")
        texts, numbers = KINDS[kinds[rng.integers(len(kinds))]]
        maker = MAKERS[rng.integers(3)]
        for s in range(rng.integers(1, 4)):
            series = keyed_hash(KEY, f"{patient} {s}")
            drawn = {name: f"{rng.integers(*ends)}" for name, ends in numbers.items()}
            rows += [
                {
                    "image": keyed_hash(KEY, f"{folder} {series} {i}"),
                    "instance": keyed_hash(KEY, f"{series} {i}"),
                    **dict.fromkeys(("series", "study"), series),
                    "patient": patient,
                    "duplicate_uid": None,
                    "path": f"{folder}/{p}/{s}/{i}.dcm",
                    **dict.fromkeys(KEYWORDS),
                    **texts,
                    **drawn,
                    "Manufacturer": maker,
                }
                for i in range(rng.integers(1, 5))
            ]
    named = ("image", "instance", "duplicate_uid", "series", "study", "patient", "path", *KEYWORDS)
    return pl.DataFrame(rows, schema=dict.fromkeys(named, pl.String))


def spellings(clone):
    return read_spellings(clone / "tagsight/data/body_parts.csv")


def write(folder, images, table, *, ranges="archive", k=3, reading=READING):
    """Write a run over `images` in two shards; every third patient is in its sample."""
    fitted = fitting.fit(
        images.lazy(),
        frequencies(images.lazy(), 1),
        pl.DataFrame({"keyword": KEYWORDS, "fate": "kept"}),
        distance="linear",
        presence_weight=1.0,
        body_parts=table,
        key=KEY,
        min_patients=1,
    )
    features = fitting.apply(images, fitted, table, KEY)
    tuned = pl.Series(sorted(set(images["patient"]))[::3]).implode()
    sample = images.select("image", "series", "study", "patient", "path").join(features, on="image")
    sample = sample.filter(pl.col("patient").is_in(tuned))
    ranged = fitted.ranged_by(sample, ranges)
    grid = k_medoids.grid(metric.matrix(encoding.to_features(sample, ranged)), [2, k])
    of_grid = [
        sample[f.medoids].with_columns(k=f.k, cluster=pl.int_range(1, f.k + 1)) for f in grid
    ]
    folder.mkdir()
    (folder / "key").write_bytes(KEY)
    (folder / "key").chmod(0o600)
    write_json(fitted.to_json(), folder / "encoding.json")
    write_json({"k": k}, folder / "choice.json")
    cards = [{"cluster": c, "name": f"kind {c}"} for c in range(1, k + 1)]
    write_json(cards, folder / "cards.json")
    write_parquet(sample, folder / "samples/tuning.parquet")
    write_parquet(pl.concat(of_grid), folder / "medoids.parquet")
    annotated = annotation.annotate(features, of_grid[1], ranged)
    annotated.write_csv(folder / "annotations.csv")
    for shard in range(2):
        mine = pl.int_range(pl.len()) % 2 == shard
        name = f"{shard}.parquet"
        listing = pl.DataFrame(schema={"path": pl.String})
        write_parquet(listing, folder / "rejected" / name, footer(KEY, reading))
        write_parquet(images.filter(mine), folder / "tags" / name)
        write_parquet(features.filter(mine), folder / "features" / name)
        write_parquet(annotated.filter(mine), folder / "annotations" / name)
