"""Section on the algorithms: what they do, also with missing values, and what they are good for."""

import polars as pl

from study.tables import markdown
from tagsight.clustering.algorithms import ALGORITHMS


def section() -> str:
    """Return the section on methods."""
    rows = [
        {
            "`cluster.algorithm`": f"`{algorithm.name}`",
            "what it does": algorithm.summary,
            "missing values": algorithm.missing,
            "number of clusters": algorithm.number,
            "good for": algorithm.good_for,
        }
        for algorithm in ALGORITHMS.values()
    ]
    return (
        "## The clusterings\n\nAll start from the same features, most by way of their Gower "
        "distances, and all leave a medoid a cluster, by which other images are annotated: where "
        "the method knows none, the member of least distance to the others. So images of the "
        "tuning sample may be annotated otherwise than they were clustered, but with the "
        "k-medoids, which go by nearest medoids themselves: there only an image that is a medoid "
        "beside its equal.\n\n"
        f"{markdown(pl.DataFrame(rows))}"
    )
