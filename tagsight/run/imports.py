"""The dependencies of a Python file: modules of the library, and the tables that they name.

Recipes and the folders of compiled code are named after them, so with a missing dependency old
results or old machine code would be used. What cannot be resolved to a file is an error.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "tagsight"
TABLES = ("tagsight/data", "tagsight/report/templates")  # folders whose files a text may name
_AT_RUN_TIME = ("importlib", "importlib.util", "importlib.machinery", "runpy", "pkgutil")


def dependencies(source: Path, clone: Path) -> set[Path]:
    """Return the modules that `source` imports, directly or not, and the tables that they name.

    Raises ImportError as `direct_dependencies`.
    """
    files: set[Path] = set()
    waiting = [source]
    while waiting:
        new = direct_dependencies(waiting.pop(), clone) - files
        files |= new
        waiting += [path for path in new if path.suffix == ".py"]
    return files


@cache
def direct_dependencies(source: Path, clone: Path) -> frozenset[Path]:
    """Return the files of the library that `source` itself imports, and the tables it names.

    Modules are imported as `from tagsight.room import module` or `from tagsight.room.module import
    name`. Raises ImportError, with file and line, for all else, since what it leads to cannot be
    seen: `import tagsight.room.module`, which makes whole rooms reachable; a package itself, or a
    name from its `__init__`; a relative import; what imports or runs code at run time.
    """
    tree = ast.parse(source.read_bytes())
    modules = {path for node in ast.walk(tree) for path in _modules(node, source, clone)}
    tables = {clone / folder / text for text in _texts(tree) for folder in TABLES}
    return frozenset(modules | {path for path in tables if path.is_file()})


def _texts(tree: ast.AST) -> Iterator[str]:
    """Texts that may be a file's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if text.isprintable() and len(text) < 200 and not text.startswith(("/", ".")):
                yield text


def _modules(node: ast.AST, source: Path, clone: Path) -> Iterator[Path]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if _is_ours(alias.name) or alias.name in _AT_RUN_TIME:
                raise _unresolved(f"import {alias.name}", node, source)
    elif isinstance(node, ast.ImportFrom):
        if node.level or node.module in _AT_RUN_TIME:
            raise _unresolved("a relative import, or one at run time", node, source)
        if _is_ours(node.module or ""):
            yield from _imported_from(str(node.module), node, source, clone)
    elif isinstance(node, ast.Name) and node.id in ("__import__", "exec", "eval"):
        raise _unresolved(node.id, node, source)


def _imported_from(module: str, node: ast.ImportFrom, source: Path, clone: Path) -> Iterator[Path]:
    if _path(module, clone).is_file():
        yield _path(module, clone)
        return
    for alias in node.names:
        yield _module(f"{module}.{alias.name}", node, source, clone)


def _module(name: str, node: ast.AST, source: Path, clone: Path) -> Path:
    path = _path(name, clone)
    if not path.is_file():
        raise _unresolved(f"{name}, which is no module", node, source)
    return path


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE


def _path(name: str, clone: Path) -> Path:
    return clone / f"{name.replace('.', '/')}.py"


def _unresolved(what: str, node: ast.AST, source: Path) -> ImportError:
    line = getattr(node, "lineno", 0)
    return ImportError(
        f"{source}, line {line}: {what}: what it depends on can't be seen, so its results could "
        f"go stale; import a module of {PACKAGE} by its full name"
    )
