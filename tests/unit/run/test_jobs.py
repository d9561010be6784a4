"""A job's log, its one line for the terminal, and its folder for work in progress."""

import errno
import os
import resource
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tagsight.errors import DataError
from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged, resume_folder
from tagsight.run.progress import LOG

CLONE = Path(__file__).parents[3]


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield SimpleNamespace(
        rule="clusters",
        wildcards=["tuning"],
        input=[],
        output=["results/clusters/tuning.parquet"],
        log=[str(tmp_path / "job.log")],
        scriptdir=str(CLONE / "scripts"),
        params=SimpleNamespace(recipe="0123456789abcdef"),
        threads=1,
        resources={"mem_mb": 2000, "runtime": 30},
    )
    LOG.handlers, LOG.propagate = [], True


def test_information_goes_to_the_log_and_warnings_to_the_terminal_too(job, capsys):
    with logged(job):
        LOG.info("all is well")
        LOG.warning("samples shrink")
    log, terminal = Path(job.log[0]).read_text(encoding="utf-8"), capsys.readouterr().err
    assert "all is well" in log
    assert "samples shrink" in log
    assert terminal == "clusters/tuning: samples shrink\n"


def test_an_error_of_the_user_is_one_line(job, capsys):
    with pytest.raises(SystemExit) as stop, logged(job):
        raise DataError("samples.trials: too many")
    assert stop.value.code == 1
    assert capsys.readouterr().err == "clusters/tuning: samples.trials: too many\n"
    assert "Traceback" not in Path(job.log[0]).read_text(encoding="utf-8")


def test_a_message_has_one_line_and_nothing_that_a_terminal_obeys(job, capsys):
    with logged(job):
        LOG.warning("%s is odd", "a\x1b[2Jb\u202e")
        LOG.error("input: x\nclusters: all is well\r")
    terminal, log = capsys.readouterr().err, Path(job.log[0]).read_text(encoding="utf-8")
    assert terminal.count("\n") == 2
    assert len(log.splitlines()) == 3  # the last of which is what the job used
    for said in (terminal, log):
        assert not {"\x1b", "\u202e", "\r"} & {*said}
        assert r"x\nclusters" in said


def test_jobs_leave_no_core_dumps(job):
    with logged(job):
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def test_any_other_error_leaves_its_traceback_in_the_log_alone(job, capsys):
    with pytest.raises(SystemExit), logged(job):
        raise ZeroDivisionError
    assert "Traceback" in Path(job.log[0]).read_text(encoding="utf-8")
    terminal = capsys.readouterr().err
    assert "Traceback" not in terminal
    assert job.log[0] in terminal


def test_neither_errors_nor_warnings_quote_the_archive(job, capsys):
    name = "DOE" + "^JOHN"  # in two, for a traceback quotes the source

    def read(path):
        warnings.warn(f"an odd value in {path}", stacklevel=1)
        try:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        except OSError as error:
            raise ValueError(f"not a number: {path}") from error

    with pytest.raises(SystemExit), logged(job):
        read("/archive/" + name)
    log, terminal = Path(job.log[0]).read_text(encoding="utf-8"), capsys.readouterr().err
    assert "DOE" not in log + terminal
    for word in ("UserWarning at", "OSError ENOSPC", "builtins.ValueError", "in read", "test_jobs"):
        assert word in log


def test_a_library_that_is_not_the_clones_is_refused(job, capsys):
    job.scriptdir = "/elsewhere/scripts"
    with pytest.raises(SystemExit), logged(job):
        pytest.fail("the body must not run")
    assert "pip install -e /elsewhere" in capsys.readouterr().err


def test_work_under_another_recipe_is_not_taken_up(job):
    old = resume_folder(job)
    (old / "part").touch()
    assert (resume_folder(job) / "part").exists()
    job.params.recipe = "f" * 16
    assert list(resume_folder(job).iterdir()) == []
    assert not old.exists()


def test_work_on_other_data_is_not_taken_up(job, tmp_path):
    given = tmp_path / "features.parquet"
    given.write_text("three rows", encoding="utf-8")
    job.input = [str(given)]
    old = resume_folder(job)
    (old / "part").touch()
    assert (resume_folder(job) / "part").exists()
    given.write_text("a hundred rows", encoding="utf-8")
    assert list(resume_folder(job).iterdir()) == []
    assert not old.exists()


def test_a_store_is_taken_up_whatever_the_inputs_are(job, tmp_path):
    given = tmp_path / "files.parquet"
    given.write_text("one file", encoding="utf-8")
    job.input = [str(given)]
    store = resume_folder(job, "0" * 16)
    given.write_text("two files", encoding="utf-8")
    assert resume_folder(job, "0" * 16) == store


def test_an_input_that_is_not_as_it_was_written_is_removed_and_said(job, capsys):
    """So that the next run makes it anew."""
    path = Path("results/images/tuning.npy")
    write_npy(np.arange(1000), path)
    job.input = [str(path)]
    with logged(job):
        pass
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    with pytest.raises(SystemExit), logged(job):
        pytest.fail("the body must not run")
    assert "cut or changed since; it was removed: run again" in capsys.readouterr().err
    assert not path.exists()
    path.write_bytes(b"half a file, without a checksum")
    with pytest.raises(SystemExit), logged(job):
        pytest.fail("the body must not run")
    assert "cut or changed since; delete it and run again" in capsys.readouterr().err


def test_an_input_of_the_users_is_never_touched(job, tmp_path):
    table = tmp_path / "elsewhere/results/table.parquet"
    table.parent.mkdir(parents=True)
    table.write_bytes(b"no parquet at all")
    job.input = [str(table)]
    with logged(job):
        pass
    assert table.exists()


def test_a_panic_of_a_library_in_rust_is_in_the_log_alone(job, capsys):
    """It is no Exception, and its text quotes what it met."""

    class PanicError(BaseException):
        pass

    name = "JOHN"[::-1]  # a traceback quotes the source
    with pytest.raises(SystemExit) as stop, logged(job):
        raise PanicError(f"called unwrap on {name}")
    assert stop.value.code == 1
    terminal = capsys.readouterr().err
    assert "unexpected PanicError; the traceback is in" in terminal
    assert "NHOJ" not in terminal + Path(job.log[0]).read_text(encoding="utf-8")


NOISY = r"""
import os, sys
from types import SimpleNamespace
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
job = SimpleNamespace(rule="tags", wildcards=[], input=[], log=["a.log"], scriptdir=sys.argv[1])
job.threads, job.resources = 1, {}
with logged(job):
    LOG.warning("\u00dcbersicht: \u8db3\u9996")
    os.write(2, b"thread panicked at DOE^JOHN")
    os.write(1, b"out")
"""


def test_what_a_library_writes_to_the_terminal_on_its_own_goes_nowhere(tmp_path):
    """In a locale that knows no Umlaut, too."""
    done = subprocess.run(
        [sys.executable, "-c", NOISY, str(CLONE / "scripts")],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(CLONE), "LC_ALL": "C", "PYTHONUTF8": "0"},
        check=False,
    )
    assert done.stderr.decode() == r"tags: \xdcbersicht: \u8db3\u9996" + "\n"
    assert "Übersicht: 足首" in (tmp_path / "a.log").read_text(encoding="utf-8")
