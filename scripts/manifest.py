"""List images to train on, with splits that share no patient, and link to their files."""

from pathlib import Path

from tagsight.handover.manifest import link, manifest
from tagsight.run.atomic import writing
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.run.tables import scan

with logged(snakemake):
    params, inputs, out = snakemake.params, snakemake.input, snakemake.output
    undrawable = scan(inputs.tags).select("image", "undrawable").collect()
    annotations = scan(inputs.annotations).collect()
    shares = {name: params[name] for name in ("train", "validation", "test")}
    rows = manifest(annotations, undrawable, params.per_label, shares, params.seed)
    for split, count in rows.group_by("split").len().sort("split").iter_rows():
        LOG.info("%s: %d images", split, count)
    link(rows, Path(out.links))
    with writing(out.table, private=True) as temporary:
        rows.write_csv(temporary)
