"""The test.

Needs embeddings of the trials and their labels, in a flat run their clusters at the chosen K. Leaves,
for each trial, how far images are from the centre of their label under each labelling and each null
(trials), and over all trials whether and by how much that is less than chance (evaluation).
"""


rule trials:
    input:
        embeddings="results/embeddings/{sample}.npy",
        fates="results/images/{sample}.parquet",
        clusters=branch(not TREE, then="results/clusters/{sample}.parquet"),
        medoids=branch(TREE, then="results/medoids.parquet"),
        cards=branch(TREE, then="results/cards.json"),
        encoding=branch(TREE, then=ENCODING),
        tuning=branch(TREE, then="results/samples/tuning.parquet"),
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
        runtime=minutes_square,
    params:
        **recipe(
            "trials",
            rules.embeddings,
            rules.cards if TREE else rules.choice,
            permutations="evaluation.permutations",
            ranges="gower.ranges",
            seed="seed",
        ),
    script:
        "../scripts/trials.py"


rule evaluation:
    input:
        expand("results/trials/{sample}.parquet", sample=TRIALS),
    output:
        shown("results/evaluation.json", "Tables"),
    log:
        "logs/evaluation.log",
    benchmark:
        "results/benchmarks/evaluation.tsv"
    conda:
        "../envs/tagsight.yaml"
    params:
        **recipe("evaluation", rules.trials),
    script:
        "../scripts/evaluation.py"
