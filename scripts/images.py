"""Draw a sample's images at 128 x 128, or give the reason why one cannot be drawn."""

import polars as pl

from tagsight.looks.rendering import none_drawn, render_all
from tagsight.run.atomic import write_npy, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    sample = pl.read_parquet(snakemake.input[0], columns=["image", "patient", "path", "burned_in"])
    pictures = render_all(
        sample["path"].to_list(),
        snakemake.params.aspect,
        threads=snakemake.threads,
        progress=Progress(len(sample), "images"),
    )
    fates = sample.select(
        "image",
        "patient",
        reason=pl.Series(pictures.reasons, dtype=pl.String),
        remark=pl.Series(pictures.remarks, dtype=pl.String),
        burned_in="burned_in",
    )
    if failed := fates.drop_nulls("reason")["reason"].value_counts(sort=True).rows():
        LOG.warning("images that could not be drawn: %s", dict(failed))
    if remarks := fates.drop_nulls("remark")["remark"].value_counts(sort=True).rows():
        LOG.info("images drawn otherwise than their headers say: %s", dict(remarks))
    if remark := none_drawn(pictures.reasons):
        LOG.warning(remark)
    write_npy(pictures.images, snakemake.output.images)
    write_parquet(fates, snakemake.output.fates)
