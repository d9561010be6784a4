"""Write the medoids: those of the tuning sample, or of a search among all images."""

import polars as pl

from tagsight.clustering import medoid_tables
from tagsight.clustering.search.search import search
from tagsight.gower.distinct_rows import collapse
from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged, resume_folder, work_id
from tagsight.run.progress import Progress
from tagsight.tags.encoding import load, to_features

with logged(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    sample, clusters = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.clusters)
    encoding = load(inputs.encoding).ranged_by(sample, params.ranges)
    members = clusters
    if params.on == "sample":
        medoids, summary = medoid_tables.of_sample(clusters, sample, encoding)
    else:
        images = pl.read_parquet(inputs.features).sort("image")
        distinct = collapse(to_features(images, encoding), params.weight)
        outcome = search(
            distinct.features,
            distinct.weight,
            clusters["k"].unique().to_list(),
            distance=encoding.distance,
            seed=params.seed,
            candidates=params.candidates,
            starts=medoid_tables.starts(clusters, images["image"], distinct.row),
            checkpoint=resume_folder(snakemake, work_id(snakemake, params.search)) / "search.npz",
            progress=Progress(params.candidates, "candidates"),
        )
        medoids, summary = medoid_tables.of_all(outcome, images, distinct, encoding)
        members = medoid_tables.members(sample, medoids, encoding, params.weight)
    write_parquet(medoids, out.medoids)
    write_parquet(summary, out.search)
    write_parquet(members, out.members)
