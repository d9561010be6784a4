"""Another workflow imports this one under a prefix, and has its results there."""

import os
import subprocess
import sys

import pytest
import yaml
from running import CI, CLONE, contents

pytestmark = pytest.mark.long

SNAKEFILE = """
import yaml

rule mine:
    input:
        "grouped/results/annotations.csv",
        "grouped/results/report/index.html",
    output:
        "mine.txt",
    shell:
        "wc -l {{input[0]}} > {{output}}"

module tagsight:
    snakefile: {snakefile!r}
    config: yaml.safe_load(open("mine.yaml"))
    prefix: "grouped"

use rule * from tagsight as tagsight_*
"""


def importing(directory, *options):
    """Run the workflow in `directory`, which knows of this clone by its Snakefile alone."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "rules", *options],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=directory,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(finished, tmp_path):
    """A folder with the archive of the finished run, and a workflow that imports this one."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results/demo").symlink_to(finished / "results/demo")
    (tmp_path / "Snakefile").write_text(
        SNAKEFILE.format(snakefile=str(CLONE / "Snakefile")), encoding="utf-8"
    )
    mine = yaml.safe_load(CI.read_text(encoding="utf-8")) | {"demo": None}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine), encoding="utf-8")
    return tmp_path


def test_a_module_under_a_prefix_gives_the_same_results_and_is_then_up_to_date(finished, folder):
    status, said = importing(folder, "--max-threads", "1")
    assert status == 0, said[-6000:]
    assert contents(folder / "grouped") == contents(finished)
    # The first rule of the workflow that imports is its default, as if there were no other.
    assert (folder / "mine.txt").read_text(encoding="utf-8").split()[
        1
    ] == "grouped/results/annotations.csv"
    names = {path.name for path in folder.iterdir()}
    assert names == {"Snakefile", "mine.yaml", "mine.txt", "results", "grouped", ".snakemake"}
    assert [path.name for path in (folder / "results").iterdir()] == ["demo"]
    status, said = importing(folder)
    assert status == 0
    assert "Nothing to be done" in said
    status, said = importing(folder, "--report", "report.zip")
    assert status == 0, said


def test_a_mistake_in_a_modules_config_is_told_as_ever(folder):
    (folder / "mine.yaml").write_text("input: results/demo/archive\nsede: 3\n", encoding="utf-8")
    status, said = importing(folder, "--dry-run")
    assert status == 1
    assert "sede: no such key; did you mean seed?" in said


def test_a_prefix_is_not_to_be_replaced(folder):
    text = (folder / "Snakefile").read_text(encoding="utf-8")
    other = text.replace('prefix: "grouped"', 'replace_prefix: {"results/": "results/grouped/"}')
    (folder / "Snakefile").write_text(other, encoding="utf-8")
    status, said = importing(folder, "--dry-run")
    assert status == 1
    assert "imported with `prefix`" in said


def test_paths_that_a_config_names_are_seen_from_the_working_folder(folder):
    (folder / "tags.csv").write_text("id,modality\n1,CT\n", encoding="utf-8")
    table = {"table": "tags.csv", "columns": {"image": "id", "Modality": "modality"}, "shards": 1}
    (folder / "mine.yaml").write_text(yaml.safe_dump({"tags": table}), encoding="utf-8")
    status, said = importing(folder, "--dry-run")
    assert status == 0, said
    assert "tagsight_table" in said
