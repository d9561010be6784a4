"""Samples.

Needs tags and features of every shard. Leaves which images are drawn (draws), by patient, from tags
alone, so that another choice of features draws no other images; and with their features (samples):
one sample to choose K and find the clusters (tuning), one of other patients to test K on (holdout),
the trials, and one that the autoencoder learns from. No patient is in two of them, but where an
archive has too few (tagsight/tags/sampling/by_kind.py); a sample that it has none for is an empty table,
and draws.json says what could not be tested.
"""

# By kind in a tree, which content says.
DRAWN_FROM = rules.content if TREE else rules.tags if LOOKS else rules.table


rule draws:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
    output:
        samples=expand("results/draws/{sample}.parquet", sample=SAMPLES),
        summary="results/draws.json",
    log:
        "logs/draws.log",
    benchmark:
        "results/benchmarks/draws.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(800),
        runtime=minutes(per_million=1),
    params:
        **recipe("draws", DRAWN_FROM, sizes="samples", seed="seed"),
    script:
        "../scripts/draws.py"


rule samples:
    input:
        draws=expand("results/draws/{sample}.parquet", sample=SAMPLES),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
        features=expand("results/features/{shard}.parquet", shard=SHARDS),
    output:
        expand("results/samples/{sample}.parquet", sample=SAMPLES),
    log:
        "logs/samples.log",
    benchmark:
        "results/benchmarks/samples.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(1100),
        runtime=minutes(per_million=1),
    params:
        **recipe("samples", rules.draws, rules.features, body_parts="tags.body_parts"),
    script:
        "../scripts/samples.py"
