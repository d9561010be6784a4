"""What jobs ask for: memory by the size of their data, minutes, a GPU; more at each attempt."""


def asked(sample):
    """Images asked for in a sample."""
    return config["samples"]["trial" if sample.startswith("trial") else sample]


def memory_square(wildcards, attempt):
    """MB for a job that holds a matrix of all pairs of its sample: it is 4 bytes a pair."""
    return attempt * (1500 + 12 * asked(wildcards.get("sample", "tuning")) ** 2 // 10**6)


def memory_images(wildcards, attempt):
    """MB for a job that holds the images of its sample, and what a network makes of them."""
    values = {"small": 2_000, "paper": 4 * 81_920}[config["autoencoder"]["preset"]]
    images = asked(wildcards.get("sample", "autoencoder"))
    return attempt * (2500 + images * (2 * 128**2 + values) // 10**6)


def memory_trial(wildcards, attempt):
    """MB for a job that holds both."""
    return memory_square(wildcards, attempt) + memory_images(wildcards, attempt)


def memory_archive(wildcards, input, attempt):
    """MB for a job that goes through tags column by column: some times the size of the files."""
    return attempt * (2000 + 4 * int(input.size_mb))


def minutes(count):
    """Minutes to ask for, more at each attempt."""
    return lambda wildcards, attempt: attempt * count


def gpus(wildcards):
    """Ask for a GPU only where the config says so: a cluster without one would wait for ever."""
    return int(config["autoencoder"]["device"] == "cuda")
