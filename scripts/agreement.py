"""Compare clusters with outside labels, found with and without the tags that state these."""

import polars as pl

from tagsight import clusters, families, gower
from tagsight.agreement import LEFT_OUT, agreement
from tagsight.confounding import confounding
from tagsight.encoding import LABELS, load, to_features
from tagsight.jobs import logged
from tagsight.store import read_json, write_json

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    outside = {name: sample[name] for name in LABELS}
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    k = read_json(snakemake.input.choice)["k"]
    labels = clusters.labellings(sample, pl.read_parquet(snakemake.input.members))
    rows = [row for number, own in labels.items() for row in agreement(own, outside, k=number)]
    for left_out in LEFT_OUT[1:]:  # with all tags they were found before
        seen = encoding.without(left_out)
        features = to_features(sample, seen)
        few = families.rows(features, params.weight, params.algorithm)
        distances = gower.matrix(few.features, seen.distance)
        for found in families.clusterings(
            few.features, distances, params.k, params.algorithm, few.weight
        ):
            rows += agreement(found.labels[few.row], outside, k=found.k, left_out=left_out)
    told = {"k": k, "agreement": rows, "confounding": confounding(labels[k], outside)}
    write_json(told, snakemake.output[0])
