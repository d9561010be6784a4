"""Compare labels, made with and without the tags that state outside labels, with these."""

import polars as pl

from tagsight.interpretation import tree_cards
from tagsight.interpretation.annotations import label_of
from tagsight.interpretation.flat_agreement import flat_agreement
from tagsight.interpretation.tree_agreement import tree_agreement
from tagsight.run.atomic import read_json, write_json
from tagsight.run.jobs import logged
from tagsight.tree.dealing import numbers_of
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    sample, members = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.members)
    tree = load_tree(inputs.encoding).ranged_by(sample, params.ranges)
    choice = read_json(inputs.choice)
    how = {"algorithm": params.algorithm, "weight": params.weight}
    if tree.flat:
        content = flat_agreement(sample, members, tree.of(FLAT), k=choice["k"], ks=params.k, **how)
    else:
        labels = tree_cards.labelled(members, label_of(read_json(inputs.cards)))
        content = tree_agreement(sample, labels, tree, numbers_of(choice), **how)
    write_json(content, snakemake.output[0])
