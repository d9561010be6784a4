"""Draw the samples, no two of which share a patient."""

from pathlib import Path

from tagsight.run.atomic import forget_others, write_parquet
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags.sampling import draw, shortfall

with logged(snakemake):
    config = dict(snakemake.params.sizes)
    samples = [Path(path).stem for path in snakemake.output]
    sizes = {name: config.get(name, config["trial"]) for name in samples}
    keys = ["image", "series", "study", "patient", "path", "burned_in", "undrawable"]
    images = scan(snakemake.input).select(keys).collect()
    drawn = draw(images, sizes, config["per_series"], snakemake.params.seed).drop("undrawable")
    if short := shortfall(drawn, sizes):
        LOG.warning(short)
    for path in snakemake.output:
        write_parquet(drawn.filter(sample=Path(path).stem).drop("sample"), path)
    by_sample = ("draws", "samples", "clusters", "distances", "images", "embeddings", "trials")
    forget_others([results_folder(snakemake) / folder for folder in by_sample], sizes)
