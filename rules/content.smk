"""What was imaged.

Needs the tags of every shard. Leaves what each image is in words (content): its kind, which region
of the body it shows, and how it was taken. Of a flat run (labels.tree: false) nothing asks for it.
"""


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
        mem_mb=memory_archive,
    params:
        **recipe(
            "content",
            rules.tags if LOOKS else rules.table,
            tables="labels.tables",
            body_parts="tags.body_parts",
        ),
    script:
        "../scripts/content.py"
