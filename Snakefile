"""tagsight: DICOM files in; a label for every image, and whether images of a label look alike, out.

    snakemake -c2 --configfile config/demo.yaml     the demo
    snakemake -c8 --configfile mine.yaml            your archive: mine.yaml says `input: /path`
    snakemake --profile slurm --configfile mine.yaml

Files under results/: docs/architecture.md. Config keys: config/README.md. Reruns: docs/reruns.md.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.current_basedir}/config/config.yaml"


report: "docs/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/closing.smk"


rule all:
    input:
        "results/report/index.html",
        "results/annotations.csv",
        "results/labels.parquet",
        "results/rejected.csv",
        "results/agreement.json",
        branch(LOOKS, then="results/evaluation.json"),
        branch(SITES, then="results/sites.json"),


include: "rules/demo.smk"
include: "rules/reading.smk" if LOOKS else "rules/table.smk"
include: "rules/content.smk"
include: "rules/tags.smk"
include: "rules/samples.smk"
include: "rules/images.smk"
include: "rules/weights.smk"
include: "rules/clusters.smk"
include: "rules/annotations.smk"
include: "rules/handover.smk"
include: "rules/evaluation.smk"
include: "rules/worth.smk"
include: "rules/report.smk"
include: "rules/assign.smk"


# Jobs find the folder of results, in which they tidy up, by its name.
if not rules.report.output.page.endswith("results/report/index.html"):
    raise WorkflowError("tagsight is imported with `prefix`, not with `replace_prefix`")
