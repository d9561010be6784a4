"""Say what the medoids are: the tuning sample's, or what a search among all images finds."""

import polars as pl

from tagsight import placing
from tagsight.collapse import collapse
from tagsight.encoding import load, to_features
from tagsight.jobs import Progress, logged, resume_folder, work
from tagsight.search import search
from tagsight.store import write_parquet

with logged(snakemake):
    given, params, out = snakemake.input, snakemake.params, snakemake.output
    sample, found = pl.read_parquet(given.sample), pl.read_parquet(given.clusters)
    encoding = load(given.encoding).ranged_by(sample, params.ranges)
    members = found
    if params.on == "sample":
        medoids, told = placing.of_sample(found, sample, encoding)
    else:
        images = pl.read_parquet(given.features).sort("image")
        distinct = collapse(to_features(images, encoding), params.weight)
        outcome = search(
            distinct.features,
            distinct.weight,
            found["k"].unique().to_list(),
            distance=encoding.distance,
            seed=params.seed,
            candidates=params.candidates,
            starts=placing.starts(found, images["image"], distinct.row),
            resume=resume_folder(snakemake, work(snakemake, params.search)) / "search.npz",
            progress=Progress(params.candidates, "candidates"),
        )
        medoids, told = placing.of_all(outcome, images, distinct, encoding)
        members = placing.members(sample, medoids, encoding, params.weight)
    write_parquet(medoids, out.medoids)
    write_parquet(told, out.search)
    write_parquet(members, out.members)
