"""What jobs ask for: threads, memory and minutes by the size of their data, a GPU.

The constants are measured: docs/cluster.md has what each rule asked for and what it used. Memory is
more at each attempt, and so are minutes, but of work that goes on where it was stopped. Results do
not depend on threads: on little data a job is mostly its imports, which are of one thread, so that
two jobs of one are sooner done.
"""

import os
from functools import cache

import polars as pl

from tagsight.looks.embedders import PRESETS
from tagsight.run.cluster.partitions import most_minutes

SMALL_SAMPLE = 2000  # images
SMALL_ARCHIVE = 10  # MB of tables: some 100,000 images
SMALL_SHARDS = 4
PRESET = PRESETS[config["autoencoder"]["preset"]]
PLAIN = ("autoencoder", "hog", "pca")
NETWORKS = any(eye not in PLAIN for eye in config["eyes"])  # beside the autoencoder

ALONE = 350  # MB of a job on hardly any data that clusters or draws, with what it imports
COUNTING = 150  # MB of one that reads tables alone
SNAKEMAKE = 300  # MB of Snakemake's own beside a job of a cluster
FEWEST = 3  # minutes of a job on hardly any data: on a slow network it is long in starting
TOGETHER = 12  # jobs of one rule that slurm/config.yaml has in one of the cluster's, one by one


def asked(sample):
    """Images asked for in a sample."""
    return config["samples"]["trial" if sample.startswith("trial") else sample]


def threads_sample(most):
    """Threads for work on a sample: `most`, but 1 for a small one."""

    def granted(wildcards):
        return 1 if asked(wildcards.get("sample", "tuning")) <= SMALL_SAMPLE else most

    return granted


def threads_archive(most):
    """Threads for work on all images: `most`, but 1 where their tables are small."""

    def granted(wildcards, input):
        if not all(map(os.path.exists, input)):  # asked for the plan
            return most
        return 1 if sum(map(os.path.getsize, input)) <= SMALL_ARCHIVE * 10**6 else most

    return granted


def threads_search(wildcards, input):
    """Threads for a search among all images, if there is one to be made."""
    return 1 if config["cluster"]["on"] == "sample" else threads_archive(8)(wildcards, input)


@cache
def rows(path):
    """Rows of a table; where it is not there yet, the error that Snakemake waits after."""
    os.stat(path)
    return pl.scan_parquet(path).select(pl.len()).collect().item()


@cache
def compared(sample):
    """Images of a sample that are compared with each other: of a tree those of its largest kind."""
    os.stat(sample)
    table = pl.scan_parquet(sample)
    if "kind" not in table.collect_schema():
        return rows(sample)
    most = table.group_by("kind").len().select(pl.col("len").max()).collect().item()
    return most or 0


def megabytes(estimate, attempt, imports=ALONE):
    """MB to ask for where a job is expected to take so many beyond its imports."""
    return attempt * int(SNAKEMAKE + 1.35 * (imports + estimate))


def memory(estimate):
    """MB for a job that takes so many beyond its imports, whatever the data."""
    return lambda wildcards, attempt: megabytes(estimate, attempt)


def pairs(input):
    """MB of a matrix of all pairs of a sample, of 4 bytes each, and as much again for work on it."""
    samples = [path for path in input if Path(path).parent.name == "samples"]
    return 8 * max(map(compared, samples)) ** 2 / 10**6


def memory_square(wildcards, input, attempt):
    """MB for a job that holds a matrix of all pairs of its sample."""
    return megabytes(pairs(input), attempt)


def memory_images(wildcards, attempt):
    """MB for a job that holds the images of its sample, and what a network makes of them."""
    images = asked(wildcards.get("sample", "autoencoder"))
    held = images * (2 * 128**2 + PRESET.memory) + 4000 * PRESET.memory
    return megabytes(50 + held / 10**6, attempt)


def memory_trial(wildcards, input, attempt):
    """MB for a job that holds a matrix of all pairs of a sample, and its embeddings."""
    embeddings = asked(wildcards.get("sample", "tuning")) * PRESET.memory
    return megabytes(pairs(input) + embeddings / 10**6, attempt)


def memory_pairs(wildcards, input, attempt):
    """MB for the pair statistic, which holds some columns of embeddings at a time, and a matrix."""
    return megabytes(min(1500, 3 * input.size_mb) + pairs(input), attempt)


def images_in(input, of):
    """Images in the tables of an input; of the only one, where it has no name."""
    tables = input.get(of, list(input))
    return sum(map(rows, [tables] if isinstance(tables, str) else tables))


def memory_rows(per_million, of="tags"):
    """MB for a job that goes through tables of all images or of a shard: so many for a million.

    of: the input whose rows are counted.
    """

    def asked_for(wildcards, input, attempt):
        return megabytes(per_million * images_in(input, of) / 10**6, attempt)

    return asked_for


def memory_size(per_mb):
    """MB for a job that goes through tables of all images, so many for each MB of them."""

    def asked_for(wildcards, input, attempt):
        return megabytes(per_mb * input.size_mb, attempt, COUNTING)

    return asked_for


