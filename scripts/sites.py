"""Count labels by site, and compare the two."""

from tagsight.interpretation.sites import by_site
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.tables import label_column, person, scan

with logged(snakemake):
    inputs = snakemake.input
    sites = scan(inputs.tags).select("image", "site").collect()
    annotations = scan(inputs.annotations)
    labels = annotations.select(
        "image", "name", label=label_column(annotations.collect_schema()), person=person()
    )
    images = labels.collect().join(sites, on="image", how="left", maintain_order="left")
    write_json(by_site(images), snakemake.output[0])
