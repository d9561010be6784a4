"""Draw the figures."""

from pathlib import Path

import numpy as np
import polars as pl
from safetensors.torch import load_file

from tagsight.autoencoder import build
from tagsight.figures import choice, explained, flow, pictures, silhouettes, training
from tagsight.jobs import logged
from tagsight.store import read_json, write_file

with logged(snakemake):
    given, params = snakemake.input, snakemake.params
    chosen, epochs = read_json(given.choice), pl.read_parquet(given.training)
    found = pl.read_parquet(given.clusters).filter(k=chosen["k"])
    names = [card["name"] for card in read_json(given.cards)]
    images = np.load(given.images, mmap_mode="r")
    fates = pl.read_parquet(given.fates)
    shown = pictures.picks(found, fates, params.gallery, params.seed, params.burned_in)
    shown = shown[: pictures.shown_clusters(len(shown), params.gallery)]
    originals = images[pictures.examples(shown)]
    model = build(params.preset)
    model.load_state_dict(load_file(given.weights))
    made = {
        "flow.svg": flow.flow(read_json(given.counts), chosen, len(epochs)),
        "silhouettes.svg": silhouettes.silhouettes(found, names),
        "choice.svg": choice.choice(chosen, params.tolerance),
        "training.svg": training.training(epochs),
        "explained.svg": explained.explained(read_json(given.evaluation)),
        "gallery.png": pictures.gallery(images, shown, names),
        "reconstructions.png": pictures.reconstructions(
            originals, pictures.reconstructed(model, originals)
        ),
    }
    for path in snakemake.output:
        write_file(made[Path(path).name], path)
