"""The demo archive.

Needs nothing, and runs only where the config says `demo`. Leaves results/demo/archive, a folder of
DICOM files of invented patients with pydicom's own test files among them, the truth that was planted
in it (read by tests alone), and a key that is no secret, so that two runs of the demo are the same to
the byte.
"""


rule demo:
    output:
        archive=directory("results/demo/archive"),
        truth="results/demo/truth.parquet",
        key="results/demo/key",
    log:
        "logs/demo.log",
    benchmark:
        "results/benchmarks/demo.tsv"
    conda:
        "../envs/tagsight.yaml"
    threads: 8
    resources:
        mem_mb=memory(100),
        runtime=minutes(10),
    params:
        **recipe("demo", patients="demo.patients", images="demo.images", seed="seed"),
    script:
        "../scripts/demo.py"
