"""Killed at any moment, started again: the same result, and what was finished is not done anew.

The unbroken run has jobs of one thread, the broken ones of two: this holds the bytes to that, too.
"""

import os
import subprocess
import time

import polars as pl
import psutil
import pytest
from running import CLONE, contents, run, run_command

MOMENTS = [
    "results/resume/tags-*",  # reading
    ".snakemake/scripts/*.clusters.py",
    "results/resume/autoencoder-*/training.pt",
]


def kill(directory, patterns, *overlays):
    """Start a run, SIGKILL all its processes as soon as a file matches a pattern; return them."""
    process = subprocess.Popen(
        run_command(directory, *overlays, threads=2),
        env=os.environ | {"PYTHONPATH": str(CLONE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=CLONE,
    )
    deadline = time.monotonic() + 900
    while not (matched := [pattern for pattern in patterns if any(directory.glob(pattern))]):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, f"none of {patterns} in 900 s"
        time.sleep(0.01)
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        if member.is_running():
            member.kill()
    process.wait()
    return matched


def written(directory):
    """When each finished table and array was written."""
    paths = [*directory.glob("results/**/*.parquet"), *directory.glob("results/**/*.npy")]
    return {p: p.stat().st_mtime_ns for p in paths if "resume" not in p.parts}


def go_on(directory, moments, *overlays):
    """Kill a run at each of the moments, and let it end; nothing finished may be done anew."""
    kept = []
    while moments:
        reached = kill(directory, moments, *overlays)
        moments = [moment for moment in moments if moment not in reached]
        run(directory, *overlays, options=["--unlock"])
        kept.append(written(directory))
    run(directory, *overlays, threads=2)
    now = written(directory)
    for finished in kept:
        redone = {path.name for path, when in finished.items() if now[path] != when}
        assert len(redone) <= 4, "more than two jobs in flight, of two files each, was done again"


def test_a_killed_run_goes_on_to_the_same_result(finished, tmp_path):
    go_on(tmp_path, MOMENTS[:2])
    assert contents(tmp_path) == contents(finished)


@pytest.mark.long
def test_a_run_killed_in_training_goes_on_to_the_same_result(otherwise, tmp_path):
    config, unbroken = otherwise
    go_on(tmp_path, MOMENTS[1:], config)
    assert contents(tmp_path) == unbroken
    assert "going on after epoch" in (tmp_path / "logs/autoencoder.log").read_text(encoding="utf-8")


@pytest.mark.long
def test_a_grown_archive_costs_only_its_new_files(copy_of_finished):
    """A new file is found, read and annotated; the others are not read again; it can go, too."""
    archive = copy_of_finished / "results/demo/archive"
    before = pl.read_csv(copy_of_finished / "results/annotations.csv")
    old = copy_of_finished / "results" / "demo" / "archive" / before["path"][0].split("archive/")[1]
    new = archive / "later" / "new.dcm"
    new.parent.mkdir()
    new.write_bytes(old.read_bytes())
    again = {"targets": ["results/annotations.csv"], "options": ["--forcerun", "files"]}
    run(copy_of_finished, **again)
    after = pl.read_csv(copy_of_finished / "results/annotations.csv")
    assert len(after) == len(before) + 1
    assert after.filter(pl.col("path").str.ends_with("later/new.dcm")).height == 1
    log = (copy_of_finished / "logs/tags").glob("*.log")
    assert sum(", 1 of them new" in path.read_text(encoding="utf-8") for path in log) == 1
    new.unlink()
    run(copy_of_finished, **again)
    assert pl.read_csv(copy_of_finished / "results/annotations.csv").equals(before)
