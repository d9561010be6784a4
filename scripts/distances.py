"""Write Gower's distances of all pairs of a sample: asked for by name, needed by no other rule."""

import polars as pl

from tagsight import gower
from tagsight.encoding import load, to_features
from tagsight.jobs import logged
from tagsight.store import write_npy

with logged(snakemake):
    encoding = load(snakemake.input.encoding)
    sample = pl.read_parquet(snakemake.input.sample)
    features = to_features(sample, encoding.ranged_by(sample, snakemake.params.ranges))
    write_npy(gower.matrix(features, encoding.distance), snakemake.output[0])
