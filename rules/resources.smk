"""What jobs ask for: threads and memory by the size of their data, minutes, a GPU.

Memory and minutes are more at each attempt. The results do not depend on threads: on little data a
job is mostly its imports, which are of one thread, so that two jobs of one are sooner done.
"""

import os

from tagsight.looks.embedders import PRESETS

SMALL_SAMPLE = 2000  # images
SMALL_ARCHIVE = 10  # MB of tables: some 100,000 images
PRESET = PRESETS[config["autoencoder"]["preset"]]


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


def memory_square(wildcards, attempt):
    """MB for a job that holds a matrix of all pairs of its sample: it is 4 bytes a pair."""
    return attempt * (1500 + 12 * asked(wildcards.get("sample", "tuning")) ** 2 // 10**6)


def memory_images(wildcards, attempt):
    """MB for a job that holds the images of its sample, and what a network makes of them."""
    images = asked(wildcards.get("sample", "autoencoder"))
    return attempt * (2500 + images * (2 * 128**2 + PRESET.memory) // 10**6)


def memory_trial(wildcards, attempt):
    """MB for a job that holds both."""
    return memory_square(wildcards, attempt) + memory_images(wildcards, attempt)


def memory_pairs(wildcards, attempt):
    """MB for the pair statistic, which holds some columns of embeddings at a time, and a matrix."""
    return attempt * (4000 + 12 * asked("tuning") ** 2 // 10**6)


def minutes_pairs(wildcards, input, attempt):
    """Minutes for the pair statistic: 10, and 2 for each GB of embeddings."""
    return attempt * (10 + int(2 * input.size_mb / 1000))


def memory_archive(wildcards, input, attempt):
    """MB for a job that goes through tags column by column: some times the size of the files."""
    return attempt * (2000 + 4 * int(input.size_mb))


def memory_search(wildcards, input, attempt):
    """MB for a search among all images: its first matrix, and their features some times over.

    Features take less in files than here; how much less depends on how many images are alike.
    """
    if config["cluster"]["on"] == "sample":
        return attempt * 2000
    return attempt * (4000 + 40 * int(input.size_mb))


def memory_shard(wildcards, input, attempt):
    """MB for reading a shard: its rows are held, some 50 times the size of its list of files."""
    return attempt * (2000 + 50 * int(input.size_mb))


def minutes(count, per_gb=0):
    """Minutes to ask for: `count`, and `per_gb` for each GB of input; more at each attempt."""

    def asked_for(wildcards, input, attempt):
        return attempt * (count + int(per_gb * input.size_mb / 1000))

    return asked_for


def minutes_square(wildcards, attempt):
    """Minutes for work on all pairs of a sample: 10, and 4 for each million of them."""
    n = asked(wildcards.get("sample", "tuning"))
    return attempt * (10 + 4 * n**2 // 10**6)


def minutes_search(wildcards, input, attempt):
    """Minutes for a search among all images: 10, and what candidates take on two cores.

    A candidate is compared with all images: 5 ms of one core for a million of 85 columns, which are
    100 MB of features at least.
    """
    if config["cluster"]["on"] == "sample":
        return attempt * 10
    thousands = config["cluster"]["candidates"] / 1000
    return attempt * (20 + int(input.size_mb / 100 * (1 + thousands / 10)))


def minutes_images(wildcards, attempt):
    """Minutes for going through a sample's images: 10, and 2 for each thousand."""
    return attempt * (10 + 2 * asked(wildcards.get("sample", "autoencoder")) // 1000)


def minutes_eyes(wildcards, attempt):
    """Minutes for all eyes but the first to go through a sample's images: 10, and 10 a thousand.

    A user's network of the size of VGG16 takes a third of a second of a core for an image.
    """
    return attempt * (10 + 10 * asked(wildcards.get("sample", "autoencoder")) // 1000)


def minutes_training(wildcards, attempt):
    """Minutes for training: 20, and what it takes at a careful guess of images a second."""
    rate = PRESET.speed * (10 if gpus(wildcards) else 1)
    seen = config["samples"]["autoencoder"] * config["autoencoder"]["epochs"]
    return attempt * (20 + seen // rate // 60)


def gpus(wildcards):
    """Ask for a GPU only where the config says so: a cluster without one would wait for ever."""
    return int(config["autoencoder"]["device"] == "cuda")
