"""Choose how many clusters: those of each kind, or flat one K, tested on other patients."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.clustering.choice import choose
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tree.dealing import tree_choice
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    tree, clusters = load_tree(inputs.encoding), pl.read_parquet(inputs.clusters)
    if tree.flat:
        tuning, holdout = pl.read_parquet(inputs.tuning), pl.read_parquet(inputs.holdout)
        encoding = tree.ranged_by(tuning, params.ranges).of(FLAT)
        grid = annotation.held_out(clusters, tuning, holdout, encoding, params.weight)
        choice = choose(grid, params.rule, params.tolerance)
        if choice["at_edge"]:
            edge = "K = %d is at the edge of cluster.k: widen the grid to see if it would go on"
            LOG.warning(edge, choice["k"])
    else:
        choice = tree_choice(clusters, tree, params.labels)
        for kind, of_kind in choice["kinds"].items():
            LOG.info("%s: %d clusters", kind, of_kind["k"])
    write_json(choice, snakemake.output[0])
