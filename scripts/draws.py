"""Draw the samples, and say what the archive is too small to test."""

from pathlib import Path

from tagsight.run.atomic import forget_others, write_json, write_parquet
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags.sampling.by_kind import draw_samples, summary
from tagsight.tags.sampling.by_patient import shortfall

KEYS = ["image", "series", "study", "patient", "path", "burned_in", "undrawable"]

with logged(snakemake):
    inputs, config = snakemake.input, dict(snakemake.params.sizes)
    samples = [Path(path).stem for path in snakemake.output.samples]
    sizes = {name: config.get(name, config["trial"]) for name in samples}
    images = scan(inputs.tags).select(KEYS).collect()
    if inputs.get("content"):
        kinds = scan(inputs.content).select("image", "kind", "picture").collect()
        images = images.join(kinds, on="image", how="left", maintain_order="left")
    drawn = draw_samples(images, sizes, config["per_series"], snakemake.params.seed)
    drawn = drawn.drop("undrawable")
    content = summary(drawn, images, sizes)
    for remark in filter(None, [shortfall(drawn, sizes), *content["untested"]]):
        LOG.warning(remark)
    for path in snakemake.output.samples:
        write_parquet(drawn.filter(sample=Path(path).stem).drop("sample"), path)
    write_json(content, snakemake.output.summary)
    by_sample = ("draws", "samples", "clusters", "distances", "images", "embeddings", "trials")
    forget_others([results_folder(snakemake) / folder for folder in by_sample], sizes)
