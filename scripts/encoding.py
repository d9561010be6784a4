"""Fit the encoding, tags as columns, to the whole archive; in a tree to each kind of it."""

import polars as pl

from tagsight.run.atomic import write_json, write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags import fitting, kind_frequencies
from tagsight.tags.unmapped import unmapped
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import flat
from tagsight.tree.fitting import Shares, fit_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    tags, selection = scan(inputs.tags), pl.read_parquet(inputs.selection)
    body_parts = spelling_table(params.body_parts)
    how = {name: params[name] for name in ("distance", "scale", "weights", "min_patients")}
    how |= {"body_parts": body_parts, "key": run_key(params.key_file, results_folder(snakemake))}
    if params.tree:
        tree = fit_tree(
            kind_frequencies.scan_with_content(inputs.tags, inputs.content),
            pl.read_parquet(inputs.kinds),
            selection,
            kind_frequencies.words(scan(inputs.content)),
            shares=Shares(params.region_weight, params.facets_weight, params.presence_weight),
            **how,
        )
    else:
        how["presence_weight"] = params.presence_weight
        tree = flat(fitting.fit(tags, pl.read_parquet(inputs.frequencies), selection, **how))
    LOG.info("%d columns", len(tree.columns))
    write_json(tree.to_json(), snakemake.output.encoding)
    table = unmapped(tags, body_parts, params.min_patients, tree.keywords)
    write_parquet(table, snakemake.output.unmapped)
