"""The page.

Needs all of the above. Leaves how much the run saw at each stage (counts), the figures, and one
page that holds them and says what they mean.
"""


rule counts:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        samples=expand("results/samples/{sample}.parquet", sample=SAMPLES),
        fates=expand("results/images/{sample}.parquet", sample=["tuning", "autoencoder", *TRIALS]),
        selection="results/selection.parquet",
        encoding="results/encoding.json",
    output:
        "results/counts.json",
    log:
        "logs/counts.log",
    benchmark:
        "results/benchmarks/counts.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 2
    resources:
        mem_mb=memory_archive,
    params:
        **recipe("counts", rules.images, rules.samples),
    script:
        "../scripts/counts.py"


GALLERY = {"gallery": "report.gallery", "burned_in": "report.burned_in", "seed": "seed"}
FIGURES = ["flow.svg", "silhouettes.svg", "choice.svg", "training.svg", "explained.svg"]


rule figures:
    input:
        counts="results/counts.json",
        clusters="results/clusters/tuning.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        images="results/images/tuning.npy",
        fates="results/images/tuning.parquet",
        weights="results/autoencoder.safetensors",
        training="results/training.parquet",
        evaluation="results/evaluation.json",
    output:
        multiext("results/figures/", *FIGURES, "reconstructions.png", "gallery.png"),
    log:
        "logs/figures.log",
    benchmark:
        "results/benchmarks/figures.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=memory_images,
    params:
        **recipe(
            "figures",
            rules.counts,
            rules.evaluation,
            rules.cards,
            preset="autoencoder.preset",
            tolerance="choose.tolerance",
            **GALLERY,
        ),
    script:
        "../scripts/figures.py"


rule report:
    input:
        figures=rules.figures.output,
        counts="results/counts.json",
        frequencies="results/frequencies.parquet",
        selection="results/selection.parquet",
        unmapped="results/unmapped.parquet",
        encoding="results/encoding.json",
        training="results/training.parquet",
        clusters="results/clusters/tuning.parquet",
        images="results/images/tuning.npy",
        fates="results/images/tuning.parquet",
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
            rules.agreement,
            rules.annotations_csv,
            **GALLERY,
        ),
    script:
        "../scripts/report.py"
