"""Write the medoids: those of the tuning sample, or of a search among all images."""

import polars as pl

from tagsight.clustering import medoid_tables
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged, resume_folder, work_id
from tagsight.tree import leaves, searching
from tagsight.tree.dealing import numbers_of
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    sample, clusters = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.clusters)
    tree = load_tree(inputs.encoding).ranged_by(sample, params.ranges)
    numbers = {} if tree.flat else numbers_of(read_json(inputs.choice))
    if not tree.flat:
        clusters = leaves.chosen(clusters, numbers)
    if params.on == "all":
        medoids, summary = searching.of_all(
            pl.scan_parquet(inputs.features),
            clusters,
            tree,
            numbers,
            weight=params.weight,
            candidates=params.candidates,
            seed=params.seed,
            folder=resume_folder(snakemake, work_id(snakemake, params.search)),
        )
        members = searching.members(sample, medoids, tree, params.weight)
    elif tree.flat:
        medoids, summary = medoid_tables.of_sample(clusters, sample, tree.of(FLAT))
        members = clusters
    else:
        regions = leaves.regions_of(pl.scan_parquet(inputs.content))
        medoids, summary = leaves.of_sample(clusters, sample, tree, numbers, regions)
        members = leaves.renumbered(clusters, leaves.first_leaves(tree, numbers))
    write_parquet(medoids, out.medoids)
    write_parquet(summary, out.search)
    write_parquet(members, out.members)
