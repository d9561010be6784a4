"""What the labels are, and the label of every image.

Needs the clusters, the choice of their number and the features of every shard. Leaves the medoids, and
which images of the tuning sample they are nearest to (medoids), in a tree the cluster of every image
of the archive (nearest) and what the images of each cluster are (composition); what each label is, in a
flat run each cluster, and a rule that tells it from the others (cards), how they agree with outside
labels (agreement), and the label of every image, in a tree with the share of bootstraps that keep it
(annotations). Of a flat run also which clusters live inside those of a smaller K (nesting).
"""


rule medoids:
    input:
        clusters="results/clusters/tuning.parquet",
        sample="results/samples/tuning.parquet",
        encoding=ENCODING,
        choice="results/choice.json",
        content=CONTENT,
        features=expand(
            "results/features/{shard}.parquet",
            shard=branch(config["cluster"]["on"] == "all", then=SHARDS),
        ),
    output:
        medoids="results/medoids.parquet",
        members="results/members.parquet",
        search="results/search.parquet",
    log:
        "logs/medoids.log",
    benchmark:
        "results/benchmarks/medoids.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_search
    resources:
        mem_mb=memory_search,
        runtime=minutes_search,
    params:
        **recipe(
            "medoids",
            rules.choice,
            on="cluster.on",
            weight="cluster.weight",
            candidates="cluster.candidates",
            ranges="gower.ranges",
            seed="seed",
        ),
        # A search can go on where one of fewer candidates ended.
        search=recipe.without_upstream(
            "medoids", weight="cluster.weight", ranges="gower.ranges", seed="seed"
        ),
    script:
        "../scripts/medoids.py"


rule nearest:
    input:
        features="results/features/{shard}.parquet",
        sample="results/samples/tuning.parquet",
        others=expand("results/samples/{sample}.parquet", sample=["holdout", *TRIALS]),
        medoids="results/medoids.parquet",
        encoding=ENCODING,
    output:
        "results/nearest/{shard}.parquet",
    log:
        "logs/nearest/{shard}.log",
    benchmark:
        "results/benchmarks/nearest/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_rows(2500, of="features"),
        runtime=minutes(per_million=15, of="features", together=True),
        batch=1,
    params:
        **recipe("nearest", rules.medoids, ranges="gower.ranges"),
    script:
        "../scripts/nearest.py"


rule composition:
    input:
        nearest=expand("results/nearest/{shard}.parquet", shard=SHARDS),
        content=CONTENT,
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
    output:
        "results/composition.parquet",
    log:
        "logs/composition.log",
    benchmark:
        "results/benchmarks/composition.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(4)
    resources:
        mem_mb=memory_rows(1200),
        runtime=minutes(per_million=1),
    params:
        **recipe("composition", rules.nearest),
    script:
        "../scripts/composition.py"


rule cards:
    input:
        clusters="results/clusters/tuning.parquet",
        members="results/members.parquet",
        medoids="results/medoids.parquet",
        sample="results/samples/tuning.parquet",
        holdout="results/samples/holdout.parquet",
        encoding=ENCODING,
        choice="results/choice.json",
        stability="results/stability.json",
        composition=branch(TREE, then="results/composition.parquet"),
    output:
        cards=shown("results/cards.json", "Tables"),
        rules=shown("results/rules.yaml", "Tables"),
    log:
        "logs/cards.log",
    benchmark:
        "results/benchmarks/cards.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe(
            "cards",
            rules.stability,
            rules.composition if TREE else rules.medoids,
            min_patients="privacy.min_patients",
            ranges="gower.ranges",
            **TABLES,
        ),
    script:
        "../scripts/cards.py"


rule nesting:
    input:
        "results/members.parquet",
    output:
        "results/nesting.json",
    log:
        "logs/nesting.log",
    benchmark:
        "results/benchmarks/nesting.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe("nesting", rules.medoids),
    script:
        "../scripts/nesting.py"


rule agreement:
    input:
        members="results/members.parquet",
        sample="results/samples/tuning.parquet",
        encoding=ENCODING,
        choice="results/choice.json",
        cards=branch(TREE, then="results/cards.json"),
    output:
        shown("results/agreement.json", "Tables"),
    log:
        "logs/agreement.log",
    benchmark:
        "results/benchmarks/agreement.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_square,
        runtime=minutes_square(),
    params:
        **recipe(
            "agreement",
            rules.cards if TREE else rules.medoids,
            **GRID,
            algorithm="cluster.algorithm",
            ranges="gower.ranges",
            weight="cluster.weight",
        ),
    script:
        "../scripts/agreement.py"


rule annotations:
    input:
        nearest=branch(TREE, then="results/nearest/{shard}.parquet"),
        content=branch(TREE, then="results/content/{shard}.parquet"),
        features="results/features/{shard}.parquet",
        tags="results/tags/{shard}.parquet",
        sample="results/samples/tuning.parquet",
        medoids="results/medoids.parquet",
        members=branch(TREE, then="results/members.parquet"),
        bootstraps=branch(TREE, then="results/bootstraps.parquet"),
        choice="results/choice.json",
        encoding=ENCODING,
        cards="results/cards.json",
    output:
        "results/annotations/{shard}.parquet",
    log:
        "logs/annotations/{shard}.log",
    benchmark:
        "results/benchmarks/annotations/{shard}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_rows(3000),
        runtime=minutes(per_million=15, together=True),
        batch=1,
    params:
        **recipe(
            "annotations",
            rules.cards,
            ranges="gower.ranges",
            body_parts="tags.body_parts",
        ),
    script:
        "../scripts/annotations.py"


rule annotations_csv:
    input:
        expand("results/annotations/{shard}.parquet", shard=SHARDS),
    output:
        shown("results/annotations.csv", "Tables"),
    log:
        "logs/annotations_csv.log",
    benchmark:
        "results/benchmarks/annotations_csv.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_archive(2)
    resources:
        mem_mb=memory_rows(500),
        runtime=minutes(per_million=1),
    params:
        **recipe("annotations_csv", rules.annotations, mask_paths="privacy.mask_paths"),
    script:
        "../scripts/annotations_csv.py"
