"""Count labels by site, and compare the two; with sites, what was imaged and by which maker."""

import polars as pl

from tagsight.dicom.roles import ROLES
from tagsight.handover.role_labels import in_order, labels_of_roles, sample_of
from tagsight.handover.sites import by_roles, by_site, labelled_images
from tagsight.run.atomic import write_json
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.tables import scan
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    tags, spellings = scan(inputs.tags), spelling_table(params.body_parts)
    images = labelled_images(tags, scan(inputs.annotations), spellings)
    content = {**by_site(images, params.min_patients), "roles": None}
    if params.tree and {*params.roles} != {*ROLES}:
        drawn = sample_of(pl.read_parquet(inputs.sample))
        rows = [in_order(drawn, table) for table in (tags, scan(inputs.content), images.lazy())]
        key = run_key(params.key_file, results_folder(snakemake))
        wanted = (ROLES, params.roles)
        how = {"settings": params, "wanted": wanted, "count": rows[2]["label"].n_unique()}
        made = list(zip(wanted, labels_of_roles(*rows[:2], spellings, key, **how), strict=True))
        content["roles"] = by_roles(rows[2], made, params.roles)
    write_json(content, snakemake.output[0])
