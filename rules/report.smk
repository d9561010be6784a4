"""The page.

Needs all of the above. Leaves the figures, and one page that holds them and says what they mean.
"""

FIGURES = [
    "flow.svg",
    "silhouettes.svg",
    "choice.svg",
    "training.svg",
    "reconstructions.png",
    "explained.svg",
    "gallery.png",
]


rule figures:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        samples=expand("results/samples/{sample}.parquet", sample=SAMPLES),
        selection="results/selection.parquet",
        encoding="results/encoding.json",
        clusters="results/clusters/tuning.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        images="results/images/tuning.npy",
        fates="results/images/tuning.parquet",
        learned="results/images/autoencoder.npy",
        weights="results/autoencoder.safetensors",
        training="results/training.parquet",
        evaluation="results/evaluation.json",
    output:
        multiext("results/figures/", *FIGURES),
    log:
        "logs/figures.log",
    benchmark:
        "results/benchmarks/figures.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 4000,
    params:
        **recipe(
            "figures",
            rules.evaluation,
            rules.cards,
            preset="autoencoder.preset",
            gallery="report.gallery",
            seed="seed",
        ),
    script:
        "../scripts/figures.py"


rule report:
    input:
        rules.figures.output,
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        frequencies="results/frequencies.parquet",
        selection="results/selection.parquet",
        unmapped="results/unmapped.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        evaluation="results/evaluation.json",
        agreement="results/agreement.json",
        annotations="results/annotations.csv",
    output:
        page="results/report/index.html",
        result="results/report/result.txt",
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe("report", rules.figures, rules.agreement, rules.annotations_csv),
    script:
        "../scripts/report.py"
