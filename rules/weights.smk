"""Weights learned from looks (gower.weights: looks).

Needs the sample that the autoencoder learned from, and its descriptions. Leaves the encoding with
the weights by which its distances come nearest to those of looks (weighted). Labels are then not of
tags alone, as the page says; no patient of a trial takes part.
"""

LEARNED = config["gower"]["weights"] == "looks"
ENCODING = "results/weighted.json" if LEARNED else "results/encoding.json"


rule weighted:
    input:
        sample="results/samples/autoencoder.parquet",
        embeddings="results/embeddings/autoencoder.npy",
        encoding="results/encoding.json",
    output:
        "results/weighted.json",
    log:
        "logs/weighted.log",
    benchmark:
        "results/benchmarks/weighted.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_images,
        runtime=minutes(),
    params:
        **recipe("weighted", rules.embeddings, rules.samples, ranges="gower.ranges", seed="seed"),
    script:
        "../scripts/weighted.py"
