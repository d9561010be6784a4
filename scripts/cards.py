"""Say what each cluster is: its size, its medoid, the tags that tell it from the others."""

import polars as pl

from tagsight.cards import cards
from tagsight.encoding import load
from tagsight.jobs import logged
from tagsight.store import read_json, write_json

with logged(snakemake):
    k = read_json(snakemake.input.choice)["k"]
    encoding = load(snakemake.input.encoding)
    found = pl.read_parquet(snakemake.input.clusters).filter(k=k)
    sample = pl.read_parquet(snakemake.input.sample)
    made = cards(sample, found, encoding, snakemake.params.min_patients)
    write_json(made, snakemake.output[0])
