"""From a ready table to tags.

Needs a table of tags, a row an image or a series (tags.table). Leaves what was found in it (table),
and what is left of files where these are read: the tags of each row in shards, with identifiers as
keyed hashes alone, and no file that was not taken.
"""


rule table:
    input:
        local(config["tags"]["table"]),  # from the working folder, whatever the prefix of a module
    output:
        found="results/table.json",
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
    log:
        "logs/table.log",
    benchmark:
        "results/benchmarks/table.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_table,
        runtime=minutes_table,
    params:
        **recipe(
            "table",
            columns="tags.columns",
            split="tags.split",
            draw="tags.draw",
            derive_text="tags.derive_text",
            shards="tags.shards",
            keep="privacy.keep",
            key_file="privacy.key_file",
            seed="seed",
            **DERIVING,
            **FACETS,
        ),
    script:
        "../scripts/table.py"
