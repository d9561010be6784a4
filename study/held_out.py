"""Agreement of a finished run's labels with outside labels, on the patients of its holdout.

    python -m study.held_out RUN [RUN …]

Adjusted mutual information inside modality, of images that no label was fitted to: with the stated
body part, which is itself compared by, and with the maker of the machine, which is not.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tagsight.interpretation.agreement import inside

OUTSIDE = ("body_part", "manufacturer", "model", "site")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the scores of each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    for run in parser.parse_args(arguments).runs:
        print(f"{run}: " + ", ".join(f"{name} {value}" for name, value in scores(run)))


def scores(run: Path) -> Iterator[tuple[str, str]]:
    """Yield the figures of a run by name; run: the folder that holds its `results`."""
    results = run / "results"
    holdout = pl.read_parquet(
        results / "samples/holdout.parquet", columns=["image", "modality", *OUTSIDE]
    )
    labels = pl.scan_parquet(results / "annotations/*.parquet").select("image", "label")
    images = holdout.lazy().join(labels, on="image", how="left", maintain_order="left").collect()
    codes = images["label"].fill_null(0).to_numpy().astype(np.int64)
    yield "images", f"{len(images):,}"
    yield "labels", f"{len(np.unique(codes))}"
    for name, value in inside(codes, {o: images[o] for o in OUTSIDE}, images["modality"]).items():
        yield f"AMI {name} inside modality", "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
