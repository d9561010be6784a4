"""Describe each cluster: its tags, its stability, a rule that tells it from the others."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import rules
from tagsight.interpretation.cards import cards, with_medoids
from tagsight.interpretation.stability import with_stability
from tagsight.run.atomic import read_json, write_file, write_json
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load

with logged(snakemake):
    given, params = snakemake.input, snakemake.params
    k = read_json(given.choice)["k"]
    sample, holdout = pl.read_parquet(given.sample), pl.read_parquet(given.holdout)
    encoding = load(given.encoding).ranged_by(sample, params.ranges)
    tuning, members, medoids = (
        pl.read_parquet(given[name]).filter(k=k) for name in ("clusters", "members", "medoids")
    )
    stable = read_json(given.stability)["grid"][str(k)]
    described = with_medoids(cards(sample, members, encoding, params.min_patients), medoids)
    described = with_stability(described, members, tuning.select("image", "cluster"), stable)
    others = annotation.annotate(holdout, medoids, encoding)
    rows = rules.rules(sample, members, holdout, others, encoding, params.min_patients)
    write_json(described, snakemake.output.cards)
    write_file(rules.to_yaml(rows, described, k), snakemake.output.rules)
