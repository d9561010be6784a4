"""Say what labels are worth: what networks that learned them tell of images of other patients."""

import polars as pl

from tagsight.run.atomic import write_json
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import Progress
from tagsight.run.tables import scan
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import load_tree
from tagsight.worth import worth
from tagsight.worth.flat_labelling import ENCODED, flat_labels

with logged(snakemake):
    inputs, params, seed = snakemake.input, snakemake.params, snakemake.params.seed
    tree, tags = load_tree(inputs.encoding), scan(inputs.tags)
    files = list(zip(inputs.samples, inputs.fates, inputs.images, strict=True))
    (learned, pictures), (tested, others) = map(worth.drawn_images, (files[:2], files[2:]))
    if inputs.get("labels"):
        target, said = worth.labels_of_file(tested, inputs.labels), {"target": None, "read": None}
    else:
        target = worth.target_of(tested, tags, params.target)
        read = worth.is_read(params.target, pl.read_parquet(inputs.selection), tree)
        said = {"target": params.target, "read": read}
    labels = worth.labels_of_run(learned, scan(inputs.annotations))
    labellings = {"nothing": None, "modality": learned["modality"], "labels": labels}
    if not tree.flat:
        encode = {name: params[name] for name in ENCODED}
        encode["body_parts"] = spelling_table(params.body_parts)
        encode["key"] = run_key(params.key_file, results_folder(snakemake))
        how = {"select": params.select, "weight": params.weight, "count": labels.n_unique()}
        frequencies, tuning = pl.read_parquet(inputs.frequencies), pl.read_parquet(files[0][0])
        labellings["flat"] = flat_labels(
            tuning, learned, tags, frequencies, encode, seed=seed, **how
        )
    how = {"seed": seed, "threads": snakemake.threads, "progress": Progress(None, "networks")}
    rows = tested.with_columns(target=target)
    result = worth.worth(labellings, pictures, rows, others, **how)
    write_json({**said, **result}, snakemake.output[0])
