"""The configs that ship, planned in a dry run; and what a mistake in a config looks like."""

import os
import subprocess
import sys

import pytest
from running import CLONE


def dry_run(directory, *arguments):
    """Return the exit status and all that was said."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--dry-run", "--cores", "2"),
            *("--snakefile", CLONE / "Snakefile", "--directory", directory, *arguments),
        ],
        env=os.environ | {"PYTHONPATH": str(CLONE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        cwd=CLONE,
    )
    return done.returncode, done.stdout


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["demo", "ci"])
def test_the_demo_and_ci_are_planned_whole(name, tmp_path):
    status, plan = dry_run(tmp_path, "--configfile", CLONE / "config" / f"{name}.yaml")
    assert status == 0, plan
    for rule in ("demo", "tags", "trials", "report"):
        assert f"rule {rule}:" in plan


def test_the_papers_config_is_planned_with_the_papers_numbers(tmp_path):
    mine = written(tmp_path / "mine.yaml", f"input: {tmp_path}\n")
    paper = CLONE / "config/paper.yaml"
    status, plan = dry_run(tmp_path / "run", "--configfile", paper, mine)
    assert status == 0, plan
    assert plan.count("rule trials:") == 10
    assert "demo" not in plan.split("Building DAG")[1]


def test_the_distances_of_a_sample_can_be_asked_for_by_name(tmp_path):
    target = "results/distances/tuning.npy"
    status, plan = dry_run(tmp_path, target, "--configfile", CLONE / "config/ci.yaml")
    assert status == 0, plan
    assert "rule distances:" in plan


def test_a_gpu_is_asked_for_only_where_the_config_says_so(tmp_path):
    cuda = written(tmp_path / "cuda.yaml", "autoencoder: {device: cuda}\n")
    ci = CLONE / "config/ci.yaml"
    assert "gpu=1" not in dry_run(tmp_path, "--configfile", ci)[1]
    assert "gpu=1" in dry_run(tmp_path, "--configfile", ci, cuda)[1]


def test_no_input_is_one_line_with_both_ways_out(tmp_path):
    status, said = dry_run(tmp_path)
    assert status == 1
    (line,) = [line for line in said.splitlines() if line.startswith("input:")]
    assert "mine.yaml" in line
    assert "config/demo.yaml" in line
    assert "Traceback" not in said
    assert "Job stats" not in said


@pytest.mark.parametrize("look", ["--lint", "--rulegraph", "--list-rules"])
def test_a_bare_clone_can_be_looked_at(look, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", look, "--directory", tmp_path],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=CLONE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert ("in a good condition" if look == "--lint" else "annotations") in said


def test_all_mistakes_are_reported_before_the_first_job(tmp_path):
    mine = written(
        tmp_path / "mine.yaml",
        f"input: {tmp_path}\nselect: {{count: none}}\nsamples: {{trails: 3}}\n",
    )
    status, said = dry_run(tmp_path, "--configfile", mine)
    assert status == 1
    assert "samples.trails: no such key; did you mean trials?" in said
    assert "select.count:" in said
    assert "Traceback" not in said
