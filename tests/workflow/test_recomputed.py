"""Finished runs, recomputed from their files by a script that has none of the project's code."""

import subprocess
import sys

import pytest
from running import CLONE, overlay, run

SCRIPT = CLONE.parent / "shared" / "check_run.py"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="../shared/check_run.py is not here"),
]


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A flat run. The script has Gower's formula with ranges, not with ranks, the default."""
    folder = tmp_path_factory.mktemp("flat")
    run(folder / "run", overlay(folder, labels__tree=False, gower__scale="range"))
    return folder / "run"


def lines(directory):
    """What the script says of a run: its checks by how they ended."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(directory)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    told = done.stdout.splitlines()
    ended = {end: [line for line in told if line.startswith(end)] for end in ("ok", "skip", "FAIL")}
    assert done.returncode == 0, ended["FAIL"] + [done.stderr[-1000:]]
    return ended


def test_a_trees_run(finished):
    """Of distances and trials the script knows those of flat runs alone, and passes over them."""
    ended = lines(finished)
    assert ended["FAIL"] == []
    assert len(ended["ok"]) >= 9
    assert all("no flat" in line or "pair" in line for line in ended["skip"])


def test_a_flat_run(flat):
    ended = lines(flat)
    assert ended["FAIL"] == []
    assert any("silhouettes recompute" in line for line in ended["ok"])
    assert any("mean cosine distances recompute" in line for line in ended["ok"])
