"""The page.

Needs all of the above. Leaves the figures, and one page that holds them and says what they mean.
"""


rule figures:
    input:
        files=expand("results/files/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        selection="results/selection.parquet",
        encoding="results/encoding.json",
        samples=expand("results/samples/{sample}.parquet", sample=SAMPLES),
        clusters="results/clusters/tuning.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        images="results/images/tuning.npy",
        fates="results/images/tuning.parquet",
        training="results/training.parquet",
        weights="results/autoencoder.safetensors",
        learned="results/images/autoencoder.npy",
        evaluation="results/evaluation.json",
    output:
        flow="results/figures/flow.svg",
        silhouettes="results/figures/silhouettes.svg",
        choice="results/figures/choice.svg",
        training="results/figures/training.svg",
        reconstructions="results/figures/reconstructions.png",
        explained="results/figures/explained.svg",
        gallery="results/figures/gallery.png",
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
            rules.files,
            rules.tags,
            rules.selection,
            rules.encoding,
            rules.samples,
            rules.clusters,
            rules.choice,
            rules.cards,
            rules.images,
            rules.autoencoder,
            rules.evaluation,
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
        **recipe(
            "report",
            rules.figures,
            rules.tags,
            rules.frequencies,
            rules.selection,
            rules.encoding,
            rules.choice,
            rules.cards,
            rules.evaluation,
            rules.agreement,
            rules.annotations_csv,
        ),
    script:
        "../scripts/report.py"
