"""What each clustering is, what it does with missing values, and what it is good for."""

import polars as pl

from study.tables import markdown

COLUMNS = (
    "`cluster.algorithm`",
    "what it does",
    "missing values",
    "number of clusters",
    "good for",
)
METHODS = (
    (
        "fasterpam",
        "k-medoids by eager swaps (Schubert & Rousseeuw 2021)",
        "as in Gower's distance: what either image lacks is not compared",
        "K",
        "the default: clusters with a typical image each, fast; the one that goes on to all images "
        "(`cluster.on: all`)",
    ),
    (
        "pam",
        "k-medoids, the best swap each time (Kaufman & Rousseeuw 1987)",
        "as fasterpam",
        "K",
        "comparing with other people's PAM; far slower",
    ),
    (
        "alternate",
        "k-medoids by turns of assigning and centring",
        "as fasterpam",
        "K",
        "comparing; stops at higher losses than swaps do",
    ),
    (
        "average",
        "average linkage, the tree cut at K",
        "as fasterpam",
        "K",
        "finding outliers, nested clusters; one cluster may take most images",
    ),
    (
        "hdbscan",
        "dense regions, the rest left out (Campello et al. 2013)",
        "as fasterpam",
        "its own: of the least sizes of a cluster tried from 2 to n / 2, what comes nearest to "
        "each K, each once, under the K found",
        "finding the images that fit nowhere: cluster 0 in `results/clusters`, to be looked at",
    ),
    (
        "famd",
        "factors of mixed data (Pagès 2004), then k-means",
        "the tag's mean, so that it pulls nowhere; presence columns say that it is missing",
        "K",
        "many noisy tags: what they share counts, the rest is dropped. Distances are needed for "
        "its medoids and silhouettes alone: `tagsight.factors.labellings`, without them, takes a "
        "million images",
    ),
    (
        "kprototypes",
        "k-means with modes for categories (Huang 1997), from the clusters of fasterpam",
        "cost nothing, whichever the cluster; presence columns say that it is missing",
        "K",
        "comparing with k-means; as annotations, which go by medoids, it may differ much",
    ),
    (
        "dynmsc",
        "k-medoids of the best medoid silhouette (Lenssen & Schubert 2024)",
        "as fasterpam",
        "its own: the best between each K of the grid and the one below",
        "choosing K without gaps in the grid",
    ),
)


def section() -> str:
    """Return the section on methods."""
    rows = [dict(zip(COLUMNS, (f"`{name}`", *rest), strict=True)) for name, *rest in METHODS]
    return (
        "## The clusterings\n\nAll start from the same features, most by way of their Gower "
        "distances, and all leave a medoid a cluster, by which other images are annotated: where "
        "the method knows none, the member of least distance to the others. So images of the "
        "tuning sample may be annotated otherwise than they were clustered, but with the "
        "k-medoids, which go by nearest medoids themselves: there only an image that is a medoid "
        "beside its equal.\n\n"
        f"{markdown(pl.DataFrame(rows))}"
    )
