"""What was imaged.

Needs the tags of every shard. Leaves what each image is in words (content): its kind, which region
of the body it shows, and how it was taken; and how these words agree with those of descriptions that
they were not made of (facets). Of a flat run (labels.tree: false) nothing asks for them.
"""

# What was imaged is told by these tables; of the roles of tags only their selection reads.
TABLES = {
    name: f"labels.tables.{name}" for name in ("kinds", "regions", "kernels", "facets", "words")
}


rule content:
    input:
        "results/tags/{shard}.parquet",
    output:
        "results/content/{shard}.parquet",
    log:
        "logs/content/{shard}.log",
    benchmark:
        "results/benchmarks/content/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_rows(1500),
        runtime=minutes(together=True),
        batch=1,
    params:
        **recipe(
            "content",
            rules.tags if LOOKS else rules.table,
            body_parts="tags.body_parts",
            **TABLES,
        ),
    script:
        "../scripts/content.py"


rule facets:
    input:
        expand("results/tags/{shard}.parquet", shard=SHARDS),
    output:
        shown("results/facets.json", "Tables"),
    log:
        "logs/facets.log",
    benchmark:
        "results/benchmarks/facets.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_size(6),
        runtime=minutes(per_million=1),
    params:
        **recipe(
            "facets",
            rules.tags if LOOKS else rules.table,
            body_parts="tags.body_parts",
            **TABLES,
        ),
    script:
        "../scripts/facets.py"
