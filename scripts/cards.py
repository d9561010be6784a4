"""Describe each label, or in a flat run each cluster: its tags, its stability, a rule for it."""

import polars as pl

from tagsight.content.tables import content_tables
from tagsight.interpretation import flat_cards, rules, tree_cards, tree_stability
from tagsight.run.atomic import read_json, write_file, write_json
from tagsight.run.jobs import logged
from tagsight.terms.name_words import Words
from tagsight.tree import leaves
from tagsight.tree.dealing import numbers_of
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    sample, holdout = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.holdout)
    tree = load_tree(inputs.encoding).ranged_by(sample, params.ranges)
    members, medoids = pl.read_parquet(inputs.members), pl.read_parquet(inputs.medoids)
    choice, clusters = read_json(inputs.choice), pl.read_parquet(inputs.clusters)
    stability, least = read_json(inputs.stability), params.min_patients
    if tree.flat:
        k, encoding = choice["k"], tree.of(FLAT)
        tables = [table.filter(k=k) for table in (clusters, members, medoids)]
        again = stability["grid"][str(k)]
        cards, rows = flat_cards.described(sample, holdout, *tables, encoding, again, least)
    else:
        measured = leaves.in_leaves(clusters, tree, numbers_of(choice))
        stability = tree_stability.of_leaves(stability, members, measured)
        tables = content_tables(params)
        words = Words(tables.kinds.all_words(), [facet.name for facet in tables.facets])
        composition = pl.read_parquet(inputs.composition)
        cards, rows = tree_cards.described(
            sample, holdout, members, medoids, tree, composition, stability, words, least
        )
    write_json(cards, snakemake.output.cards)
    write_file(rules.to_yaml(rows, cards, len(cards)), snakemake.output.rules)
