"""How numba compiles, and where it keeps what it has compiled.

numba's own cache lies beside a function's file and checks that file alone, while the machine code
contains functions and constants of other files: after an update it would go on with the old ones.
So the code of a module lies in a folder that is named after the module, all that it imports of the
library, and the processor: jobs on unlike machines that share a clone must not use each other's.
"""

import hashlib
import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numba
from llvmlite import binding
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    _CacheLocator,
)

from tagsight.run.imports import dependencies

_log = logging.getLogger("tagsight")

# Flags of fast math without nnan, because NaN marks a missing number, and without ninf and afn.
# ORDERED: also without reassoc, so that sums keep the order that is written.
ORDERED: dict[str, Any] = {"fastmath": {"nsz", "contract", "arcp"}}
FAST: dict[str, Any] = {"fastmath": {"reassoc", "nsz", "contract", "arcp"}}
# For functions that create, return and keep no arrays. numba counts the references to an array, at
# each view and each field of a tuple, by an atomic instruction: in the innermost functions these
# took half of the time, and more with two threads at one counter.
BARE: dict[str, Any] = {"_nrt": False}
_CLONE = Path(__file__).parents[2]
config: Any = numba.config  # its attributes are set when it is imported


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles by numba, once per machine; options: of `numba.njit`."""

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        if _folder(_source(function)) is not None:
            dispatcher._cache = _Cache(function)
        return dispatcher

    return compiled


def _source(function: Callable[..., Any]) -> Path:
    return Path(function.__code__.co_filename)


class _Place(_CacheLocator):
    """Where the machine code of a function lies, for numba.

    The folder's name covers all that the code depends on, so times of files do not matter: a new
    clone of the same sources can use what another has compiled.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._folder, self._line = _folder(_source(function)), function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], _file: str) -> "_Place":
        return cls(function)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return ""

    def get_disambiguator(self) -> str:
        return str(self._line)


class _Code(CompileResultCacheImpl):
    _locator_classes: ClassVar = [_Place]  # type: ignore[list-item, misc]


class _Files(IndexDataCacheFile):
    """numba's files, each with a digest before its content: what is read from them is executed.

    A file is taken only as it was written, and by whom it belongs to.
    """

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BytesIO]:
        content = BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask lets others do
            file.write(hashlib.blake2b(content.getvalue()).digest() + content.getvalue())

    def _load_index(self) -> dict[Any, str]:
        try:
            content = BytesIO(_whole(self._index_path))
        except FileNotFoundError:
            return {}
        if pickle.load(content) != self._version:
            return {}
        stamp, overloads = pickle.loads(content.read())
        return overloads if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        return pickle.loads(_whole(self._data_path(name)))  # type: ignore[no-untyped-call]


def _whole(path: str) -> bytes:
    """The content of a file of ours; ValueError where it was changed, or others could change it."""
    with open(path, "rb") as file:
        data = file.read() if is_ours(os.fstat(file.fileno())) else b""
    length = hashlib.blake2b().digest_size
    if len(data) < length or hashlib.blake2b(data[length:]).digest() != data[:length]:
        raise ValueError("damaged")
    return data[length:]


def is_ours(status: os.stat_result) -> bool:
    """Return whether a file or folder is this user's, and nobody else can write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


class _Cache(FunctionCache):
    """numba's cache of a function, which treats an unreadable file as missing.

    A file that was cut by a full disk, or that another version of numba wrote, would otherwise end
    every job that loads it (numba's issue 9348).
    """

    _impl_class = _Code

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file = _Files(  # type: ignore[no-untyped-call]
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature; None where it is missing or unreadable."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # whatever a broken pickle or object file raises
            _log.info("machine code of %s: %s; compiled again", self._name, type(error).__name__)
            self.flush()  # type: ignore[no-untyped-call]  # no code can be added to a broken index
            return None


def fingerprint(source: Path, clone: Path) -> str:
    """Return a hash of what a module's machine code depends on: sources, processor, numba."""
    digest = hashlib.sha256(numba.__version__.encode())
    digest.update(binding.get_host_cpu_name().encode())
    digest.update(binding.get_host_cpu_features().flatten().encode())
    for path in sorted({source, *dependencies(source, clone)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def writable(folders: list[Path]) -> Path | None:
    """Return the first folder that can be written to, by us alone, created if needed; else None."""
    others = []
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_others(folder):
                others.append(folder)
                continue
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    for folder in others[:1]:  # none is left
        _log.warning(
            "%s can be changed by others, and what it holds would be run: code is compiled anew; "
            "remove the folder, or set NUMBA_CACHE_DIR to one of your own",
            folder,
        )
    return None


def _is_others(folder: Path) -> bool:
    """Whether another user can write into a folder, or has written what is there."""
    owners = {path.lstat().st_uid for path in (folder, *folder.iterdir())}
    return bool(owners - {os.geteuid(), 0}) or bool(folder.stat().st_mode & 0o022)


def _widen() -> None:
    """Use vectors of 512 bits where the processor has them; NUMBA_CPU_FEATURES has precedence.

    LLVM uses 256 bits on Intel's, since older ones lower their clock, but these kernels gain. This
    applies to all that numba compiles in the process, if it has compiled nothing yet.
    """
    features = binding.get_host_cpu_features()
    if config.CPU_FEATURES is None and features.get("avx512f"):
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


@cache
def _folder(source: Path) -> Path | None:
    """The folder in NUMBA_CACHE_DIR, or else beside the sources or in the user's cache.

    Not a folder that others can write to: what is read from it is executed.
    """
    name = f"tagsight-{source.stem}-{fingerprint(source, _CLONE)}"
    if config.CACHE_DIR:
        return writable([Path(config.CACHE_DIR) / name])
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return writable([parent / name for parent in (source.parent / "__pycache__", home)])


_widen()
