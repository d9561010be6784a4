"""Draw the figures."""

from pathlib import Path

import numpy as np
import polars as pl

from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import reconstructed
from tagsight.report.figures import drawings, pictures
from tagsight.report.label_tree import label_members, label_tree
from tagsight.run.atomic import read_json, write_file
from tagsight.run.jobs import logged
from tagsight.tree.encodings import load_tree

DOCUMENTS = ("counts", "choice", "cards", "nesting", "evaluation")

with logged(snakemake):
    inputs, params, count = snakemake.input, snakemake.params, snakemake.params.gallery
    documents = {name: read_json(inputs[name]) for name in DOCUMENTS if inputs.get(name)}
    tree, clusters = load_tree(inputs.encoding), pl.read_parquet(inputs.clusters)
    training = pl.read_parquet(inputs.training) if inputs.get("training") else None
    epochs = None if training is None else len(training)
    if tree.flat:
        clusters = clusters.filter(k=documents["choice"]["k"])
        figures = drawings.from_tags(documents, clusters, epochs, params.tolerance)
    else:
        kinds = label_tree(documents["cards"], tree.pictures)
        clusters = label_members(clusters, documents["cards"])
        count = pictures.members_each(clusters["cluster"].n_unique(), count)
        figures = drawings.of_labels(documents, kinds, clusters, epochs)
    if training is not None:
        images, fates = np.load(inputs.images, mmap_mode="r"), pl.read_parquet(inputs.fates)
        shown = pictures.picks(clusters, fates, count, params.seed, params.burned_in, params.least)
        examples = pictures.examples(shown) if len(training) else []
        trained = PRESETS[params.preset].trained(inputs.weights[0]) if examples else None
        reconstructions = reconstructed(trained, images[examples])
        figures |= drawings.from_pixels(documents, training, images, shown, reconstructions)
    for path in snakemake.output:
        write_file(figures[Path(path).name], path, readers="anyone")
