"""Runs of the whole workflow on the tiny archive of config/ci.yaml."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

CLONE = Path(__file__).parents[2]
CI = CLONE / "config" / "ci.yaml"
RESULTS = ("choice.json", "evaluation.json", "annotations.csv")
FAULT = Path(__file__).parent / "fault"


def run_command(directory, *overlays, threads=1, clone=CLONE, targets=(), options=()):
    """The command line of a run in `directory`, with overlays (paths) on top of ci.yaml.

    Two jobs of one thread run side by side: on so few images a job is mostly its imports.
    """
    return [
        *(sys.executable, "-m", "snakemake", *targets, "--quiet", "rules"),
        *("--cores", "2", "--max-threads", str(threads)),
        *("--snakefile", str(clone / "Snakefile"), "--directory", str(directory)),
        *("--configfile", str(clone / "config" / "ci.yaml"), *map(str, overlays), *options),
    ]


def run(directory, *overlays, fault=None, quoting=None, check=True, clone=CLONE, **kwargs):
    """Run the workflow; `fault` names the rule whose jobs are made to fail, `quoting` the one whose
    jobs meet errors that quote the names of files with a canary."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(FAULT), str(clone)])}
    environment.pop("PYTEST_CURRENT_TEST", None)
    done = subprocess.run(
        run_command(directory, *overlays, clone=clone, **kwargs),
        env=environment
        | ({"TAGSIGHT_FAULT": fault} if fault else {})
        | ({"TAGSIGHT_QUOTING": quoting} if quoting else {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=clone,
    )
    assert done.returncode == 0 or not check, done.stdout[-3000:] + done.stderr[-6000:]
    return done


def overlay(folder, **values):
    """A config file with `values`, nested by dots in their names (`a__b` for `a.b`)."""
    content = {}
    for key, value in values.items():
        *sections, name = key.split("__")
        part = content
        for section in sections:
            part = part.setdefault(section, {})
        part[name] = value
    path = folder / f"overlay-{len(list(folder.glob('overlay-*')))}.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def contents(directory):
    """The bytes of the results that are to be the same from run to run."""
    return {name: (directory / "results" / name).read_bytes() for name in RESULTS}
