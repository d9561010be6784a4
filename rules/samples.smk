"""Samples.

Needs tags and features of every shard. Leaves the samples that all else is made on: one to choose
K and find the clusters (tuning), one of other patients to test K on (holdout), one that the
autoencoder learns from, and the trials. No patient is in two of them.
"""


rule samples:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        features=expand("results/features/{shard}.parquet", shard=SHARDS),
    output:
        expand("results/samples/{sample}.parquet", sample=SAMPLES),
    log:
        "logs/samples.log",
    benchmark:
        "results/benchmarks/samples.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 4
    resources:
        mem_mb=memory_archive,
        runtime=minutes(60),
    params:
        **recipe("samples", rules.features, sizes="samples", seed="seed"),
    script:
        "../scripts/samples.py"
