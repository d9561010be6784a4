"""Looks.

Needs the samples and the archive's pixels. Leaves the images of a sample at 128 x 128 (images),
the network that learned to describe them (autoencoder) and their descriptions (embeddings).
"""


rule images:
    input:
        "results/samples/{sample}.parquet",
    output:
        images="results/images/{sample}.npy",
        fates="results/images/{sample}.parquet",
    log:
        "logs/images/{sample}.log",
    benchmark:
        "results/benchmarks/images/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 4
    resources:
        mem_mb=memory_images,
        runtime=lambda wildcards, attempt: attempt * 120,
    params:
        **recipe("images", rules.samples, aspect="images.aspect"),
    script:
        "../scripts/images.py"


rule autoencoder:
    input:
        images="results/images/autoencoder.npy",
        fates="results/images/autoencoder.parquet",
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
        mem_mb=lambda wildcards, attempt: attempt
        * (4000 + config["samples"]["autoencoder"] * 2 * 128**2 // 10**6),
        runtime=lambda wildcards, attempt: attempt * 1440,
        gpu=gpus,
    params:
        **recipe(
            "autoencoder",
            rules.images,
            preset="autoencoder.preset",
            epochs="autoencoder.epochs",
            batch="autoencoder.batch",
            learning_rate="autoencoder.learning_rate",
            validation="autoencoder.validation",
            device="autoencoder.device",
            seed="seed",
        ),
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
    threads: 4
    resources:
        mem_mb=memory_images,
        gpu=gpus,
    params:
        **recipe(
            "embeddings",
            rules.autoencoder,
            rules.images,
            preset="autoencoder.preset",
            device="autoencoder.device",
        ),
    script:
        "../scripts/embeddings.py"
