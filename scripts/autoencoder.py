"""Train the autoencoder, continuing after the last finished epoch."""

import numpy as np
import polars as pl
from safetensors.torch import save_file

from tagsight.looks.training import joined, train
from tagsight.run.atomic import read_json, write_parquet, writing
from tagsight.run.jobs import logged, resume_folder
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    drawn = [pl.read_parquet(path)["reason"].is_null().to_numpy() for path in inputs.fates]
    own, tuning = (np.load(path, mmap_mode="r") for path in inputs.images)
    shared = read_json(inputs.draws)["shared"]
    weights, training = train(
        joined([own[drawn[0]], tuning[drawn[1]]] if shared else [own[drawn[0]]]),
        preset=params.preset,
        epochs=params.epochs,
        batch=params.batch,
        learning_rate=params.learning_rate,
        validation=params.validation,
        device=params.device,
        seed=params.seed,
        threads=snakemake.threads,
        resume=resume_folder(snakemake) / "training.pt",
        progress=Progress(params.epochs, "epochs"),
    )
    if training.is_empty():
        LOG.warning("no network was trained: fewer than two images that could be drawn are its own")
    with writing(snakemake.output.weights) as temporary:
        save_file(weights, temporary)
    write_parquet(training, snakemake.output.training)
