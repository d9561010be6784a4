"""Whether an image fits its leaf: conformal p-values, calibrated in other patients of its kind."""

from collections.abc import Mapping

import polars as pl

from tagsight.run.tables import person
from tagsight.tree.conformal import Limits
from tagsight.tree.encodings import FLAT, Tree
from tagsight.tree.placing import place

ASSESSED = {"pvalue": pl.Float32, "fits": pl.Boolean}
LIMITS = {"limit": pl.Float64, "level": pl.Float64, "patients": pl.Int64, "pooled": pl.Boolean}


LEAST_PATIENTS = 19  # of a kind; with fewer one image in 20 and more would not fit by chance


def limits(sample: pl.DataFrame, leaves: pl.DataFrame, tree: Tree) -> dict[str, Limits]:
    """Return the limits of each kind's leaves; a kind of fewer than LEAST_PATIENTS has none.

    sample: of patients that no medoid was fitted to: `image`, `patient`, `study`, `series`, in a
    tree `kind`, and the encoded columns; leaves: as in medoids.parquet.
    """
    placed = pl.concat(
        [sample.with_columns(person=person()), place(sample, leaves, tree).drop("image")],
        how="horizontal",
    )
    return limits_of(placed, leaves, tree)


def limits_of(placed: pl.DataFrame, leaves: pl.DataFrame, tree: Tree) -> dict[str, Limits]:
    """Return the limits of each kind's leaves, as `limits`.

    placed: images of patients that no medoid was fitted to: `person`, `cluster` and `distance`, in
    a tree `kind`. A flat run has limits whatever its number of patients.
    """
    found = {}
    for kind, rows in tree.parts(placed):
        of_kind = _of_kind(leaves, kind)
        first = int(of_kind["cluster"].min())  # type: ignore[arg-type]
        known = rows.drop_nulls("distance")
        if len(known) and (tree.flat or known["person"].n_unique() >= LEAST_PATIENTS):
            local = known.select("person", "distance", cluster=pl.col("cluster") - (first - 1))
            found[kind] = Limits(local, len(of_kind))
    return found


def table(leaves: pl.DataFrame, by_kind: Mapping[str, Limits]) -> pl.DataFrame:
    """Return a row for each leaf: `cluster` and the columns of LIMITS, null where it has no limits.

    leaves: as in medoids.parquet; by_kind: of `limits`.
    """
    parts = [pl.DataFrame(schema={"cluster": pl.Int32, **LIMITS})]
    for kind, of_its_leaves in by_kind.items():
        first = int(_of_kind(leaves, kind)["cluster"].min())  # type: ignore[arg-type]
        rows = pl.DataFrame(of_its_leaves.table(), {"cluster": pl.Int32, **LIMITS})
        parts.append(rows.with_columns(pl.col("cluster") + (first - 1)))
    return leaves.select("cluster").join(
        pl.concat(parts), on="cluster", how="left", maintain_order="left"
    )


def assess(
    placed: pl.DataFrame, leaves: pl.DataFrame, by_kind: Mapping[str, Limits]
) -> pl.DataFrame:
    """Return placed images with `pvalue` and `fits`, in their order.

    placed: `image`, `cluster`, `distance`, in a tree `kind`; by_kind: of `limits`.
    Both are null for an image without a distance, or of a kind without limits.
    """
    parts = [pl.DataFrame(schema={"image": pl.String, **ASSESSED})]
    for kind, of_its_leaves in by_kind.items():
        rows = placed if kind == FLAT else placed.filter(pl.col("kind") == kind)
        first = int(_of_kind(leaves, kind)["cluster"].min())  # type: ignore[arg-type]
        known = rows.drop_nulls("distance")
        local = known.with_columns(pl.col("cluster") - (first - 1))
        parts.append(of_its_leaves.assess(local).select("image", *ASSESSED))
    return placed.join(pl.concat(parts), on="image", how="left", maintain_order="left")


def _of_kind(leaves: pl.DataFrame, kind: str) -> pl.DataFrame:
    own = leaves if kind == FLAT else leaves.filter(pl.col("kind") == kind)
    return own.drop_nulls("image")
