"""Cards and rules of the clusters of a flat run."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import rules
from tagsight.interpretation.cards import cards, with_medoids
from tagsight.interpretation.confounding import with_makers
from tagsight.interpretation.stability import with_stability
from tagsight.tags.encoding import Encoding


def described(
    sample: pl.DataFrame,
    holdout: pl.DataFrame,
    clusters: pl.DataFrame,
    members: pl.DataFrame,
    medoids: pl.DataFrame,
    encoding: Encoding,
    stability: Mapping[str, Any],
    min_patients: int,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the cards of all clusters at one K, and a rule for each.

    sample, holdout: the tuning sample, and one of other patients; clusters: the former's, whose
    stability was measured; members: its images in the clusters of the medoids; encoding: theirs;
    stability: as in stability.json, at this K.
    """
    content = with_medoids(cards(sample, members, encoding, min_patients), medoids)
    content = with_stability(content, members, clusters.select("image", "cluster"), stability)
    content = with_makers(content, "cluster", sample, members, min_patients)
    others = annotation.annotate(holdout, medoids, encoding)
    rows = rules.rules(sample, members, holdout, others, encoding, min_patients)
    return content, rows
