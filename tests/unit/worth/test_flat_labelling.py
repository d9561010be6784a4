"""The paper's flat labels of the same images, beside a tree's."""

import polars as pl
from sklearn.metrics import adjusted_rand_score

from tagsight.tags.frequencies import frequencies
from tagsight.terms.spelling_table import spelling_table
from tagsight.worth.flat_labelling import flat_labels

HOW = {"distance": "linear", "presence_weight": 1.0, "scale": "rank", "weights": "equal"}
SELECT = {
    **{"method": "missing", "count": 70, "max_missing": 0.95, "max_categories": 300},
    **{"image_level": True, "per_module": None, "drop": []},
}


def archive(n=60):
    """Images of three kinds of tags, which one may tell at a glance."""
    kinds = [i % 3 for i in range(n)]
    return pl.DataFrame(
        {
            "image": [f"{i:03d}" for i in range(n)],
            "withheld": pl.Series([None] * n, dtype=pl.String),
            "series": [f"s{i}" for i in range(n)],
            "study": [f"t{i}" for i in range(n)],
            "patient": [f"p{i}" for i in range(n)],
            "Modality": [("CT", "MR", "US")[kind] for kind in kinds],
            "KVP": [("120", "80", "60")[kind] for kind in kinds],
            "ScanOptions": [("A", "B", "C")[kind] for kind in kinds],
        }
    )


def test_images_of_other_samples_go_to_the_nearest_cluster():
    table = archive()
    labels = flat_labels(
        table[:30],
        table[10:].reverse(),
        table.lazy(),
        frequencies(table.lazy()),
        {**HOW, "body_parts": spelling_table(None), "key": b"k" * 32, "min_patients": 3},
        count=2,
        select=SELECT,
        weight="images",
        seed=1,
    )
    assert len(labels) == 50
    modality = table[10:].reverse()["Modality"].to_list()
    assert labels.n_unique() == 2
    assert adjusted_rand_score(modality, labels.to_list()) > 0.5
