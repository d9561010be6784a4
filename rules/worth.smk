"""What labels are worth.

Needs the labels of all images, the pictures of the tuning and the autoencoder's sample, whose patients
are in no trial, and those of the trials. Leaves how much of what is to be told of images a network that
learned labels tells right in other patients, beside networks that learned modality, flat clusters or
nothing (worth). Asked for by name, or by `report.worth`, which has it on the page too.
"""

LEARNED_FROM = ["tuning", "autoencoder"]
# What flat clusters of the same images are made with, beside the labels of a tree.
FLATLY = {
    "select": "select",
    "distance": "gower.distance",
    "presence_weight": "gower.presence_weight",
    "scale": "gower.scale",
    "weights": "gower.weights",
    "min_patients": "privacy.min_patients",
    "key_file": "privacy.key_file",
    "weight": "cluster.weight",
}
WORTH_LABELS = config["worth"]["labels"]

PICTURES = expand("results/images/{sample}.npy", sample=[*LEARNED_FROM, *TRIALS])
NO_PIXELS = "worth: a ready table of tags (tags.table) has no pixels to learn from"


rule worth:
    input:
        # The pictures to learn from come first.
        images=lambda wildcards: PICTURES if LOOKS else sys.exit(NO_PIXELS),
        fates=expand("results/images/{sample}.parquet", sample=[*LEARNED_FROM, *TRIALS]),
        samples=expand("results/samples/{sample}.parquet", sample=[*LEARNED_FROM, *TRIALS]),
        annotations=expand("results/annotations/{shard}.parquet", shard=SHARDS),
        tags=expand("results/tags/{shard}.parquet", shard=SHARDS),
        frequencies="results/frequencies.parquet",
        selection="results/selection.parquet",
        encoding=ENCODING,
        labels=branch(WORTH_LABELS, then=local(str(WORTH_LABELS))),
    output:
        shown("results/worth.json", "Tables"),
    log:
        "logs/worth.log",
    benchmark:
        "results/benchmarks/worth.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 8
    resources:
        mem_mb=memory_trial,
        runtime=minutes_training,
    params:
        **recipe(
            "worth",
            rules.annotations,
            rules.images,
            target="worth.target",
            table="worth.labels",
            body_parts="tags.body_parts",
            **(FLATLY if TREE else {}),
            seed="seed",
        ),
    script:
        "../scripts/worth.py"
