"""Draw the figures."""

from pathlib import Path

import numpy as np
import polars as pl

from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import reconstructed
from tagsight.report.figures import drawings, pictures
from tagsight.run.atomic import read_json, write_file
from tagsight.run.jobs import logged

DOCUMENTS = ("counts", "choice", "cards", "nesting", "evaluation")

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    documents = {name: read_json(inputs[name]) for name in DOCUMENTS if inputs.get(name)}
    clusters = pl.read_parquet(inputs.clusters).filter(k=documents["choice"]["k"])
    training = pl.read_parquet(inputs.training) if inputs.get("training") else None
    epochs = None if training is None else len(training)
    figures = drawings.from_tags(documents, clusters, epochs, params.tolerance)
    if training is not None:
        images, fates = np.load(inputs.images, mmap_mode="r"), pl.read_parquet(inputs.fates)
        shown = pictures.picks(clusters, fates, params.gallery, params.seed, params.burned_in)
        examples = pictures.examples(shown) if len(training) else []
        trained = PRESETS[params.preset].trained(inputs.weights[0]) if examples else None
        reconstructions = reconstructed(trained, images[examples])
        figures |= drawings.from_pixels(documents, training, images, shown, reconstructions)
    for path in snakemake.output:
        write_file(figures[Path(path).name], path)
