"""Files that are written whole or not at all: to a temporary name, then renamed."""

import errno
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagsight.errors import DataError
from tagsight.run.plain_text import for_spreadsheets
from tagsight.run.sharing import Readers, make_folder, mode_of

SIGNIFICANT_DIGITS = 10
# Names of a shard's or a sample's files, as in the wildcard constraints of rules/common.smk.
_OF_A_RUN = re.compile(r"(\d+|tuning|holdout|autoencoder|trial-\d+)\.(parquet|npy|safetensors)")


@contextmanager
def writing(path: Path | str, *, readers: Readers = "share_mode") -> Iterator[Path]:
    """Yield a temporary path beside `path`; on leaving without an error it becomes `path`.

    readers: who may read it, see `sharing`; while it is written the owner alone may.

    The file is flushed to disk before it is renamed, so that a crash of the machine leaves the
    old file or the new one. Its parent folders are created.
    Raises DataError where the disk is full.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _create(temporary)
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode_of(readers))
        temporary.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        if not _is_full(error):
            raise
        raise DataError(
            f"{path}: the disk is full; make room and run again: what was read and trained is kept"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _create(temporary: Path) -> None:
    """Create a file that the owner alone can read: what had its name is no longer there."""
    temporary.unlink(missing_ok=True)  # of a process of this number that was killed
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _is_full(error: Exception) -> bool:
    """Whether a disk is full; polars gives errors of the system as text."""
    numbers = {errno.ENOSPC, errno.EDQUOT}
    if isinstance(error, OSError):
        return error.errno in numbers
    return any(f"(os error {number})" in str(error) for number in numbers)


def write_parquet(
    frame: pl.DataFrame,
    path: Path | str,
    metadata: dict[str, str] | None = None,
    *,
    readers: Readers = "share_mode",
) -> None:
    """Write a table as parquet with zstd, and `metadata` (name → text) in its footer."""
    with writing(path, readers=readers) as temporary:
        frame.write_parquet(temporary, compression="zstd", metadata=metadata)


def stream_parquet(frame: pl.LazyFrame, path: Path | str) -> None:
    """Write a table as parquet with zstd, without all of it in memory."""
    with writing(path) as temporary:
        frame.sink_parquet(temporary, compression="zstd", row_group_size=8192)


def write_csv(
    table: pl.LazyFrame | pl.DataFrame, path: Path | str, *, readers: Readers = "share_mode"
) -> None:
    """Write a table for people as CSV, without all of it in memory; floats have 6 decimals.

    Its texts are made plain, see `plain_text.for_spreadsheets`.
    """
    with writing(path, readers=readers) as temporary:
        rows = for_spreadsheets(table.lazy())
        rows.sink_csv(temporary, float_precision=6, maintain_order=True)


def write_json(content: Any, path: Path | str) -> None:
    """Write JSON with floats rounded to 10 significant digits.

    Ten digits are more than any figure here needs, and too few to show in which order a sum was
    computed: so equal results have the same bytes.
    Raises ValueError where there is a NaN or an infinity.
    """
    with writing(path) as temporary:
        temporary.write_text(json.dumps(_rounded(content), indent=1, allow_nan=False) + "\n")


def write_npy(array: np.ndarray, path: Path | str) -> None:
    """Write an array as .npy."""
    with writing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array)


def write_file(content: bytes | str, path: Path | str, *, readers: Readers = "share_mode") -> None:
    """Write bytes, or text as UTF-8."""
    with writing(path, readers=readers) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def forget_others(folders: Iterable[Path], stems: Collection[str]) -> None:
    """Remove the files of shards or samples that no longer exist from `folders`.

    stems: names, without suffix, of the files to keep.
    A reader of a whole folder must not read the parts of another run. Whatever else is there is not
    ours: files of other names, folders, links, and all behind a folder that is a link.
    """
    for folder in folders:
        for path in () if folder.is_symlink() else folder.glob("*"):
            ours = _OF_A_RUN.fullmatch(path.name) and path.is_file() and not path.is_symlink()
            if ours and path.name.split(".")[0] not in stems:
                path.unlink()


def read_json(path: Path | str) -> Any:
    """Return what a JSON file holds.

    Raises DataError where it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: not JSON (line {error.lineno}); delete it and run again"
        ) from None


def _rounded(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_rounded(value) for value in content]
    if isinstance(content, (bool, np.bool_)):
        return bool(content)
    if isinstance(content, np.integer):
        return int(content)
    if isinstance(content, (float, np.floating)):
        return float(f"{content:.{SIGNIFICANT_DIGITS}g}")
    return content
