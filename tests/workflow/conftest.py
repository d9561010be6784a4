"""Finished runs of the workflow, shared by all tests of this folder: a run takes a minute."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
import yaml
from running import contents, run

OTHERWISE = {
    "samples": {"trials": 2},
    "select": {"count": 25},
    "tags": {"draw": 0.95},
    "choose": {"rule": "silhouette"},
    "autoencoder": {"epochs": 12},  # long enough to be killed in
}


def made_once(factory, name, make):
    """The folder that `make` fills, once for all workers: others wait, as it takes all cores."""
    workers = os.environ.get("PYTEST_XDIST_WORKER")
    shared = Path(factory.getbasetemp()).parent if workers else Path(factory.getbasetemp())
    folder, made = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run. Look at it, but change nothing in it."""
    return made_once(tmp_path_factory, "finished", run)


@pytest.fixture(scope="session")
def otherwise(tmp_path_factory):
    """An overlay that changes something in every act, and the results of a clean run under it."""

    def make(folder):
        (folder / "overlay.yaml").write_text(yaml.safe_dump(OTHERWISE), encoding="utf-8")
        run(folder / "run", folder / "overlay.yaml")

    folder = made_once(tmp_path_factory, "otherwise", make)
    return folder / "overlay.yaml", contents(folder / "run")


@pytest.fixture
def copy_of_finished(finished, tmp_path):
    """A copy of the finished run, with its times, to be changed at will."""
    directory = tmp_path / "run"
    shutil.copytree(finished, directory, symlinks=True)
    return directory
