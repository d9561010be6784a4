"""Compare clusters with outside labels, found with and without the tags that tell these."""

import polars as pl

from tagsight import gower, medoids
from tagsight.agreement import TELLING, agreement
from tagsight.encoding import load, to_features
from tagsight.jobs import logged
from tagsight.store import read_json, write_json

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    outside = {name: sample[name] for name in ("modality", "body_part", "manufacturer")}
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    rows = []
    for left_out in ((), TELLING):
        seen = encoding.without(left_out)
        distances = gower.matrix(to_features(sample, seen), seen.distance)
        for found in medoids.grid(distances, params.k, params.algorithm):
            rows += agreement(found.labels, outside, k=found.k, left_out=left_out)
    chosen = read_json(snakemake.input.choice)["k"]
    write_json({"k": chosen, "agreement": rows}, snakemake.output[0])
