"""Compare clusters, made with and without the tags that state outside labels, with these."""

import polars as pl

from tagsight.clustering import algorithms, cluster_tables
from tagsight.gower import metric
from tagsight.interpretation.agreement import LEFT_OUT, agreement
from tagsight.interpretation.confounding import confounding
from tagsight.run.atomic import read_json, write_json
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load, to_features
from tagsight.tags.labels import LABELS

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    outside = {name: sample[name] for name in LABELS}
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    k = read_json(snakemake.input.choice)["k"]
    labels = cluster_tables.labellings(sample, pl.read_parquet(snakemake.input.members))
    rows = [row for number, of_k in labels.items() for row in agreement(of_k, outside, k=number)]
    for left_out in LEFT_OUT[1:]:  # those of all tags are read above
        kept = encoding.without(left_out)
        distinct = algorithms.rows_to_cluster(
            to_features(sample, kept), params.weight, params.algorithm
        )
        distances = metric.matrix(distinct.features, kept.distance)
        for clustering in algorithms.clusterings(
            distinct.features, distances, params.k, params.algorithm, distinct.weight
        ):
            in_images = clustering.labels[distinct.row]
            rows += agreement(in_images, outside, k=clustering.k, left_out=left_out)
    content = {"k": k, "agreement": rows, "confounding": confounding(labels[k], outside)}
    write_json(content, snakemake.output[0])
