"""Choose K from the tuning sample's clusters, tested on other patients."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.clustering.choice import choose
from tagsight.interpretation.stability import means
from tagsight.run.atomic import read_json, write_json
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tags.encoding import load

with logged(snakemake):
    params = snakemake.params
    encoding = load(snakemake.input.encoding)
    tuning = pl.read_parquet(snakemake.input.tuning)
    grid = annotation.held_out(
        pl.read_parquet(snakemake.input.clusters),
        tuning,
        pl.read_parquet(snakemake.input.holdout),
        encoding.ranged_by(tuning, params.ranges),
        params.weight,
    )
    stability = means(read_json(snakemake.input.stability))
    choice = choose(grid.join(stability, on="k", how="left"), params.rule, params.tolerance)
    if choice["at_edge"]:
        LOG.warning(
            "K = %d is at the edge of cluster.k: widen the grid to see whether it would go on",
            choice["k"],
        )
    write_json(choice, snakemake.output[0])
