"""What is compiled and where it is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from tagsight.gower import metric
from tagsight.run import compiling
from tagsight.run.imports import dependencies

CLONE = Path(compiling.__file__).parents[2]
LIBRARY = CLONE / "tagsight"
KERNEL = """
from tagsight.run.compiling import kernel


@kernel()
def double(x):
    return 2 * x
"""


def clone_with(folder, *names):
    """A clone with these modules of the library alone."""
    for name in names:
        path = folder / "tagsight" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LIBRARY / name, path)
    return folder


def test_nothing_is_compiled_past_it():
    files = [path for path in LIBRARY.rglob("*.py") if "njit" in path.read_text(encoding="utf-8")]
    assert files == [Path(compiling.__file__)]


@pytest.mark.parametrize("name", ["gower/metric.py", "gower/packing.py", "run/compiling.py"])
def test_another_source_of_a_kernel_has_another_folder(tmp_path, name):
    source = LIBRARY / "gower/metric.py"
    sources = [path.relative_to(LIBRARY) for path in {source, *dependencies(source, CLONE)}]
    clone = clone_with(tmp_path, *sources)
    copy = clone / "tagsight/gower/metric.py"
    assert compiling.fingerprint(copy, clone) == compiling.fingerprint(source, CLONE)
    with (clone / "tagsight" / name).open("a", encoding="utf-8") as file:
        file.write("TILE = 8\n")
    # Another clone, as imports are remembered by path.
    again = shutil.copytree(clone, tmp_path / "again", ignore=lambda *_: ["again"])
    assert compiling.fingerprint(
        again / "tagsight/gower/metric.py", again
    ) != compiling.fingerprint(source, CLONE)


def test_code_is_kept_where_it_can_be_and_nowhere_if_it_cannot(tmp_path):
    (tmp_path / "a file").touch()
    beyond = tmp_path / "a file" / "folder"  # can't be made, not even by root
    assert compiling.writable([beyond, tmp_path / "x/y", tmp_path]) == tmp_path / "x/y"
    assert not list((tmp_path / "x/y").iterdir())
    assert compiling.writable([beyond]) is None


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o722])
def test_code_that_others_may_have_written_is_not_loaded(tmp_path, caplog, mode):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    assert compiling.writable([tmp_path / "open", tmp_path / "own"]) == tmp_path / "own"
    assert not caplog.text
    assert compiling.writable([tmp_path / "open"]) is None
    assert "can be changed by others" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_code_in_a_folder_or_a_file_of_another_user_is_not_loaded(tmp_path):
    for name in ("folder", "file"):
        (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / name / "code").touch()
    os.chown(tmp_path / "folder", 12345, -1)
    os.chown(tmp_path / "file/code", 12345, -1)
    assert compiling.writable([tmp_path / "folder", tmp_path / "file"]) is None


def test_others_keep_their_own_cache():
    assert "tagsight-" not in (numba.config.CACHE_DIR or "")
    assert "tagsight-metric-" in metric.compare.stats.cache_path


def doubled(tmp_path):
    """What a kernel in a file of its own answers, and from where its code came, in a process."""
    (tmp_path / "doubling.py").write_text(KERNEL, encoding="utf-8")
    code = "import doubling as d; print(d.double(21), sum(d.double.stats.cache_hits.values()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": f"{tmp_path}{os.pathsep}{CLONE}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_copy_of_the_sources_takes_up_the_code_of_the_first(tmp_path):
    """Times of files, which differ from clone to clone, say nothing."""
    assert doubled(tmp_path) == ["42", "0"]
    (tmp_path / "doubling.py").unlink()
    assert doubled(tmp_path) == ["42", "1"]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("left", ["", "cut", "other"])
def test_a_broken_file_of_machine_code_is_taken_for_missing_and_made_anew(tmp_path, kind, left):
    assert doubled(tmp_path) == ["42", "0"]
    assert doubled(tmp_path) == ["42", "1"]
    (path,) = tmp_path.rglob(f"*.{kind}")
    whole = path.read_bytes()
    path.write_bytes({"": b"", "cut": whole[: len(whole) // 2], "other": b"no pickle"}[left])
    assert doubled(tmp_path) == ["42", "0"]
    assert doubled(tmp_path) == ["42", "1"]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_a_changed_byte_of_machine_code_is_found_out(tmp_path, kind):
    """It would be executed."""
    assert doubled(tmp_path) == ["42", "0"]
    (path,) = tmp_path.rglob(f"*.{kind}")
    whole = bytearray(path.read_bytes())
    whole[-len(whole) // 3] ^= 1
    path.write_bytes(whole)
    assert doubled(tmp_path) == ["42", "0"]
    assert doubled(tmp_path) == ["42", "1"]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_machine_code_that_others_can_write_is_not_run(tmp_path, kind):
    assert doubled(tmp_path) == ["42", "0"]
    (path,) = tmp_path.rglob(f"*.{kind}")
    path.chmod(0o666)
    assert doubled(tmp_path) == ["42", "0"]


def test_a_folder_that_others_can_write_to_holds_no_machine_code(tmp_path):
    """Whoever can put a file there could have it executed."""
    for name, mode in (("open", 0o777), ("of the group", 0o775), ("mine", 0o755)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    folders = [tmp_path / name for name in ("open", "of the group", "mine")]
    assert compiling.writable(folders) == tmp_path / "mine"
    assert compiling.writable(folders[:2]) is None
