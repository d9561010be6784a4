"""Looks.

Needs the images drawn and the archive's pixels. Leaves the images of a sample at 128 x 128 (images),
the network that learned to describe them (autoencoder) and their descriptions (embeddings), what its
referees learned (eyes) and their descriptions (sights).
"""


rule images:
    input:
        "results/draws/{sample}.parquet",
    output:
        images="results/images/{sample}.npy",
        fates="results/images/{sample}.parquet",
    log:
        "logs/images/{sample}.log",
    benchmark:
        "results/benchmarks/images/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_images,
        runtime=minutes_images,
        reading=1,
        batch=1,
    params:
        **recipe("images", rules.draws, aspect="images.aspect"),
    script:
        "../scripts/images.py"


TRAINING = {key: f"autoencoder.{key}" for key in config["autoencoder"]}


rule autoencoder:
    input:
        # From the tuning sample's images it learns only where its own are too few: see draws.json.
        images=expand("results/images/{sample}.npy", sample=["autoencoder", "tuning"]),
        fates=expand("results/images/{sample}.parquet", sample=["autoencoder", "tuning"]),
        draws="results/draws.json",
    output:
        weights="results/autoencoder.safetensors",
        training="results/training.parquet",
    log:
        "logs/autoencoder.log",
    benchmark:
        "results/benchmarks/autoencoder.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 8
    resources:
        mem_mb=memory_images,
        runtime=minutes_training,
        gpu=gpus,
    params:
        **recipe("autoencoder", rules.images, seed="seed", **TRAINING),
    script:
        "../scripts/autoencoder.py"


rule embeddings:
    input:
        weights="results/autoencoder.safetensors",
        images="results/images/{sample}.npy",
        fates="results/images/{sample}.parquet",
    output:
        "results/embeddings/{sample}.npy",
    log:
        "logs/embeddings/{sample}.log",
    benchmark:
        "results/benchmarks/embeddings/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_images,
        runtime=minutes_images,
        batch=1,
        gpu=gpus,
    params:
        **recipe(
            "embeddings",
            rules.autoencoder,
            preset="autoencoder.preset",
            device="autoencoder.device",
        ),
    script:
        "../scripts/embeddings.py"


rule eyes:
    input:
        images=expand("results/images/{sample}.npy", sample=["autoencoder", "tuning"]),
        fates=expand("results/images/{sample}.parquet", sample=["autoencoder", "tuning"]),
        draws="results/draws.json",
    output:
        "results/eyes.safetensors",
    log:
        "logs/eyes.log",
    benchmark:
        "results/benchmarks/eyes.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_images,
        runtime=minutes_eyes,
        gpu=gpus,
    params:
        **recipe("eyes", rules.images, eyes="eyes", device="autoencoder.device"),
    script:
        "../scripts/eyes.py"


rule sights:
    input:
        eyes="results/eyes.safetensors",
        images="results/images/{sample}.npy",
        fates="results/images/{sample}.parquet",
    output:
        "results/sights/{sample}.safetensors",
    log:
        "logs/sights/{sample}.log",
    benchmark:
        "results/benchmarks/sights/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_images,
        runtime=minutes_eyes,
        batch=1,
        gpu=gpus,
    params:
        **recipe("sights", rules.eyes, eyes="eyes", device="autoencoder.device"),
    script:
        "../scripts/sights.py"
