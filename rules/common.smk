"""What all acts share: the checked config, the parts of the archive, the samples, memory."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

if not workflow.current_basedir.is_local:
    raise WorkflowError("tagsight is imported from a clone: give `snakefile` the path of one")
# Of this file, not of the workflow that is run, which may import this one as a module.
CLONE = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(CLONE))  # Snakemake hands its own path on to the scripts

from tagsight.archive.shard_count import shard_count
from tagsight.run.config import NO_INPUT, checked, completed, lacks_input
from tagsight.errors import ConfigError
from tagsight.run.quoting import ShellPath
from tagsight.run.recipe import Recipes

sys.executable = ShellPath(sys.executable)  # `script:` does not quote it (snakemake #2645)

try:
    # Snakemake reads no configfile of a module that is given a config.
    config = completed(config, CLONE / "config/config.yaml")
    checked(config, CLONE / "config/config.schema.yaml", workflow.configfiles)
except ConfigError as error:
    raise WorkflowError(f"the config has to be mended first:\n{error}") from None

tags = config["tags"]  # whose shards are counted before recipes are made, which read their number
tags["shards"] = tags["shards"] or shard_count(config["input"], tags["table"], tags["draw"])
recipe = Recipes(CLONE, config)

SHARDS = [f"{i:0{len(str(tags['shards'] - 1))}d}" for i in range(tags["shards"])]
TREE = config["labels"]["tree"]  # labels by kind, region and technique; else flat clusters
LOOKS = config["tags"]["table"] is None  # a ready table of tags has no pixels
SITES = isinstance(config["input"], dict) or "site" in config["tags"]["columns"]
TRIALS = [f"trial-{i:02d}" for i in range(1, config["samples"]["trials"] + 1)]
SAMPLES = ["tuning", "holdout", *(["autoencoder"] if LOOKS else []), *TRIALS]
# Of body parts and words a reader of headers needs to know only where it reads descriptions.
WORDS, FACETS = {"words": "labels.tables.words"}, {"facets": "labels.tables.facets"}
DERIVING = {"body_parts": "tags.body_parts", **WORDS} if config["tags"]["derive_text"] else {}

# Scripts give polars and numba the cores that the job was granted; text is UTF-8 in any locale.
shell.prefix("N=$OMP_NUM_THREADS; export PYTHONUTF8=1 POLARS_MAX_THREADS=$N NUMBA_NUM_THREADS=$N; ")


wildcard_constraints:
    shard=r"\d+",
    sample=r"tuning|holdout|autoencoder|trial-\d+",


def archive(wildcards):
    """Return what makes the archive, if that is the demo; end a run that has no input.

    Whoever only looks at the workflow (--lint, --rulegraph, --summary) needs no input.
    """
    if workflow.execution_settings and lacks_input(config):
        sys.exit(NO_INPUT)  # of an error in such a function Snakemake would show the traceback
    return branch(config["demo"], then="results/demo/truth.parquet")
