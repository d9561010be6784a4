"""Clusters.

Needs the samples and the encoding. Leaves the clusters of a sample for the whole grid of K
(clusters), the K to use and why, in a tree the number of clusters of each kind (choice), which
clusters are found again in other patients, and in a tree the leaves of each bootstrap of patients
(stability).
"""

# Keys that only flat runs read.
GRID = {} if TREE else {"k": "cluster.k"}
CHOOSING = {} if TREE else {"rule": "choose.rule", "tolerance": "choose.tolerance"}


rule clusters:
    input:
        sample="results/samples/{sample}.parquet",
        encoding=ENCODING,
    output:
        "results/clusters/{sample}.parquet",
    log:
        "logs/clusters/{sample}.log",
    benchmark:
        "results/benchmarks/clusters/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_square,
        runtime=minutes_square(together=True),
        batch=1,
    params:
        **recipe(
            "clusters",
            rules.weighted if LEARNED else rules.samples,
            labels="labels.count",
            **GRID,
            algorithm="cluster.algorithm",
            ranges="gower.ranges",
            weight="cluster.weight",
        ),
    script:
        "../scripts/clusters.py"


rule distances:
    input:
        sample="results/samples/{sample}.parquet",
        encoding=ENCODING,
    output:
        "results/distances/{sample}.npy",
    log:
        "logs/distances/{sample}.log",
    benchmark:
        "results/benchmarks/distances/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_square,
        runtime=minutes_square(),
    params:
        **recipe("distances", rules.weighted if LEARNED else rules.samples, ranges="gower.ranges"),
    script:
        "../scripts/distances.py"


rule choice:
    input:
        clusters="results/clusters/tuning.parquet",
        tuning="results/samples/tuning.parquet",
        holdout="results/samples/holdout.parquet",
        encoding=ENCODING,
    output:
        shown("results/choice.json", "Tables"),
    log:
        "logs/choice.log",
    benchmark:
        "results/benchmarks/choice.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(2)
    params:
        **recipe(
            "choice",
            rules.clusters,
            labels="labels.count",
            **CHOOSING,
            ranges="gower.ranges",
            weight="cluster.weight",
        ),
    script:
        "../scripts/choice.py"


STABLE = ["tuning", "holdout", *([] if TREE else TRIALS)]
BOOTSTRAPS = {"bootstraps": "results/bootstraps.parquet"} if TREE else {}


rule stability:
    input:
        clusters=expand("results/clusters/{sample}.parquet", sample=STABLE),
        samples=expand("results/samples/{sample}.parquet", sample=STABLE),
        encoding=ENCODING,
        choice="results/choice.json",
    output:
        **BOOTSTRAPS,
        stability="results/stability.json",
    log:
        "logs/stability.log",
    benchmark:
        "results/benchmarks/stability.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_square,
        runtime=minutes_square(),
    params:
        **recipe(
            "stability",
            rules.choice,
            **GRID,
            algorithm="cluster.algorithm",
            weight="cluster.weight",
            bootstraps="stability.bootstraps",
            ranges="gower.ranges",
            seed="seed",
        ),
    script:
        "../scripts/stability.py"
