"""Say what each cluster is: its tags, whether to trust it, a rule that tells it from the others."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import rules
from tagsight.interpretation.cards import cards, with_medoids
from tagsight.interpretation.stability import trusted
from tagsight.run.atomic import read_json, write_file, write_json
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load

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
    others = annotation.annotate(holdout, medoids, encoding)
    told = rules.rules(sample, found, holdout, others, encoding, params.min_patients)
    write_json(made, snakemake.output.cards)
    write_file(rules.to_yaml(told, made, k), snakemake.output.rules)