def memory_table(wildcards, input, attempt):
    """MB for reading a ready table: of Parquet by its rows and its size, of CSV by its size."""
    if str(input[0]).endswith(".parquet"):
        return megabytes(450 * rows(input[0]) / 10**6 + 8 * input.size_mb, attempt)
    return megabytes(6 * input.size_mb, attempt)


def minutes_table(wildcards, input, attempt):
    """Minutes for reading a ready table: 3, and 3 for each GB."""
    return capped(attempt * (FEWEST + 3 * input.size_mb / 1000))


def memory_search(wildcards, input, attempt):
    """MB for a search among all images: its first matrix, and their features some times over.

    Features take less in files than here; how much less depends on how many images are alike.
    """
    if config["cluster"]["on"] == "sample":
        return megabytes(0, attempt)
    return megabytes(2000 + 40 * input.size_mb, attempt)


@cache
def granted():
    """Minutes that a job may ask for at most: by the config, or what Slurm's partition grants."""
    if config["jobs"]["minutes"] or workflow.remote_exec:
        return config["jobs"]["minutes"]
    found = most_minutes(partition())
    return found and found[1]


def partition():
    """The partition of Slurm's that jobs are sent to; None for Slurm's own choice."""
    chosen = workflow.resource_settings.default_resources or {}
    named = chosen.get("slurm_partition")
    return getattr(named, "value", named) or os.environ.get("SBATCH_PARTITION")


def capped(minutes, together=False):
    """Minutes to ask for: as many as a partition grants at most, since Slurm would wait for more.

    together: whether the profile has TOGETHER such jobs in one, which asks for their sum.
    """
    most = granted()
    if most is None:
        return max(1, int(minutes))
    return max(1, min(int(minutes), most // TOGETHER if together else most))


def minutes(count=FEWEST, per_million=0, of="tags", together=False):
    """Minutes to ask for: `count`, and so many for a million rows; more at each attempt."""

    def asked_for(wildcards, input, attempt):
        images = images_in(input, of) if per_million else 0
        return capped(attempt * (count + per_million * images / 10**6), together)

    return asked_for


def minutes_found(wildcards):
    """Minutes for listing an archive, of whose size nothing is known; it goes on where it was."""
    return capped(60)


def minutes_read(wildcards, input):
    """Minutes for reading a shard: 10, and 15 for 100,000 files; it goes on where it was."""
    return capped(10 + 15 * rows(input[0]) / 10**5)


def minutes_square(together=False):
    """Minutes for work on all pairs of a sample: 3, and 1 for each 4 million of them."""

    def asked_for(wildcards, input, attempt):
        return capped(attempt * (FEWEST + pairs(input) / 32), together)

    return asked_for


def minutes_search(wildcards, input):
    """Minutes for a search among all images: 10, and what candidates take; it goes on where it was.

    A candidate is compared with all images: 5 ms of one core for a million of 85 columns, which are
    100 MB of features at least.
    """
    if config["cluster"]["on"] == "sample":
        return capped(FEWEST)
    thousands = config["cluster"]["candidates"] / 1000
    return capped(20 + input.size_mb / 100 * (1 + thousands / 10))


def minutes_images(wildcards, attempt):
    """Minutes for going through a sample's images: 3, and 1 for each thousand."""
    images = asked(wildcards.get("sample", "autoencoder"))
    return capped(attempt * (FEWEST + images / 1000), together=True)


def minutes_eyes(wildcards, attempt):
    """Minutes for all eyes but the first to go through a sample's images.

    A thousand take 1, but 10 with a user's network: one of the size of VGG16 takes a third of a
    second of a core for an image.
    """
    thousands = asked(wildcards.get("sample", "autoencoder")) / 1000
    return capped(attempt * (FEWEST + thousands * (10 if NETWORKS else 1)), together=True)


def minutes_pairs(wildcards, input, attempt):
    """Minutes for the pair statistic: 3, and 2 for each GB of embeddings."""
    return capped(attempt * (FEWEST + 2 * input.size_mb / 1000))


def minutes_training(wildcards):
    """Minutes for training, at a careful guess of images a second; it goes on where it was."""
    rate = PRESET.speed * (10 if gpus(wildcards) else 1)
    seen = config["samples"]["autoencoder"] * config["autoencoder"]["epochs"]
    return capped(5 + seen / rate / 60)


def gpus(wildcards):
    """Ask for a GPU only where the config says so: a cluster without one would wait for ever."""
    return int(config["autoencoder"]["device"] == "cuda")


# What runs where the workflow was typed: jobs of seconds are over before a cluster has started them.
localrules:
    cards,
    choice,
    counts,
    figures,
    nesting,
    rejected_csv,
    report,
    selection,


# So are, on a small archive, those that go through all of it or through a sample.
if len(SHARDS) <= SMALL_SHARDS and config["samples"]["tuning"] <= SMALL_SAMPLE:

    localrules:
        annotations_csv,
        agreement,
        composition,
        draws,
        encoding,
        evaluation,
        eyes,
        facets,
        frequencies,
        kinds,
        labels,
        medoids,
        samples,
        sites,
        stability,
