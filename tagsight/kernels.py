"""How numba compiles, and where it keeps what it has compiled.

numba's own cache sits beside a function's file and looks at that file alone, while the machine code
holds what was called from other files, and their constants: after an update it would go on with the
old ones. So the code lives in a folder that is named by all sources that go into it, and by the
processor: jobs on unlike machines that share a clone must not take each other's.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import binding

# Everything of fast math but "no NaN": a NaN is how a missing number is told. ORDERED: sums stay in
# the order that is written as well.
ORDERED: dict[str, Any] = {"fastmath": {"nsz", "contract", "arcp"}}
FAST: dict[str, Any] = {"fastmath": {"reassoc", "nsz", "contract", "arcp"}}
# For what makes no arrays of its own, and returns and keeps none. numba counts who uses an array,
# at each view and each field of a tuple, by an atomic instruction: in the innermost functions these
# took half of the time, and more with two threads at one counter.
BARE: dict[str, Any] = {"_nrt": False}
# What is compiled, and the modules whose constants it holds.
SOURCES = (
    "elements",
    "evaluation",
    "exchanges",
    "fasterpam",
    "gathering",
    "gower",
    "kernels",
    "medoids",
    "packing",
    "prototypes",
    "scan",
    "silhouettes",
    "swaps",
    "tokens",
    "vocabulary",
    "why",
)
_HERE = Path(__file__).parent
config: Any = numba.config  # its names are made when it is imported


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorates what numba is to compile, once a machine: options as of `numba.njit`."""

    def compiled(function: Callable[..., Any]) -> Any:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(_folder or "")
        try:
            return numba.njit(cache=_folder is not None, **options)(function)
        finally:
            config.CACHE_DIR = before

    return compiled


def fingerprint(folder: Path) -> str:
    """What the machine code hangs on: the sources in `folder`, the processor, numba's version."""
    made = hashlib.sha256(numba.__version__.encode())
    made.update(binding.get_host_cpu_name().encode())
    made.update(binding.get_host_cpu_features().flatten().encode())
    for name in SOURCES:
        made.update((folder / f"{name}.py").read_bytes())
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


def _places() -> list[Path]:
    """Where NUMBA_CACHE_DIR says; else beside the sources or in the user's cache.

    Not where others can write: what is read from there is run.
    """
    name = f"tagsight-{fingerprint(_HERE)}"
    if config.CACHE_DIR:
        return [Path(config.CACHE_DIR) / name]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return [parent / name for parent in (_HERE / "__pycache__", home)]


_widen()
_folder = writable(_places())
