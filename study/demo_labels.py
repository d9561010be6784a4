"""What was planted in each image of a demo, as the table of labels that `worth.labels` takes.

    python -m study.demo_labels RUN [RUN ...]

A run is a folder that holds `results`. Writes results/demo/labels.csv: `image`, and as `label` the
modality, body part, view and contrast together. `make worth-demo` holds labels against it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from study.demo_scores import ARCHIVE

PLANTED = ("modality", "body_part", "view", "contrast")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table of each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    for run in parser.parse_args(arguments).runs:
        planted_labels(run).write_csv(run / "results/demo/labels.csv")


def planted_labels(run: Path) -> pl.DataFrame:
    """Return `image` and `label` of the images that were planted, in order of `image`."""
    truth = pl.read_parquet(run / "results/demo/truth.parquet").filter(pl.col("broken").is_null())
    label = pl.concat_str([pl.col(name).fill_null("") for name in PLANTED], separator=" ")
    images = pl.read_parquet(run / "results/annotations/*.parquet", columns=["image", "path"])
    images = images.with_columns(path=pl.col("path").str.split(ARCHIVE).list.last())
    return (
        images.join(truth.select("path", label=label), on="path")
        .select("image", "label")
        .sort("image")
    )


if __name__ == "__main__":
    main()
