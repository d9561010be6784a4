"""Describe each cluster: its tags, its stability, a rule that separates it from the others."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import rules
from tagsight.interpretation.cards import cards, with_medoids
from tagsight.interpretation.stability import with_stability
from tagsight.run.atomic import read_json, write_file, write_json
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    k = read_json(inputs.choice)["k"]
    sample, holdout = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.holdout)
    encoding = load(inputs.encoding).ranged_by(sample, params.ranges)
    tuning, members, medoids = (
        pl.read_parquet(inputs[name]).filter(k=k) for name in ("clusters", "members", "medoids")
    )
    stability = read_json(inputs.stability)["grid"][str(k)]
    content = with_medoids(cards(sample, members, encoding, params.min_patients), medoids)
    content = with_stability(content, members, tuning.select("image", "cluster"), stability)
    holdout_members = annotation.annotate(holdout, medoids, encoding)
    rows = rules.rules(sample, members, holdout, holdout_members, encoding, params.min_patients)
    write_json(content, snakemake.output.cards)
    write_file(rules.to_yaml(rows, content, k), snakemake.output.rules)
