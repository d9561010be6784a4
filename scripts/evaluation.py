"""Test over all trials whether images of a label look more alike than others."""

from pathlib import Path

import numpy as np
import polars as pl

from tagsight.evaluation.pair import columns_of, pair, trial_images
from tagsight.evaluation.paired_tests import evaluate
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged

with logged(snakemake):
    inputs = snakemake.input
    left_out = {Path(p).stem: pl.read_parquet_metadata(p)["left_out"] for p in inputs.trials}
    images = trial_images(inputs.samples, inputs.annotations)
    tuning, *embeddings = [
        np.load(path, mmap_mode="r") for path in (inputs.tuning, *inputs.embeddings)
    ]
    evaluation = {
        **evaluate(pl.read_parquet(inputs.trials), left_out),
        "pair": pair(embeddings, tuning, images),
        "columns": columns_of(images),
    }
    write_json(evaluation, snakemake.output[0])
