"""What the jobs of runs asked for and what they used, as a table in docs/cluster.md.

usage: python benchmarks/asked_used.py folder of a run …

Of each rule the job is shown that used most of what it asked for. Memory counts what Snakemake
itself takes in a job of a cluster; minutes are those of the wall, and below 3 nobody asks for less.
"""

import sys
from pathlib import Path

import polars as pl

from tagsight.run.cluster.usage import usage_table

DOCS = Path(__file__).parents[1] / "docs/cluster.md"
BEGIN, END = "<!-- asked and used -->", "<!-- end of asked and used -->"
SNAKEMAKE = 300  # MB, as in rules/resources.smk


def table(used: pl.DataFrame) -> list[str]:
    """Return lines of Markdown: for each rule the largest shares of memory and minutes used."""
    by_rule = (
        used.with_columns(used_mb=pl.col("peak_mb") + SNAKEMAKE)
        .group_by("rule", maintain_order=True)
        .agg(
            pl.len().alias("jobs"),
            pl.col("input_mb").max(),
            pl.col("used_mb", "asked_mb").sort_by(pl.col("used_mb") / pl.col("asked_mb")).last(),
            pl.col("minutes", "asked_minutes")
            .sort_by(pl.col("minutes") / pl.col("asked_minutes"))
            .last(),
        )
        .sort("rule")
    )
    lines = [
        "| rule | jobs | input MB | used MB | asked MB | times | used min | asked min |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for rule, jobs, size, mb, asked_mb, minutes, asked_minutes in by_rule.iter_rows():
        lines.append(
            f"| {rule} | {jobs} | {size:,.1f} | {mb:,} | {asked_mb:,} | {asked_mb / mb:.1f} "
            f"| {minutes:.1f} | {asked_minutes} |"
        )
    return lines


def main(folders: list[Path]) -> None:
    """Write the tables of runs into docs/cluster.md, each under its folder's name."""
    lines: list[str] = []
    for folder in folders:
        lines += ["", f"**{folder.resolve().name}**", "", *table(usage_table(folder / "logs"))]
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    content = "\n".join([BEGIN, *lines, "", END])
    DOCS.write_text(before + content + after, encoding="utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
