"""A clone with its own Python in a folder whose name has a space, as in `My Documents`."""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import polars as pl
import pytest
import snakemake
import yaml
from running import CLONE

pytestmark = pytest.mark.long


def test_a_clone_in_a_folder_with_a_space_runs(tmp_path):
    top = tmp_path / "my clone"
    for name in ("rules", "scripts", "tagsight", "config", "profiles", "envs"):
        shutil.copytree(CLONE / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CLONE / "Snakefile", top)
    venv.create(top / ".venv")
    packages = next((top / ".venv/lib").glob("python3*")) / "site-packages"
    (packages / "installed.pth").write_text(
        str(Path(snakemake.__file__).parents[1]) + "\n", encoding="utf-8"
    )
    kinds = ["CT", "MR", "US"] * 3
    pl.DataFrame({"id": range(9), "kind": kinds}).write_parquet(top / "my table.parquet")
    columns = {"image": "id", "Modality": "kind"}
    table = {"table": str(top / "my table.parquet"), "shards": 1, "columns": columns}
    (top / "mine.yaml").write_text(yaml.safe_dump({"tags": table}), encoding="utf-8")
    done = subprocess.run(
        [
            *(top / ".venv/bin/python", "-m", "snakemake", "--cores", "1", "--quiet", "rules"),
            *("--configfile", "mine.yaml", "--directory", "my run"),
            "results/frequencies.parquet",
        ],
        env=os.environ | {"PYTHONPATH": str(top)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=top,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    frequencies = pl.read_parquet(top / "my run/results/frequencies.parquet")
    assert frequencies.filter(keyword="Modality")["distinct"].item() == 3
