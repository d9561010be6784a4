"""The page.

Needs all of the above. Leaves how much the run saw at each stage (counts), the figures, and one
page that holds them and says what they mean.
"""


rule counts:
    input:
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        rejected=expand("results/rejected/{shard}.parquet", shard=SHARDS),
        samples=expand("results/samples/{sample}.parquet", sample=SAMPLES),
        fates=expand(
            "results/images/{sample}.parquet",
            sample=branch(LOOKS, then=["tuning", "autoencoder", *TRIALS]),
        ),
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
    threads: threads_archive(2)
    params:
        **recipe("counts", *branch(LOOKS, then=[rules.images]), rules.samples),
    script:
        "../scripts/counts.py"


GALLERY = {
    "gallery": "report.gallery",
    "burned_in": "report.burned_in",
    "least": "privacy.min_patients",
    "seed": "seed",
}
FIGURES = ["flow.svg", "silhouettes.svg", "choice.svg"]
FIGURES += branch(TREE, then=["tree.svg"], otherwise=["nesting.svg"])
FIGURES += branch(
    LOOKS, then=["training.svg", "explained.svg", "reconstructions.png", "gallery.png"]
)


rule figures:
    input:
        images=branch(LOOKS, then="results/images/tuning.npy"),
        fates=branch(LOOKS, then="results/images/tuning.parquet"),
        training=branch(LOOKS, then="results/training.parquet"),
        evaluation=branch(LOOKS, then="results/evaluation.json"),
        counts="results/counts.json",
        clusters="results/members.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        encoding="results/encoding.json",
        nesting=branch(not TREE, then="results/nesting.json"),
        weights=branch(LOOKS, then=["results/autoencoder.safetensors"]),
    output:
        [shown(path, "Figures") for path in multiext("results/figures/", *FIGURES)],
    log:
        "logs/figures.log",
    benchmark:
        "results/benchmarks/figures.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe(
            "figures",
            rules.counts,
            *branch(LOOKS, then=[rules.evaluation]),
            rules.cards,
            *branch(not TREE, then=[rules.nesting]),
            preset="autoencoder.preset",
            tolerance="choose.tolerance",
            **GALLERY,
        ),
    script:
        "../scripts/figures.py"


TOLD = [rules.figures, rules.agreement, rules.annotations_csv]
TOLD += branch(TREE, then=[rules.facets])
TOLD += branch(SITES, then=[rules.sites])
TOLD += branch(config["report"]["worth"], then=[rules.worth])


rule report:
    input:
        images=branch(LOOKS, then="results/images/tuning.npy"),
        fates=branch(LOOKS, then="results/images/tuning.parquet"),
        training=branch(LOOKS, then="results/training.parquet"),
        evaluation=branch(LOOKS, then="results/evaluation.json"),
        figures=rules.figures.output,
        draws="results/draws.json",
        counts="results/counts.json",
        frequencies="results/frequencies.parquet",
        selection="results/selection.parquet",
        unmapped="results/unmapped.parquet",
        encoding=ENCODING,
        clusters="results/members.parquet",
        choice="results/choice.json",
        cards="results/cards.json",
        rules="results/rules.yaml",
        agreement="results/agreement.json",
        stability="results/stability.json",
        facets=branch(TREE, then="results/facets.json"),
        nesting=branch(not TREE, then="results/nesting.json"),
        sites=branch(SITES, then="results/sites.json"),
        worth=branch(config["report"]["worth"], then="results/worth.json"),
        annotations="results/annotations.csv",
    output:
        page=shown("results/report/index.html", "Page"),
        result="results/report/result.txt",
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe("report", *TOLD, **GALLERY),
    script:
        "../scripts/report.py"
