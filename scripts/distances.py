"""Write Gower's distances of all pairs of a sample: asked for by name, needed by no other rule."""

import polars as pl

from tagsight.gower import metric
from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load, to_features

with logged(snakemake):
    encoding = load(snakemake.input.encoding)
    sample = pl.read_parquet(snakemake.input.sample)
    features = to_features(sample, encoding.ranged_by(sample, snakemake.params.ranges))
    write_npy(metric.matrix(features, encoding.distance), snakemake.output[0])
