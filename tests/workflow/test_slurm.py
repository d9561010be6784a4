"""The run as typed on a cluster: `snakemake --profile slurm`, against a real Slurm."""

import os
import subprocess
import sys

import polars as pl
import pytest
from running import CI, CLONE, contents
from slurm_cluster import cluster, missing

from tagsight.run.cluster.usage import usage_table

pytestmark = pytest.mark.slurm

MOST_JOBS = 15  # of 56 that a run of config/ci.yaml has


@pytest.fixture
def folder(request, tmp_path_factory):
    """A folder of runs, where there is a Slurm."""
    reason = missing()
    if reason and not request.config.getoption("--require-slurm"):
        pytest.skip(reason)
    assert not reason, reason
    return tmp_path_factory.mktemp("slurm")


def test_slurm_reads_an_archive_as_a_local_run_does(finished, folder):
    """The first stages: each waits for a job of the one before, ten seconds and more."""
    table = "results/frequencies.parquet"
    submit(folder, CI, targets=[table])
    assert (folder / "run" / table).read_bytes() == (finished / table).read_bytes()


@pytest.mark.long
def test_a_whole_run_by_slurm_gives_the_same_as_a_local_one(otherwise, folder):
    config, local = otherwise
    told = submit(folder, CI, config)
    assert contents(folder / "run") == local
    assert told.count("SLURM jobid") <= MOST_JOBS
    used = usage_table(folder / "run" / "logs")
    assert not used.is_empty()
    short = used.filter(pl.col("peak_mb") > pl.col("asked_mb"))
    assert short["rule"].to_list() == []


def submit(folder, *configs, targets=()):
    """Run the workflow as typed, on a Slurm that is started for it; returns what it said."""
    with cluster(folder):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", *targets, "--profile", "slurm"),
                *("--configfile", *configs, "--directory", folder / "run"),
            ],
            cwd=CLONE,
            env=os.environ | {"PYTHONPATH": str(CLONE), "PATH": path_with_python()},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=1500,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def path_with_python():
    """Slurm's batch script looks for the same python that runs the tests."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
