"""From tags to features.

Needs the tags of every shard, in a tree their content too. Leaves how often each tag is filled
(frequencies), in a tree inside each kind (kinds), which tags are used and why (selection), how they
become columns (encoding), and for every shard the images as rows of numbers and categories (features).
"""

CONTENT = branch(TREE, then=expand("results/content/{shard}.parquet", shard=SHARDS))


rule frequencies:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        # Asked for here, so that in a folder where files were read before it is missing, and the table
        # is dealt: Snakemake looks at no params of a job that lacks an output nobody asks for.
        ready=branch(LOOKS, otherwise="results/table.json"),
    output:
        "results/frequencies.parquet",
    log:
        "logs/frequencies.log",
    benchmark:
        "results/benchmarks/frequencies.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(8)
    resources:
        mem_mb=memory_size(5),
        runtime=minutes(per_million=1),
    params:
        **recipe(
            "frequencies",
            rules.tags if LOOKS else rules.table,
            reject_limit="tags.reject_limit",
            keep="privacy.keep",
            min_patients="privacy.min_patients",
        ),
    script:
        "../scripts/frequencies.py"


rule kinds:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=expand("results/content/{shard}.parquet", shard=SHARDS),
        frequencies="results/frequencies.parquet",
    output:
        "results/kinds.parquet",
    log:
        "logs/kinds.log",
    benchmark:
        "results/benchmarks/kinds.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(8)
    resources:
        mem_mb=memory_size(3),
        runtime=minutes(per_million=1),
    params:
        **recipe("kinds", rules.frequencies, rules.content),
    script:
        "../scripts/kinds.py"


# The seed draws the sample that methods other than `missing` look at.
SAMPLED = {} if config["select"]["method"] == "missing" else {"seed": "seed"}


rule selection:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
        frequencies="results/frequencies.parquet",
        kinds=branch(TREE, then="results/kinds.parquet"),
    output:
        "results/selection.parquet",
    log:
        "logs/selection.log",
    benchmark:
        "results/benchmarks/selection.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    params:
        **recipe(
            "selection",
            rules.kinds if TREE else rules.frequencies,
            tree="labels.tree",
            roles="labels.roles",
            tables="labels.tables",
            select="select",
            body_parts="tags.body_parts",
            **SAMPLED,
        ),
    script:
        "../scripts/selection.py"


rule encoding:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
        frequencies="results/frequencies.parquet",
        kinds=branch(TREE, then="results/kinds.parquet"),
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
    threads: threads_archive(8)
    resources:
        mem_mb=memory_size(3),
        runtime=minutes(per_million=1),
    params:
        **recipe(
            "encoding",
            rules.selection,
            tree="labels.tree",
            region_weight="labels.region_weight",
            facets_weight="labels.facets_weight",
            distance="gower.distance",
            presence_weight="gower.presence_weight",
            scale="gower.scale",
            weights="gower.weights",
            body_parts="tags.body_parts",
            min_patients="privacy.min_patients",
            key_file="privacy.key_file",
        ),
    script:
        "../scripts/encoding.py"


rule features:
    input:
        tags="results/tags/{shard}.parquet",
        content=branch(TREE, then="results/content/{shard}.parquet"),
        encoding="results/encoding.json",
    output:
        "results/features/{shard}.parquet",
    log:
        "logs/features/{shard}.log",
    benchmark:
        "results/benchmarks/features/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_rows(2000),
        runtime=minutes(together=True),
        batch=1,
    params:
        **recipe(
            "features", rules.encoding, body_parts="tags.body_parts", key_file="privacy.key_file"
        ),
    script:
        "../scripts/features.py"
