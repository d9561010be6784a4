"""Compare the facets' words with words of descriptions that they do not read."""

import polars as pl

from tagsight.content.facet_check import check, facet_words, poor
from tagsight.content.tables import content_tables
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    params = snakemake.params
    tables, spellings = content_tables(params), spelling_table(params.body_parts)
    shards = (pl.scan_parquet(shard) for shard in snakemake.input)
    words = pl.concat(facet_words(shard, spellings, tables) for shard in shards)
    checked = check(words, tables.facets)
    for name, facet in checked.items():
        if facet["compared"]:
            agree, compared = facet["agree"], facet["compared"]
            LOG.info("%s: %d of %d series agree with their descriptions", name, agree, compared)
    for name in poor(checked):
        LOG.warning("%s: many descriptions name another word; see results/facets.json", name)
    write_json(checked, snakemake.output[0])
