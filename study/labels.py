"""Comparison of designs of labels on drawn archives: docs/labels.md, its tables and its figure.

    python -m study.labels [--quick] [--folder docs] [--workers 2]

All figures and all sentences of the page are made here. Choices are made on half of the archives;
what is published is of the other half.
"""

import argparse
import itertools
import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from study import archives, label_designs, label_page, label_scores
from study.archives import Setting
from study.data import CLONE, RUNS
from study.label_designs import STEPS, Design, Labelled
from tagsight.run.atomic import write_parquet

FULL = Design()
FLAT = Design(roles=False, nested=False, region=False, facets=False)
MORE = (
    replace(FLAT, scale="range"),
    replace(FULL, scale="range"),
    replace(FULL, scale="robust"),
    *(
        replace(FULL, algorithm=name)
        for name in ("pam", "alternate", "average", "famd", "kprototypes")
    ),
    *(
        replace(FULL, shares=shares)
        for shares in ((0.2, 0.2), (0.35, 0.3), (0.45, 0.45), (0.3, 0.6))
    ),
    replace(FULL, weights="commensurable"),
    replace(FULL, weights="looks"),
    replace(FULL, described=False),
    replace(FULL, described=False, facets=False),
)


def factorial() -> list[Design]:
    """Return every combination of the steps of the tree."""
    return [Design(*steps) for steps in itertools.product((False, True), repeat=len(STEPS))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all designs on all archives, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="four small archives, for tests")
    parser.add_argument("--folder", type=Path, default=CLONE / "docs")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    settings, designs = archives.settings(), [*factorial(), *MORE]
    if options.quick:
        settings = [replace(setting, patients=60) for setting in settings[:2] + settings[-2:]]
        designs = [FLAT, FULL]
    label_page.write(options.folder, measured(settings, designs, options.workers))


def measured(settings: Sequence[Setting], designs: Sequence[Design], workers: int) -> pl.DataFrame:
    """Return a row for each archive and design: habits, design, scores."""
    jobs = [(setting, tuple(designs)) for setting in settings]
    if workers > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context) as pool:
            tables = list(_counted(pool.map(_star, jobs), len(jobs)))
    else:
        tables = [_star(job) for job in jobs]
    return pl.concat(tables)


def _counted(tables: Iterable[pl.DataFrame], total: int) -> Iterator[pl.DataFrame]:
    for number, table in enumerate(tables, start=1):
        print(f"archives: {number} of {total}", file=sys.stderr, flush=True)
        yield table


def _star(job: tuple[Setting, tuple[Design, ...]]) -> pl.DataFrame:
    """The rows of one archive; those that lie there already are not made again."""
    setting, designs = job
    modules = (Path(__file__), *(Path(str(m.__file__)) for m in (label_designs, label_scores)))
    name = f"{setting.name}-{archives.code(Path(archives.__file__), *modules)}-{len(designs)}"
    path = RUNS / "labels" / f"scores-{name}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(pl.DataFrame(list(_rows(setting, designs)), label_page.SCHEMA), path)
    return pl.read_parquet(path)


def _rows(setting: Setting, designs: Sequence[Design]) -> Iterator[dict[str, Any]]:
    archive = archives.archive(setting)
    fitted = label_scores.fitted_half(archive)
    count = label_scores.planted_number(archive, fitted)
    labelled = Labelled(archive, fitted)
    about = {
        "seed": setting.seed,
        "choosing": setting.choosing,
        **asdict(setting.habits),
        "patients": setting.patients,
        "planted": count,
        "images": len(fitted),
    }
    for name, labels in label_scores.references(archive):
        yield {**about, "design": name, **label_scores.scores(archive, fitted, labels)}
    for design in designs:
        scores = label_scores.scores(archive, fitted, labelled.labels(design, count))
        region_share, facets_share = design.shares
        factors = asdict(design) | {"region_share": region_share, "facets_share": facets_share}
        del factors["shares"]
        yield {**about, "design": design.name, **factors, **scores}


if __name__ == "__main__":
    main()
