"""What all acts share: the checked config, the parts of the archive, the samples, memory."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

CLONE = Path(workflow.basedir)
sys.path.insert(0, str(CLONE))  # Snakemake hands its own path on to the scripts

from tagsight.config import checked
from tagsight.errors import ConfigError
from tagsight.recipe import Recipes

try:
    checked(config, CLONE / "config/config.schema.yaml")
except ConfigError as error:
    raise WorkflowError(f"the config has to be mended first:\n{error}") from None

recipe = Recipes(CLONE, config)

SHARDS = [
    f"{i:0{len(str(config['tags']['shards'] - 1))}d}"
    for i in range(config["tags"]["shards"])
]
TRIALS = [f"trial-{i:02d}" for i in range(1, config["samples"]["trials"] + 1)]
SAMPLES = ["tuning", "holdout", "autoencoder", *TRIALS]

# Scripts give polars and numba the cores that the job was granted, as Snakemake does for BLAS.
shell.prefix(
    'export POLARS_MAX_THREADS="$OMP_NUM_THREADS" NUMBA_NUM_THREADS="$OMP_NUM_THREADS"; '
)


wildcard_constraints:
    shard=r"\d+",
    sample=r"tuning|holdout|autoencoder|trial-\d+",


def drawn(sample):
    """Images asked for in a sample."""
    return config["samples"]["trial" if sample.startswith("trial") else sample]


def memory_square(wildcards, attempt):
    """MB for a job that holds a matrix of all pairs of its sample: it is 4 bytes a pair."""
    return attempt * (1000 + 3 * 4 * drawn(wildcards.sample) ** 2 // 10**6)


def memory_images(wildcards, attempt):
    """MB for a job that holds the images of its sample, and what a network makes of them."""
    values = {"small": 2_000, "paper": 4 * 81_920}[config["autoencoder"]["preset"]]
    return attempt * (2000 + drawn(wildcards.sample) * (2 * 128**2 + values) // 10**6)


def memory_archive(wildcards, input, attempt):
    """MB for a job that goes through all tags column by column: some times the files' size."""
    return attempt * (2000 + 4 * int(input.size_mb))


def gpus(wildcards):
    """Ask for a GPU only where the config says so: a cluster without one would wait for ever."""
    return int(config["autoencoder"]["device"] == "cuda")


def tell_result():
    """Say at the end of a run where the results are and what they are."""
    said = Path("results/report/result.txt")
    if said.exists() and not workflow.remote_exec:
        print(f"\n{said.read_text()}")
