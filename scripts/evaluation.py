"""Test over all trials whether images of a label look more alike than others."""

from pathlib import Path

import numpy as np
import polars as pl

from tagsight.evaluation import eye_figures
from tagsight.evaluation.pair import columns_of, trial_images, untested
from tagsight.evaluation.paired_tests import evaluate
from tagsight.looks.eyes import sights
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG

with logged(snakemake):
    inputs = snakemake.input
    left_out = {Path(p).stem: pl.read_parquet_metadata(p)["left_out"] for p in inputs.trials}
    images = trial_images(inputs.samples, inputs.annotations)
    tuning, *embeddings = [
        np.load(path, mmap_mode="r") for path in (inputs.tuning, *inputs.embeddings)
    ]
    eyes = {eye_figures.AUTOENCODER: eye_figures.eye(embeddings, tuning, images)}
    for name, (at_tuning, *at_trials) in sights(inputs.get("sights") or []):
        eyes[name] = eye_figures.eye(at_trials, at_tuning, images)
    found = eye_figures.figures(eyes)
    if remark := eye_figures.remark(found["eyes"]):
        LOG.warning(remark)
    evaluation = {
        **evaluate(pl.read_parquet(inputs.trials), left_out),
        **found,
        "columns": columns_of(images),
        "untested": untested(eyes[eye_figures.AUTOENCODER].compared.drawn, images),
    }
    write_json(evaluation, snakemake.output[0])
