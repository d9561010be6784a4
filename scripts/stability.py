"""Measure how stable clusters are: in bootstraps of patients, and among other patients."""

from pathlib import Path

import polars as pl

from tagsight.interpretation.stability import stability
from tagsight.interpretation.tree_stability import tree_stability
from tagsight.run.atomic import read_json, write_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.tree.dealing import numbers_of
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    samples = {Path(path).stem: pl.read_parquet(path) for path in inputs.samples}
    clusters = {Path(path).stem: pl.read_parquet(path) for path in inputs.clusters}
    tree = load_tree(inputs.encoding).ranged_by(samples["tuning"], params.ranges)
    how = {name: params[name] for name in ("algorithm", "weight", "bootstraps", "seed")}
    if tree.flat:
        content = stability(samples, clusters, tree.of(FLAT), ks=params.k, **how)
    else:
        numbers = numbers_of(read_json(inputs.choice))
        content, bootstraps = tree_stability(samples, clusters, tree, numbers, **how)
        write_parquet(bootstraps, snakemake.output.bootstraps)
    write_json(content, snakemake.output.stability)
