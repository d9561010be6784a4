"""Finished runs of the workflow, shared by all tests of this folder: a run takes a minute."""

import shutil

import pytest
from running import contents, overlay, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run. Look at it, but change nothing in it."""
    directory = tmp_path_factory.mktemp("finished")
    run(directory)
    return directory


@pytest.fixture(scope="session")
def otherwise(tmp_path_factory):
    """An overlay that changes something in every act, and the results of a clean run under it."""
    folder = tmp_path_factory.mktemp("otherwise")
    config = overlay(
        folder,
        samples__trials=2,
        select__count=25,
        tags__draw=0.95,
        choose__rule="silhouette",
        autoencoder__epochs=12,  # long enough to be killed in
    )
    run(folder / "run", config)
    return config, contents(folder / "run")


@pytest.fixture
def copy_of_finished(finished, tmp_path):
    """A copy of the finished run, with its times, to be changed at will."""
    directory = tmp_path / "run"
    shutil.copytree(finished, directory, symlinks=True)
    return directory
