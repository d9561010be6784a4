"""A small archive of two kinds of pictures and one that is none, as tables, for tests of trees."""

import numpy as np
import polars as pl

from tagsight.tags.encoding import Column, Encoding
from tagsight.tree.encodings import Branch, Tree

THICKNESS = Column(
    "SliceThickness", "SliceThickness", "numeric", "number", minimum=0.0, maximum=10.0
)
VIEW = Column("ViewPosition", "ViewPosition", "categorical", "view", categories=("AP", "LAT", "PA"))
REGION = Column("word.region", "region", "categorical", "word", categories=("CHEST", "HEAD"))


def tree():
    """CT by thickness and region, DX by view and region, SR never compared."""
    ct, dx = Encoding("linear", (THICKNESS, REGION)), Encoding("linear", (VIEW, REGION))
    none = Encoding("linear", ())
    return Tree(
        {"CT": Branch(60, True, ct), "DX": Branch(40, True, dx), "SR": Branch(9, False, none)}
    )


def images(seed, ct=60, dx=40, sr=0):
    """Rows of features; CT in two groups by region, DX in three by view."""
    rng = np.random.default_rng(seed)
    rows = [
        *(
            {"kind": "CT", "SliceThickness": 1.0 + rng.random(), "word.region": i % 2}
            for i in range(ct)
        ),
        *({"kind": "DX", "ViewPosition": i % 3, "word.region": 0} for i in range(dx)),
        *({"kind": "SR"} for _ in range(sr)),
    ]
    schema = {
        "kind": pl.String,
        "SliceThickness": pl.Float32,
        "ViewPosition": pl.Int32,
        "word.region": pl.Int32,
    }
    frame = pl.DataFrame(rows, schema)
    names = pl.Series([f"{seed}-{i:04d}" for i in range(len(frame))], dtype=pl.String)
    patients = pl.Series([f"p{seed}-{i // 2}" for i in range(len(frame))], dtype=pl.String)
    return frame.with_columns(image=names, patient=patients, study=names, series=names)
