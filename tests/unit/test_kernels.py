"""What is compiled and where it is kept."""

import ast
import importlib
import shutil
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

from tagsight import kernels

FOLDER = Path(kernels.__file__).parent


def compiled(module):
    return [x for x in vars(module).values() if isinstance(x, Dispatcher)]


def borrowed(path):
    """Names that a module has from others of the package, or of these, and of which."""
    found = list(ast.walk(ast.parse(path.read_text())))
    return {
        name.asname or name.name: f"{node.module}.{name.name}".split(".")[1]
        for node in found
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tagsight"
        for name in node.names
    }


def test_the_folder_of_machine_code_hangs_on_all_that_goes_into_it():
    for path in FOLDER.glob("*.py"):
        if "kernel(" not in path.read_text():
            continue
        assert path.stem in kernels.SOURCES
        own = compiled(importlib.import_module(f"tagsight.{path.stem}"))
        used = {name for function in own for name in function.py_func.__code__.co_names}
        elsewhere = {module for name, module in borrowed(path).items() if name in used}
        assert elsewhere <= set(kernels.SOURCES), path


def test_nothing_is_compiled_past_it():
    for path in FOLDER.glob("*.py"):
        assert path.stem == "kernels" or "njit" not in path.read_text()


@pytest.mark.parametrize("name", ["gower", "packing"])
def test_a_changed_source_has_another_folder(tmp_path, name):
    for source in kernels.SOURCES:
        shutil.copy(FOLDER / f"{source}.py", tmp_path)
    assert kernels.fingerprint(tmp_path) == kernels.fingerprint(FOLDER)
    with (tmp_path / f"{name}.py").open("a") as file:
        file.write("TILE = 8\n")
    assert kernels.fingerprint(tmp_path) != kernels.fingerprint(FOLDER)


def test_code_is_kept_where_it_can_be_and_nowhere_if_it_cannot(tmp_path):
    (tmp_path / "a file").touch()
    beyond = tmp_path / "a file" / "folder"  # can't be made, not even by root
    assert kernels.writable([beyond, tmp_path / "x/y", tmp_path]) == tmp_path / "x/y"
    assert not list((tmp_path / "x/y").iterdir())
    assert kernels.writable([beyond]) is None


def test_others_keep_their_own_cache():
    import numba

    from tagsight import gower

    assert "tagsight-" not in (numba.config.CACHE_DIR or "")
    assert Path(gower.compare.stats.cache_path).parent == kernels._folder
