"""From files to features.

Needs the archive. Leaves, for every shard of it, the files found (files), the tags of each image
(tags) with what was not taken and why (rejected), and the images as rows of numbers and
categories (features); and for the whole of it how often each tag is filled (frequencies), which
tags are used and why (selection), and how they become columns (encoding).
"""


rule files:
    input:
        [demo.output.truth for demo in DEMO],
    output:
        expand("results/files/{shard}.parquet", shard=SHARDS),
    log:
        "logs/files.log",
    benchmark:
        "results/benchmarks/files.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 2000,
        runtime=minutes(720),
    params:
        **recipe(
            "files",
            *DEMO,
            archive="input",
            shards="tags.shards",
            draw="tags.draw",
            key_file="privacy.key_file",
            seed="seed",
        ),
    script:
        "../scripts/files.py"


# What the reader keeps of a file: a change of it makes the store of what was read void.
WANTED = {
    "keep": "privacy.keep",
    "keep_undrawable": "tags.keep_undrawable",
    "derive_text": "tags.derive_text",
}


rule tags:
    input:
        "results/files/{shard}.parquet",
    output:
        tags="results/tags/{shard}.parquet",
        rejected="results/rejected/{shard}.parquet",
    log:
        "logs/tags/{shard}.log",
    benchmark:
        "results/benchmarks/tags/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=memory_shard,
        runtime=minutes(720),
    params:
        **recipe("tags", rules.files, key_file="privacy.key_file", **WANTED),
        store=recipe.own("tags", **WANTED),
    script:
        "../scripts/tags.py"


rule frequencies:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
    output:
        "results/frequencies.parquet",
    log:
        "logs/frequencies.log",
    benchmark:
        "results/benchmarks/frequencies.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 8
    resources:
        mem_mb=memory_archive,
        runtime=minutes(30, per_gb=60),
    params:
        **recipe(
            "frequencies",
            rules.tags,
            reject_limit="tags.reject_limit",
            keep="privacy.keep",
            min_patients="privacy.min_patients",
        ),
    script:
        "../scripts/frequencies.py"


rule selection:
    input:
        "results/frequencies.parquet",
    output:
        "results/selection.parquet",
    log:
        "logs/selection.log",
    benchmark:
        "results/benchmarks/selection.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe("selection", rules.frequencies, select="select"),
    script:
        "../scripts/selection.py"


rule encoding:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        frequencies="results/frequencies.parquet",
        selection="results/selection.parquet",
    output:
        encoding="results/encoding.json",
        unmapped="results/unmapped.parquet",
    log:
        "logs/encoding.log",
    benchmark:
        "results/benchmarks/encoding.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 8
    resources:
        mem_mb=memory_archive,
        runtime=minutes(30, per_gb=60),
    params:
        **recipe(
            "encoding",
            rules.selection,
            distance="gower.distance",
            presence_weight="gower.presence_weight",
            min_patients="privacy.min_patients",
            key_file="privacy.key_file",
        ),
    script:
        "../scripts/encoding.py"


rule features:
    input:
        tags="results/tags/{shard}.parquet",
        encoding="results/encoding.json",
    output:
        "results/features/{shard}.parquet",
    log:
        "logs/features/{shard}.log",
    benchmark:
        "results/benchmarks/features/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 2
    resources:
        mem_mb=memory_archive,
    params:
        **recipe("features", rules.encoding, key_file="privacy.key_file"),
    script:
        "../scripts/features.py"
