"""What the stages of a run take as an archive grows: memory and time of each rule.

usage: python benchmarks/archive.py [rows …, default 200000 1000000 5000000]

A made-up table of tags of so many images, half of whose columns are as long and as varied as those
of real archives, goes through the whole workflow on two cores, its shards and samples as by
default. Every job says at the end of its log what it used. `slope` is how many MB more a rule
takes for a million images more, between the smallest and the largest table: of a rule that works
shard by shard it is about 0.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Int64s
from tagsight.run.cluster.usage import usage_table

CLONE = Path(__file__).parents[1]
ROWS = [200_000, 1_000_000, 5_000_000]
SERIES, STUDY = 25, 4  # images of a series, series of a study
PART, MISSING = 500_000, 1 / 3  # rows made at a time; share of most tags
KINDS = {  # modality → its SOP class, its share, and the parts it is of
    "CT": ("1.2.840.10008.5.1.4.1.1.2", 0.45, ["CHEST", "ABDOMEN", "HEAD", "PELVIS", "NECK"]),
    "MR": ("1.2.840.10008.5.1.4.1.1.4", 0.3, ["BRAIN", "KNEE", "LSPINE", "PROSTATE", "BREAST"]),
    "DX": ("1.2.840.10008.5.1.4.1.1.1.1", 0.1, ["CHEST", "HAND", "KNEE", "PELVIS"]),
    "US": ("1.2.840.10008.5.1.4.1.1.6.1", 0.08, ["ABDOMEN", "THYROID", "BREAST"]),
    "MG": ("1.2.840.10008.5.1.4.1.1.1.2", 0.04, ["BREAST"]),
    "PT": ("1.2.840.10008.5.1.4.1.1.128", 0.03, ["WHOLEBODY"]),
}
MAKERS = ["SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems", "Canon Medical Systems"]
WORDS = ["T1 TSE SAG", "T2 FLAIR AX", "PD FS COR", "LUNG 1.0", "SOFT TISSUE 5.0", "PA", "LAT", ""]
NUMBERS = {  # keyword → median, spread (of a logarithm), digits
    "SliceThickness": (3, 0.5, 1),
    "KVP": (110, 0.1, 0),
    "XRayTubeCurrent": (200, 0.5, 0),
    "ExposureTime": (500, 0.6, 0),
    "RepetitionTime": (1500, 0.9, 1),
    "EchoTime": (30, 0.8, 2),
    "FlipAngle": (60, 0.5, 0),
    "MagneticFieldStrength": (2, 0.3, 1),
    "SpacingBetweenSlices": (4, 0.4, 1),
    "ReconstructionDiameter": (350, 0.2, 0),
    "DistanceSourceToDetector": (1000, 0.1, 0),
    "PixelBandwidth": (200, 0.5, 0),
}
CATEGORIES = {  # keyword → number of values, of a series
    "ConvolutionKernel": 40,
    "ScanOptions": 20,
    "PatientPosition": 6,
    "ScanningSequence": 6,
    "SequenceVariant": 12,
    "StationName": 120,
    "SoftwareVersions": 60,
    "ManufacturerModelName": 50,
    "AcquisitionMatrix": 60,
}


def main(rows: list[int]) -> None:
    """Run the workflow on a table of each size, and say what its rules took."""
    used = pl.concat([measured(n) for n in rows])
    by_rule = used.group_by("rows", "rule").agg(pl.col("peak_mb").max(), pl.col("cpu_s").sum())
    by_rule = by_rule.sort("rule", "rows")
    for rows_, rule, peak, cpu in by_rule.iter_rows():
        print(f"{rule:16s} {rows_:10,d} rows {peak:8,d} MB at most {cpu:8,.0f} CPU-s")
    largest = by_rule.filter(rows=max(rows))
    smallest = by_rule.filter(rows=min(rows))
    both = largest.join(smallest, on="rule", suffix="_before").sort("rule")
    millions = max(max(rows) - min(rows), 1) / 1e6
    figures = {
        "rows": max(rows),
        "peak_mb": dict(largest.select("rule", "peak_mb").iter_rows()),
        "cpu_s": dict(largest.select("rule", pl.col("cpu_s").round(1)).iter_rows()),
        "slope": {
            rule: round((peak - before) / millions, 1)
            for rule, peak, before in both.select("rule", "peak_mb", "peak_mb_before").iter_rows()
        },
    }
    print(json.dumps(figures))


def measured(n: int) -> pl.DataFrame:
    """Return `rows`, `rule`, `peak_mb`, `cpu_s` of each job of a run on n images."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "tags.parquet", n)
        columns = pl.read_parquet_schema(folder / "tags.parquet")
        table = {"table": str(folder / "tags.parquet"), "columns": {c: c for c in columns}}
        (folder / "key").write_text("the images of this table are made up\n", encoding="utf-8")
        (folder / "key").chmod(0o600)
        config = {"tags": table, "privacy": {"key_file": str(folder / "key")}}
        (folder / "archive.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        command = [sys.executable, "-m", "snakemake", "-c2", "--quiet", "all"]
        command += ["--snakefile", str(CLONE / "Snakefile"), "--directory", str(folder / "run")]
        command += ["--configfile", str(folder / "archive.yaml")]
        subprocess.run(command, check=True, cwd=CLONE)
        used = usage_table(folder / "run/logs")
    seconds = (60 * pl.col("cpu_minutes")).alias("cpu_s")
    return used.select(pl.lit(n).alias("rows"), "rule", "peak_mb", seconds)


def write(path: Path, n: int) -> None:
    """Write a table of n images, so much at a time that it is never all held."""
    starts = range(0, n, PART)
    parts = [path.with_suffix(f".{first}") for first in starts]
    for first, part in zip(starts, parts, strict=True):
        tags(first, min(PART, n - first)).write_parquet(part)
    pl.scan_parquet(parts).sink_parquet(path)
    for part in parts:
        part.unlink()


def tags(first: int, n: int) -> pl.DataFrame:
    """Return rows of images first … first + n − 1: text, a third of most tags missing."""
    rng = np.random.default_rng(first)
    image = np.arange(first, first + n)
    series, study = image // SERIES, image // SERIES // STUDY
    modality = _drawn(series, list(KINDS), [share for _, share, _ in KINDS.values()])
    kinds = pl.DataFrame({"Modality": modality, "turn": series * 13})
    classes = {name: uid for name, (uid, _, _) in KINDS.items()}
    pick = pl.col("parts").list.get(pl.col("turn") % pl.col("parts").list.len())
    parts = pl.DataFrame({"Modality": list(KINDS), "parts": [p for _, _, p in KINDS.values()]})
    part = kinds.join(parts, on="Modality", maintain_order="left").select(pick)
    return pl.DataFrame(
        {
            "image": image,
            "series": series,
            "study": study,
            "patient": study // 2,
            "Modality": modality,
            "SOPClassUID": pl.Series(modality).replace_strict(classes),
            "BodyPartExamined": part.to_series(),
            "Manufacturer": np.array(MAKERS)[study % len(MAKERS)],
            "SeriesDescription": np.array(WORDS)[series * 7 % len(WORDS)],
            **{key: _numbers(rng, n, *of) for key, of in NUMBERS.items()},
            **{key: _gaps(rng, pl.Series(series * 31 % of)) for key, of in CATEGORIES.items()},
        }
    ).cast(pl.String)


def _drawn(series: Int64s, names: list[str], shares: list[float]) -> Any:
    """The name of each series by its share, the same wherever a part of the table begins."""
    place = series * 0.6180339887498949 % 1  # multiples of the golden ratio spread evenly
    return np.array(names)[np.searchsorted(np.cumsum(shares)[:-1], place)]


def _numbers(rng: np.random.Generator, n: int, median: float, spread: float, digits: int) -> Any:
    values = median * np.exp(spread * rng.standard_normal(n))
    return _gaps(rng, pl.Series(np.round(values, digits)))


def _gaps(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    return values.cast(pl.String).set(pl.Series(rng.random(len(values)) < MISSING), None)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or ROWS)
