"""From files to tags.

Needs the archive. Leaves, for every shard of it, the files found (files), and the tags of each
image (tags) with what was not taken and why (rejected). Where there is a ready table of tags,
rules/table.smk stands in its place.
"""


rule files:
    input:
        archive,
    output:
        expand("results/files/{shard}.parquet", shard=SHARDS),
    log:
        "logs/files.log",
    benchmark:
        "results/benchmarks/files.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=memory(0),
        runtime=minutes_found,
        reading=1,
    params:
        **recipe(
            "files",
            *branch(config["demo"], then=[rules.demo]),
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
    **DERIVING,
    **FACETS,
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
        mem_mb=memory_rows(2500),
        runtime=minutes_read,
        reading=1,
    params:
        **recipe(
            "tags",
            rules.files,
            archive="input",
            key_file="privacy.key_file",
            **WANTED,
        ),
        store=recipe.without_upstream("tags", **WANTED),
    script:
        "../scripts/tags.py"
