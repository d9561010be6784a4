"""A finished run of the workflow, shared by all tests of this folder."""

import shutil

import pytest
from running import run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run. Look at it, but change nothing in it."""
    directory = tmp_path_factory.mktemp("finished")
    run(directory)
    return directory


@pytest.fixture
def copy_of_finished(finished, tmp_path):
    """A copy of the finished run, with its times, to be changed at will."""
    directory = tmp_path / "run"
    shutil.copytree(finished, directory, symlinks=True)
    return directory
