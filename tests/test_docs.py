"""Pages that are made from other files say what those say; TAGSIGHT_WRITE_DOCS=1 writes them."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from tagsight.run.config import allowed, keys
from tagsight.run.recipe import BASE_TABLES

CLONE = Path(__file__).parents[1]
CONFIG = CLONE / "config"
HEAD = """# The config

`config.yaml` holds every key with its default. Write what differs into a file of your own and pass
it: `snakemake -c8 --configfile mine.yaml`. Several files go on top of each other in the order
given. Mistakes are all reported before the first job. What runs again when a key changes:
[docs/reruns.md](../docs/reruns.md).

`demo.yaml`, `ci.yaml`, `paper.yaml` and `idc.yaml` are such files: the demo, a smoke run on tiny
data, the article's own numbers, and a million real series by a ready table of their tags.
`tagsight/data/body_parts.csv` (columns `spelling`, `term`) says how archives spell body parts, and
the term of DICOM PS3.16 Annex L that is meant. A spelling with `*` at its end
stands for all words that begin so; an empty term marks a word to pass over. How yours spells them:
put it into a file of your own with the same columns, which `tags.body_parts` names. It is laid on
top of the library's.

Labels are a tree: kind of image, region of the body, technique. Keys of flat runs (`labels.tree:
false`) say so. What labels are made of is tables too, with the paragraph of the standard or the
maker's document that each row is from:

TABLES

The key names a file of your own with the same columns, `source` left out. Where both have a row,
yours counts. Regions, words and facets of yours are in names as you write them, a region in small
letters. This table of roles has images compared by the size of their matrix, too:

```
name,role
Rows,content
Columns,content
```

This page is made from `config.yaml` and `config.schema.yaml` by `tests/test_docs.py`.

| key | default | allowed | meaning |
|---|---|---|---|
"""

LABEL_TABLES = {
    "kinds": "what kind of image a SOP Class or a Modality is, and whether it is a picture",
    "regions": "which region of the body a term of Annex L lies in",
    "kernels": "makers' names of CT kernels: lung, bone, soft …",
    "facets": "items of tags that mean a word of a facet: codes of views, Image Type, tracers …",
    "roles": "which tags say what was imaged, and which speak of device, patient or file",
    "words": "words of technique in descriptions, in several languages",
}


def label_tables():
    """The tables that users extend: the library's, the key that names the user's, what it says."""
    rows = [
        f"| `{BASE_TABLES[key]}` | `{key}` | {says} |"
        for key, says in ((f"labels.tables.{name}", says) for name, says in LABEL_TABLES.items())
    ]
    return "\n".join(["| table | key | says |", "|---|---|---|", *rows])


def page():
    schema = yaml.safe_load((CONFIG / "config.schema.yaml").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
    rows = []
    for key, rule in keys(schema):
        value = defaults
        for part in key.split("."):
            value = value[part]
        cells = [f"`{key}`", f"`{json.dumps(value)}`", allowed(rule), rule["description"]]
        cells[2] = cells[2].removeprefix("allowed: ")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD.replace("TABLES", label_tables()) + "\n".join(rows) + "\n"


def test_the_page_on_the_config_says_what_schema_and_defaults_say():
    if os.environ.get("TAGSIGHT_WRITE_DOCS"):
        (CONFIG / "README.md").write_text(page(), encoding="utf-8")
    assert (CONFIG / "README.md").read_text(encoding="utf-8") == page()


PAGES = [*CLONE.glob("*.md"), *(CLONE / "docs").glob("*.md"), CONFIG / "README.md"]
ROOMS = [path.name for path in (CLONE / "tagsight").iterdir() if path.is_dir()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_is_there(page):
    folders = "|".join(["tagsight", "rules", "scripts", "tests", "envs", "benchmarks", *ROOMS])
    named = re.findall(rf"`((?:{folders})/[\w/.]+)`", page.read_text(encoding="utf-8"))
    places = {name: [CLONE / name, CLONE / "tagsight" / name] for name in named}
    known = {n for n, p in places.items() if any(q.exists() or Path(f"{q}.py").exists() for q in p)}
    assert set(named) - known == set()
