"""The test.

Needs embeddings of the trials and of the tuning sample, what other eyes see in them, and the labels of
all images; in a flat run also each trial's clusters at the chosen K. Leaves, for each trial, how far images are from the centre
of their label, as the paper has it (trials), and over all trials how much labels, and groups to compare
them with, explain of the distance between images of different patients (evaluation).
"""

EYES = config["eyes"][1:]  # beside the autoencoder
ANNOTATIONS = expand("results/annotations/{shard}.parquet", shard=SHARDS)


rule trials:
    input:
        embeddings="results/embeddings/{sample}.npy",
        fates="results/images/{sample}.parquet",
        clusters=branch(not TREE, then="results/clusters/{sample}.parquet"),
        annotations=branch(TREE, then=ANNOTATIONS),
        sample="results/samples/{sample}.parquet",
        choice="results/choice.json",
    output:
        "results/trials/{sample}.parquet",
    log:
        "logs/trials/{sample}.log",
    benchmark:
        "results/benchmarks/trials/{sample}.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: threads_sample(4)
    resources:
        mem_mb=memory_trial,
        runtime=minutes_square(together=True),
        batch=1,
    params:
        **recipe(
            "trials",
            rules.embeddings,
            rules.annotations if TREE else rules.choice,
            permutations="evaluation.permutations",
            seed="seed",
        ),
    script:
        "../scripts/trials.py"


rule evaluation:
    input:
        trials=expand("results/trials/{sample}.parquet", sample=TRIALS),
        embeddings=expand("results/embeddings/{sample}.npy", sample=TRIALS),
        samples=expand("results/samples/{sample}.parquet", sample=TRIALS),
        tuning="results/embeddings/tuning.npy",
        sights=branch(
            EYES, then=expand("results/sights/{sample}.safetensors", sample=["tuning", *TRIALS])
        ),
        annotations=ANNOTATIONS,
    output:
        shown("results/evaluation.json", "Tables"),
    log:
        "logs/evaluation.log",
    benchmark:
        "results/benchmarks/evaluation.tsv"
    conda:
        "../envs/tagsight.yaml"
    resources:
        mem_mb=memory_pairs,
        runtime=minutes_pairs,
    params:
        **recipe(
            "evaluation",
            rules.trials,
            rules.annotations,
            *([rules.sights] if EYES else []),
        ),
    script:
        "../scripts/evaluation.py"
