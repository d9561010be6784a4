"""Labels by site: which are found where, which at one site alone, and how far labels are sites."""

from typing import Any

import polars as pl

from tagsight.interpretation.agreement import agreement


def by_site(images: pl.DataFrame) -> dict[str, Any]:
    """Return what sites have of labels.

    images: `site` (String, null = unknown), `label`, `name` and `person` of every image.
    Returns `sites`: site, `images`, `patients`, `labels` (how many are found there) and `alone`
    (labels that are found nowhere else); `labels`: `label`, `name`, `images`, and in `sites` by
    site its images and their `share` of the site's; and `ami`, that of label and site over images
    whose site is known (0 by chance, null where there are fewer than two sites).
    """
    known = images.filter(pl.col("site").is_not_null())
    counts = known.group_by("label", "site").len().sort("label", "site")
    sites = _sites(known, counts)
    totals = {site["site"]: site["images"] for site in sites}
    names = dict(known.select("label", "name").unique("label").iter_rows())
    labels = []
    for (label,), rows in counts.group_by("label", maintain_order=True):
        found = dict(rows.select("site", "len").iter_rows())
        by_name = {s: {"images": n, "share": n / totals[s]} for s, n in found.items()}
        total = sum(found.values())
        labels.append({"label": label, "name": names[label], "images": total, "sites": by_name})
    codes = known["label"].rank("dense").to_numpy()
    (row,) = agreement(codes, {"site": known["site"]}, k=0)
    return {"sites": sites, "labels": labels, "ami": row["ami"]}


def _sites(known: pl.DataFrame, counts: pl.DataFrame) -> list[dict[str, Any]]:
    alone = counts.filter(pl.len().over("label") == 1)
    facts = known.group_by("site").agg(
        images=pl.len(), patients=pl.col("person").n_unique(), labels=pl.col("label").n_unique()
    )
    own = alone.group_by("site").agg(alone=pl.col("label").sort())
    rows = facts.join(own, on="site", how="left").sort("site")
    return [row | {"alone": row["alone"] or []} for row in rows.iter_rows(named=True)]
