"""Write Gower's distances of all pairs of a sample: asked for by name, needed by no other rule."""

import polars as pl

from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged
from tagsight.tree.distances import matrix
from tagsight.tree.encodings import load_tree

with logged(snakemake):
    sample = pl.read_parquet(snakemake.input.sample)
    tree = load_tree(snakemake.input.encoding).ranged_by(sample, snakemake.params.ranges)
    write_npy(matrix(sample, tree), snakemake.output[0])
