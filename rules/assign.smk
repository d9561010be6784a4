"""New images later.

Needs a finished run and `assign.input`, a folder or list of new DICOM files, or of a run on a ready
table a new table. Leaves the label of each image in them, and whether it fits (assign). Asked for
by name alone: `snakemake … assign`.

The run's files are no inputs here, so that Snakemake can't make any of them anew, whatever has
changed in the config or the archive since. The script looks whether they are all there and belong
together. Neither are the new files watched: what is asked for is done, so that a folder that has
grown is gone through again; what was read of it before is not read again.
"""

import time


rule assign:
    output:
        table="results/assign.parquet",
        csv="results/assign.csv",
        summary="results/assign.json",
        rejected="results/assign_rejected.csv",
    log:
        "logs/assign.log",
    benchmark:
        "results/benchmarks/assign.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes_found,
    params:
        **recipe(
            "assign",
            archive="assign.input",
            sites="input",
            shards="tags.shards",
            body_parts="tags.body_parts",
            tables="labels.tables",
            **WORDS,
            **FACETS,
            ranges="gower.ranges",
            weights="gower.weights",
            key_file="privacy.key_file",
            mask_paths="privacy.mask_paths",
            seed="seed",
        ),
        store=recipe.without_upstream("assign", body_parts="tags.body_parts", **WORDS, **FACETS),
        # Another value each time: what is asked for by name is done, as nothing watches new files.
        always=lambda wildcards: time.time(),
    script:
        "../scripts/assign.py"
