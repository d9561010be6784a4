"""Say what each cluster is: its tags, whether to trust it, a rule that tells it from the others."""

import polars as pl

from tagsight import clusters, trees
from tagsight.cards import cards, with_medoids
from tagsight.encoding import load
from tagsight.jobs import logged
from tagsight.stability import trusted
from tagsight.store import read_json, write_file, write_json

with logged(snakemake):
    given, params = snakemake.input, snakemake.params
    k = read_json(given.choice)["k"]
    sample, holdout = pl.read_parquet(given.sample), pl.read_parquet(given.holdout)
    encoding = load(given.encoding).ranged_by(sample, params.ranges)
    tuning, found, medoids = (
        pl.read_parquet(given[name]).filter(k=k) for name in ("clusters", "members", "medoids")
    )
    stable = read_json(given.stability)["grid"][str(k)]
    made = with_medoids(cards(sample, found, encoding, params.min_patients), medoids)
    made = trusted(made, found, tuning.select("image", "cluster"), stable)
    others = clusters.annotate(holdout, medoids, encoding)
    told = trees.rules(sample, found, holdout, others, encoding, params.min_patients)
    write_json(made, snakemake.output.cards)
    write_file(trees.to_yaml(told, made, k), snakemake.output.rules)
