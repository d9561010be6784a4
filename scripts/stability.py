"""Measure the stability of the tuning sample's clusters, by a bootstrap of patients."""

from pathlib import Path

import polars as pl

from tagsight.interpretation.stability import stability
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    samples = {Path(path).stem: pl.read_parquet(path) for path in inputs.samples}
    clusters = {Path(path).stem: pl.read_parquet(path) for path in inputs.clusters}
    content = stability(
        samples,
        clusters,
        load(inputs.encoding).ranged_by(samples["tuning"], params.ranges),
        ks=params.k,
        algorithm=params.algorithm,
        weight=params.weight,
        bootstraps=params.bootstraps,
        seed=params.seed,
    )
    write_json(content, snakemake.output[0])
