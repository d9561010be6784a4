"""The run as typed on a cluster: `snakemake --profile slurm`, against a real Slurm."""

import os
import subprocess
import sys

import pytest
from running import CI, CLONE, contents
from slurm_cluster import cluster, missing


@pytest.mark.slurm
def test_a_run_by_slurm_gives_the_same_as_a_local_one(otherwise, tmp_path_factory, request):
    reason = missing()
    if reason and not request.config.getoption("--require-slurm"):
        pytest.skip(reason)
    assert not reason, reason
    (config, local), folder = otherwise, tmp_path_factory.mktemp("slurm")
    with cluster(folder):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--profile", "slurm"),
                *("--configfile", CI, config, "--directory", folder / "run"),
                # A real cluster is shared, and asked every 40 s. Jobs take 15 here, side by side;
                # asked before they are done, the plugin waits for 10 s more than it did.
                *("--slurm-init-seconds-before-status-checks", "16", "--latency-wait", "5"),
                *("--max-status-checks-per-second", "5"),
            ],
            cwd=CLONE,
            env=os.environ | {"PYTHONPATH": str(CLONE), "PATH": path_with_python()},
            capture_output=True,
            text=True,
            check=False,
            timeout=1500,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert contents(folder / "run") == local


def path_with_python():
    """Slurm's batch script looks for the same python that runs the tests."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
