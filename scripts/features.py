"""Turn a shard's tags, in a tree its words of content too, into rows of numbers and categories."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.tags import fitting
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import FLAT, load_tree
from tagsight.tree.fitting import apply_tree

with logged(snakemake):
    inputs = snakemake.input
    tree = load_tree(inputs.encoding)
    body_parts = spelling_table(snakemake.params.body_parts)
    key = run_key(snakemake.params.key_file, results_folder(snakemake))
    tags = pl.read_parquet(inputs.tags)
    if tree.flat:
        features = fitting.apply(tags, tree.of(FLAT), body_parts, key)
    else:
        content = pl.read_parquet(inputs.content)
        features = apply_tree(tags, content, tree, body_parts, key)
    write_parquet(features, snakemake.output[0])
