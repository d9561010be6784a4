"""Compare clusters with outside labels, found with and without the tags that state these."""

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
    rows = [row for number, own in labels.items() for row in agreement(own, outside, k=number)]
    for left_out in LEFT_OUT[1:]:  # with all tags they were found before
        seen = encoding.without(left_out)
        features = to_features(sample, seen)
        few = algorithms.rows(features, params.weight, params.algorithm)
        distances = metric.matrix(few.features, seen.distance)
        for found in algorithms.clusterings(
            few.features, distances, params.k, params.algorithm, few.weight
        ):
            rows += agreement(found.labels[few.row], outside, k=found.k, left_out=left_out)
    told = {"k": k, "agreement": rows, "confounding": confounding(labels[k], outside)}
    write_json(told, snakemake.output[0])
