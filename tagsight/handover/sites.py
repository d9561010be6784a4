"""Labels by site: which are found where, which at one site alone, and how far labels are sites."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tagsight.interpretation.agreement import agreement, inside
from tagsight.run.tables import counted_person, label_column
from tagsight.tags.labels import labels as outside

OUTSIDE = ("modality", "region", "body_part", "manufacturer")  # that sites are compared with


def labelled_images(
    tags: pl.LazyFrame, annotations: pl.LazyFrame, spellings: pl.DataFrame
) -> pl.DataFrame:
    """Return what is compared of each image.

    tags, annotations: all shards; spellings: of body parts.
    Returns `image`, `label`, `name`, `person`, `site`, `modality`, `manufacturer` and `region`, of
    a flat run `body_part`; null where they are not known.
    """
    columns = annotations.collect_schema().names()
    told = ["region"] if "region" in columns else []
    read = ["modality", "manufacturer", *([] if told else ["body_part"])]
    images = annotations.select(
        "image", "name", *told, label=label_column(columns), person=counted_person()
    ).collect()
    for table in (tags.select("image", "site").collect(), outside(tags, spellings)["image", *read]):
        images = images.join(table, on="image", how="left", maintain_order="left")
    return images


def by_site(images: pl.DataFrame, min_patients: int) -> dict[str, Any]:
    """Return what sites have of labels.

    images: of `labelled_images`; min_patients: labels of fewer patients at a site are counted
    there, and not named.
    Returns `min_patients`; `sites`: `site`, `images`, `patients`, `labels` (how many are found
    there), `alone` (labels that are found nowhere else) and `rare` (how many more labels fewer
    patients there have); `labels`: `label`, `name`, `images`, and in `sites` by site its images and
    their `share` of the site's; and `confounding`, of `compared`.
    """
    known = images.filter(pl.col("site").is_not_null())
    counts = known.group_by("label", "site").agg(pl.len(), pl.col("person").n_unique())
    counts = counts.sort("label", "site").with_columns(
        is_alone=pl.len().over("label") == 1, is_named=pl.col("person") >= min_patients
    )
    sites = _sites(known, counts)
    totals = {site["site"]: site["images"] for site in sites}
    names = dict(known.select("label", "name").unique("label").iter_rows())
    labels = []
    for (label,), rows in counts.group_by("label", maintain_order=True):
        found = rows.filter("is_named").select("site", "len").iter_rows()
        by_name = {site: {"images": n, "share": n / totals[site]} for site, n in found}
        total = int(rows["len"].sum())
        labels.append({"label": label, "name": names[label], "images": total, "sites": by_name})
    return {
        "min_patients": min_patients,
        "sites": sites,
        "labels": labels,
        "confounding": compared(images),
    }


def compared(images: pl.DataFrame) -> list[dict[str, Any]]:
    """Return how the site goes with the label, and with what was imaged and by which maker.

    images: of `labelled_images`.
    Returns a row for the label and each of OUTSIDE that is a column: `with` (its name), `rows`
    (images that have it and a site), `levels` (how many different ones), `ami` (0 by chance; null
    where there are fewer than two sites), `inside_modality` (the mean AMI among the images of one
    modality, of modalities that several sites have), and both of the label on the same rows as
    `label_ami`, `label_inside_modality`. Where labels go with sites no more than regions do, sites
    image different things; where they do more, labels are sites.
    """
    rows = []
    for name in [name for name in ("label", *OUTSIDE) if name in images.columns]:
        known = images.filter(pl.col("site").is_not_null() & pl.col(name).is_not_null())
        of_label = _with_site(known, "label")
        own = of_label if name == "label" else _with_site(known, name)
        beside = {f"label_{score}": of_label[score] for score in ("ami", "inside_modality")}
        rows.append({"with": name, "rows": len(known), **own, **beside})
    return rows


def by_roles(
    images: pl.DataFrame, made: Sequence[tuple[Sequence[str], pl.Series]], roles: Sequence[str]
) -> list[dict[str, Any]]:
    """Return how the site goes with labels of a sample, made anew of tags of other roles.

    images: of `labelled_images`, those of the sample; made: roles of tags, and labels made of
    these, (n,); roles: those that the labels as they are were made of.
    Returns a row for each, the last for the labels as they are: `roles`, `anew`, `rows` (images
    with a site), and of their labels `levels`, `ami` and `inside_modality` as of `compared`.
    """
    every = [*((of, True, labels) for of, labels in made), (roles, False, images["label"])]
    rows = []
    for of, anew, labels in every:
        known = images.with_columns(label=labels).filter(pl.col("site").is_not_null())
        row = {"roles": list(of), "anew": anew, "rows": len(known)}
        rows.append(row | _with_site(known, "label"))
    return rows


def _with_site(known: pl.DataFrame, name: str) -> dict[str, Any]:
    """Levels of a column, its AMI with the site, and the mean AMI inside modalities."""
    codes = known[name].rank("dense").cast(pl.Int64).to_numpy()
    site = {"site": known["site"]}
    (row,) = agreement(codes, site, k=0)
    within = inside(codes, site, known["modality"]) if name != "modality" else {"site": None}
    return {
        "levels": known[name].n_unique(),
        "ami": row["ami"],
        "inside_modality": within["site"],
    }


def _sites(known: pl.DataFrame, counts: pl.DataFrame) -> list[dict[str, Any]]:
    facts = known.group_by("site").agg(
        images=pl.len(), patients=pl.col("person").n_unique(), labels=pl.col("label").n_unique()
    )
    own = counts.group_by("site").agg(
        alone=pl.col("label").filter(pl.col("is_alone") & pl.col("is_named")).sort(),
        rare=(~pl.col("is_named")).sum(),
    )
    rows = facts.join(own, on="site", how="left").sort("site")
    return rows.to_dicts()
