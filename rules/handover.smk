"""What users take home.

Needs the annotations of every shard, its tags, and the archive. Leaves the labels of all images with
their UIDs as they are, for those on site alone (labels), a list of the files that were not taken
(rejected_csv), where the archive is of several sites which labels are found at which, and whether
labels are sites (sites) and, asked for by name alone, what a network is trained on: a list of images
whose splits share no patient, and a folder of links to them (manifest).
"""


rule rejected_csv:
    input:
        expand("results/rejected/{shard}.parquet", shard=SHARDS),
    output:
        "results/rejected.csv",
    log:
        "logs/rejected_csv.log",
    benchmark:
        "results/benchmarks/rejected_csv.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe(
            "rejected_csv",
            rules.tags if LOOKS else rules.table,
            mask_paths="privacy.mask_paths",
        ),
    script:
        "../scripts/rejected_csv.py"


rule labels:
    input:
        annotations=expand("results/annotations/{shard}.parquet", shard=SHARDS),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
    output:
        "results/labels.parquet",
    log:
        "logs/labels.log",
    benchmark:
        "results/benchmarks/labels.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(700),
        runtime=minutes(per_million=20 if LOOKS else 1),
        reading=1,
    params:
        **recipe(
            "labels",
            rules.annotations,
            table="tags.table",
            columns="tags.columns",
            key_file="privacy.key_file",
        ),
    script:
        "../scripts/labels.py"


rule manifest:
    input:
        annotations=expand("results/annotations/{shard}.parquet", shard=SHARDS),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
    output:
        table="results/manifest.csv",
        links=directory("results/manifest/links"),
    log:
        "logs/manifest.log",
    benchmark:
        "results/benchmarks/manifest.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(700),
        runtime=minutes(per_million=1),
    params:
        **recipe(
            "manifest",
            rules.annotations,
            per_label="manifest.per_label",
            train="manifest.train",
            validation="manifest.validation",
            test="manifest.test",
            seed="seed",
        ),
    script:
        "../scripts/manifest.py"


# What labels are made by: `sites` makes those of a sample anew, of tags of all roles.
MADE_BY = {
    "roles": "labels.roles",
    "tables": "labels.tables",
    "select": "select",
    "gower": "gower",
    "algorithm": "cluster.algorithm",
    "weight": "cluster.weight",
    **SAMPLED,
}


rule sites:
    input:
        annotations=expand("results/annotations/{shard}.parquet", shard=SHARDS),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
        sample="results/samples/tuning.parquet",
    output:
        shown("results/sites.json", "Tables"),
    log:
        "logs/sites.log",
    benchmark:
        "results/benchmarks/sites.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(800),
        runtime=minutes(per_million=3),
    params:
        **recipe(
            "sites",
            rules.annotations,
            tree="labels.tree",
            body_parts="tags.body_parts",
            keep="privacy.keep",
            min_patients="privacy.min_patients",
            key_file="privacy.key_file",
            **MADE_BY,
        ),
    script:
        "../scripts/sites.py"
