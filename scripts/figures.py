"""Draw the figures."""

from pathlib import Path

import numpy as np
import polars as pl

from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import reconstructed
from tagsight.report.figures import (
    choice,
    explained,
    flow,
    nesting,
    pictures,
    silhouettes,
    training,
)
from tagsight.run.atomic import read_json, write_file
from tagsight.run.jobs import logged

with logged(snakemake):
    given, params = snakemake.input, snakemake.params
    chosen = read_json(given.choice)
    found = pl.read_parquet(given.clusters).filter(k=chosen["k"])
    names = [card["name"] for card in read_json(given.cards)]
    epochs = pl.read_parquet(given.training) if given.get("training") else None
    learned = None if epochs is None else len(epochs)
    made = {
        "flow.svg": flow.flow(read_json(given.counts), chosen, learned),
        "silhouettes.svg": silhouettes.silhouettes(found, names),
        "choice.svg": choice.choice(chosen, params.tolerance),
        "nesting.svg": nesting.nesting(read_json(given.nesting), chosen["k"], names),
    }
    if epochs is not None:
        images, fates = np.load(given.images, mmap_mode="r"), pl.read_parquet(given.fates)
        shown = pictures.picks(found, fates, params.gallery, params.seed, params.burned_in)
        originals = images[pictures.examples(shown)]
        again = reconstructed(PRESETS[params.preset].trained(given.weights[0]), originals)
        made["training.svg"] = training.training(epochs)
        made["explained.svg"] = explained.explained(read_json(given.evaluation))
        made["gallery.png"] = pictures.gallery(images, shown, names)
        made["reconstructions.png"] = pictures.reconstructions(originals, again)
    for path in snakemake.output:
        write_file(made[Path(path).name], path)
