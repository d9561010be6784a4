"""How numba compiles, and where it keeps what it has compiled.

numba's own cache sits beside a function's file and looks at that file alone, while the machine code
holds what was called from other files, and their constants: after an update it would go on with the
old ones. So the code of a module lives in a folder that is named by the module, by all that it
imports of the library, and by the processor: jobs on unlike machines that share a clone must not
take each other's.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numba
from llvmlite import binding
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from tagsight.run.imports import dependencies

# Everything of fast math but "no NaN": a NaN is how a missing number is told. ORDERED: sums stay in
# the order that is written as well.
ORDERED: dict[str, Any] = {"fastmath": {"nsz", "contract", "arcp"}}
FAST: dict[str, Any] = {"fastmath": {"reassoc", "nsz", "contract", "arcp"}}
# For what makes no arrays of its own, and returns and keeps none. numba counts who uses an array,
# at each view and each field of a tuple, by an atomic instruction: in the innermost functions these
# took half of the time, and more with two threads at one counter.
BARE: dict[str, Any] = {"_nrt": False}
_CLONE = Path(__file__).parents[2]
config: Any = numba.config  # its names are made when it is imported


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate what numba is to compile, once a machine: options as of `numba.njit`."""

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        if _folder(_source(function)) is not None:
            dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
        return dispatcher

    return compiled


def _source(function: Callable[..., Any]) -> Path:
    return Path(function.__code__.co_filename)


class _Place(_CacheLocator):
    """Where the machine code of a function lies, for numba.

    The folder's name says all that the code depends on, so times of files say nothing: a new clone
    of the same sources can take up what another has compiled.
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


class _Cache(FunctionCache):
    """numba's cache of a function, which takes what it cannot read for what is not there.

    A file that was cut by a full disk, or that another version of numba wrote, would else end every
    job that loads it (numba's issue 9348).
    """

    _impl_class = _Code

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature; None where there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # whatever a broken pickle or object file raises
            self.flush()  # type: ignore[no-untyped-call]  # no code can be added to a broken index
            return None


def fingerprint(source: Path, clone: Path) -> str:
    """Return what the machine code of a module depends on: sources, processor, numba's version."""
    made = hashlib.sha256(numba.__version__.encode())
    made.update(binding.get_host_cpu_name().encode())
    made.update(binding.get_host_cpu_features().flatten().encode())
    for path in sorted({source, *dependencies(source, clone)}):
        made.update(path.read_bytes())
    return made.hexdigest()[:16]


def writable(folders: list[Path]) -> Path | None:
    """The first folder that files can be made in, made if need be; None where there is none."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _widen() -> None:
    """Have vectors of 512 bits where there are any; NUMBA_CPU_FEATURES has precedence.

    LLVM keeps to half of it on Intel's, since older ones lower their clock, but these kernels gain.
    It holds for all that numba compiles in the process, if it has compiled nothing yet.
    """
    features = binding.get_host_cpu_features()
    if config.CPU_FEATURES is None and features.get("avx512f"):
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


@cache
def _folder(source: Path) -> Path | None:
    """Where NUMBA_CACHE_DIR says; else beside the sources or in the user's cache.

    Not where others can write: what is read from there is run.
    """
    name = f"tagsight-{source.stem}-{fingerprint(source, _CLONE)}"
    if config.CACHE_DIR:
        return writable([Path(config.CACHE_DIR) / name])
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return writable([parent / name for parent in (source.parent / "__pycache__", home)])


_widen()
