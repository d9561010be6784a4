"""A finished run in a tree, of the invented patients of `small_run`, some of whom have reports."""

import polars as pl
import small_run

from tagsight.content.content import content
from tagsight.content.tables import content_tables
from tagsight.interpretation import annotations
from tagsight.reading.provenance import footer
from tagsight.run.atomic import write_json, write_parquet
from tagsight.run.tables import person
from tagsight.tags import kind_frequencies
from tagsight.tags.frequencies import frequencies
from tagsight.tags.labels import labels
from tagsight.tree import leaves
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.fits import assess, limits
from tagsight.tree.fitting import Shares, apply_tree, fit_tree
from tagsight.tree.placing import place

TABLES = content_tables()
KINDS = ("CT", "MR", "CR", "SR")
NUMBERS = {"CT": 3, "MR": 2, "CR": 1}  # of leaves; with that of reports seven
OWN_WORD = "ROOM 7"
MERGED = {3: 2}  # leaf → the label whose leaf it joins


def spellings(clone):
    """The table of spellings, with a user's row on top."""
    own = pl.DataFrame({"spelling": [OWN_WORD], "term": ["ABDOMEN"]})
    return pl.concat([small_run.spellings(clone), own])


def tags(seed, patients, kinds=KINDS, folder="old"):
    """A table of tags, see `small_run.tags`; CT of half of the patients is of the abdomen."""
    made = small_run.tags(seed, patients, kinds, folder)
    of_abdomen = (pl.col("Modality") == "CT") & (pl.col("patient") < "8")
    part = pl.when(of_abdomen).then(pl.lit(OWN_WORD)).otherwise("BodyPartExamined")
    return made.with_columns(BodyPartExamined=part)


def write(folder, images, table):
    """Write a run over `images` in two shards; every third patient is in its sample."""
    words = content(images, table, TABLES)
    tree = _encodings(images, words, table)
    features = apply_tree(images, words, tree, table, small_run.KEY)
    of_images = images.select("image", "series", "study", "patient", "path")
    people = sorted(set(images["patient"]))
    sample, others = (
        of_images.filter(pl.col("patient").is_in(people[i::3])).join(features, on="image")
        for i in range(2)
    )
    clusters = tree_clusters(sample, tree, count=9, algorithm="fasterpam", weight="images")
    chosen = leaves.chosen(clusters, NUMBERS)
    medoids, _ = leaves.of_sample(chosen, sample, tree, NUMBERS)
    placed = place(features, medoids, tree).with_columns(features["kind"])
    nearest = assess(placed, medoids, limits(others.with_columns(person=person()), medoids, tree))
    cards = _cards(medoids)
    outside = labels(images, table)
    untold = nearest.with_columns(trust=pl.lit(None, pl.Float32))
    annotated = annotations.annotations(untold, words, images, outside, cards)
    folder.mkdir()
    (folder / "key").write_bytes(small_run.KEY)
    (folder / "key").chmod(0o600)
    write_json(tree.to_json(), folder / "encoding.json")
    write_json({"kinds": {kind: {"k": k} for kind, k in NUMBERS.items()}}, folder / "choice.json")
    write_json(cards, folder / "cards.json")
    write_parquet(sample, folder / "samples/tuning.parquet")
    write_parquet(medoids, folder / "medoids.parquet")
    annotated.write_csv(folder / "annotations.csv")
    rejected = pl.DataFrame(schema={"path": pl.String})
    reading = footer(small_run.KEY, small_run.READING)
    for shard in range(2):
        mine = pl.int_range(pl.len()) % 2 == shard
        name = f"{shard}.parquet"
        write_parquet(rejected, folder / "rejected" / name, reading)
        tables = {"tags": images, "content": words, "features": features}
        for table_name, rows in {**tables, "nearest": nearest, "annotations": annotated}.items():
            write_parquet(rows.filter(mine), folder / table_name / name)


def _encodings(images, words, table):
    """The tree of encodings: every tag that is filled in a kind is kept."""
    both = kind_frequencies.with_content([images.lazy()], [words.lazy()])
    by_kind = kind_frequencies.kind_frequencies(both, frequencies(images.lazy(), 1))
    return fit_tree(
        both,
        by_kind,
        by_kind.select("kind", "keyword", fate=pl.lit("kept")),
        kind_frequencies.words(words.lazy()),
        distance="linear",
        scale="rank",
        shares=Shares(0.35, 0.3, 0.5),
        body_parts=table,
        key=small_run.KEY,
        min_patients=1,
    )


def _cards(medoids):
    """A label for each leaf, but for those that are merged with another."""
    cards = {}
    for cluster, kind in medoids.select("cluster", "kind").iter_rows():
        label = MERGED.get(cluster, cluster)
        card = {
            "label": label,
            "name": f"{kind} {label}",
            "kind": kind,
            "clusters": [],
            "found": None,
        }
        cards.setdefault(label, card)["clusters"].append(cluster)
    return list(cards.values())
