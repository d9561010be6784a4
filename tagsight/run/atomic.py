"""Files that are written whole or not at all: to a temporary name, then renamed."""

import errno
import hashlib
import json
import os
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
from safetensors import safe_open

from tagsight.errors import DataError, UserError
from tagsight.run.plain_text import for_spreadsheets
from tagsight.run.progress import LOG
from tagsight.run.sharing import Readers, make_folder, mode_of

SIGNIFICANT_DIGITS = 10
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # the last by `ulimit -f`
# A checksum inside a file: at the end of arrays, in the metadata of tables and weights.
_KEY, _MARK, _DIGITS = "checksum", b"tagsight-crc32:", 8
SEAL = {_KEY: _MARK.decode() + "0" * _DIGITS}  # as metadata, before the file is complete
_SEALED = (".npy", ".parquet", ".safetensors")
_REACH = 2**20  # bytes at both ends of a file in which its checksum is looked for
_STATE = b"tagsight"  # the first bytes of a state
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with telling_of_a_full_disk(path):
        make_folder(path.parent)
        try:
            _create(temporary)
            yield temporary
            _seal(temporary, path.suffix)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(mode_of(readers))
            temporary.replace(path)
        except Exception as error:
            if not isinstance(error, UserError) and not _is_full(error) and _no_room_at(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            if isinstance(error, OSError) and error.filename in (temporary, str(temporary)):
                raise DataError(
                    f"{path}: cannot be written ({error.strerror}); see that the folder is yours "
                    "and that its disk is in order, and run again"
                ) from error
            raise
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def telling_of_a_full_disk(path: Path | str) -> Iterator[None]:
    """Raise a DataError with the path of a file where it could not be written for want of room."""
    try:
        yield
    except Exception as error:
        if not _is_full(error):
            raise
        raise DataError(
            f"{path}: the disk is full, or a quota used up; make room and run again: what was read "
            "and trained is kept"
        ) from error


def _is_full(error: BaseException | None) -> bool:
    """Whether a disk is full, or a quota used up; libraries in Rust give such errors as text."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    told = any(f"(os error {number})" in str(error) for number in _FULL)
    return told or _is_full(error.__cause__ or error.__context__)


def _no_room_at(path: Path) -> bool:
    """Whether a disk has no room left: some libraries say only that they could not write."""
    probe = path.with_name(f".{path.name}.{os.getpid()}.probe")
    try:
        with open(probe, "wb") as file:
            file.write(bytes(2**20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in _FULL
    finally:
        probe.unlink(missing_ok=True)
    return False


def _create(temporary: Path) -> None:
    """Create a file that the owner alone can read: what had its name is no longer there."""
    temporary.unlink(missing_ok=True)  # of a process of this number that was killed
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write_parquet(
    frame: pl.DataFrame,
    path: Path | str,
    metadata: dict[str, str] | None = None,
    *,
    readers: Readers = "share_mode",
) -> None:
    """Write a table as parquet with zstd, and `metadata` (name → text) in its footer."""
    with writing(path, readers=readers) as temporary:
        frame.write_parquet(temporary, compression="zstd", metadata=SEAL | (metadata or {}))


def stream_parquet(frame: pl.LazyFrame, path: Path | str) -> None:
    """Write a table as parquet with zstd, without all of it in memory."""
    with writing(path) as temporary:
        frame.sink_parquet(temporary, compression="zstd", row_group_size=8192, metadata=SEAL)


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
        text = json.dumps(_rounded(content), indent=1, allow_nan=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


def write_npy(array: np.ndarray, path: Path | str) -> None:
    """Write an array as .npy."""
    with writing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array)


def write_file(content: bytes | str, path: Path | str, *, readers: Readers = "share_mode") -> None:
    """Write bytes, or text as UTF-8."""
    with writing(path, readers=readers) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def is_damaged(path: Path | str) -> bool:
    """Return whether an array, a table or weights of ours are not as they were written.

    A file without a checksum is not ours, or of an earlier version, or was cut: it is taken as it
    is if it can be opened.
    """
    if Path(path).suffix not in _SEALED or not Path(path).is_file():
        return False
    place = _place_of_checksum(Path(path))
    if place is None:
        return not _can_be_opened(Path(path))
    with open(path, "rb") as file:
        file.seek(place)
        return file.read(_DIGITS) != _checksum(Path(path), place)


def is_sealed(path: Path | str) -> bool:
    """Return whether a file has a checksum of ours."""
    return _place_of_checksum(Path(path)) is not None


def _can_be_opened(path: Path) -> bool:
    try:
        if path.suffix == ".parquet":
            pl.read_parquet_schema(path)
        elif path.suffix == ".npy":
            np.load(path, mmap_mode="r")
        else:
            with safe_open(path, "numpy"):
                pass
    except Exception:  # whatever a library makes of half a file
        return False
    return True


def _seal(path: Path, suffix: str) -> None:
    """Write the checksum of a file into it, where its kind has a place for it."""
    if suffix == ".npy":
        with open(path, "ab") as file:
            file.write(_MARK + b"0" * _DIGITS)
    if suffix in _SEALED and (place := _place_of_checksum(path)) is not None:
        checksum = _checksum(path, place)
        with open(path, "r+b") as file:
            file.seek(place)
            file.write(checksum)


def _place_of_checksum(path: Path) -> int | None:
    size = path.stat().st_size
    with open(path, "rb") as file:
        for start in (max(size - _REACH, 0), 0):
            file.seek(start)
            if (at := file.read(_REACH).rfind(_MARK)) >= 0:
                return start + at + len(_MARK)
    return None


def _checksum(path: Path, place: int) -> bytes:
    """CRC-32 in hex of a file with zeros in the place of its checksum."""
    with open(path, "rb") as file:
        crc = zlib.crc32(b"0" * _DIGITS, _crc_of(file, place, 0))
        file.seek(place + _DIGITS)
        return b"%08x" % _crc_of(file, None, crc)


def _crc_of(file: BinaryIO, size: int | None, crc: int) -> int:
    while size is None or size > 0:
        block = file.read(_REACH if size is None else min(_REACH, size))
        if not block:
            break
        crc = zlib.crc32(block, crc)
        size = None if size is None else size - len(block)
    return crc


def write_state(content: bytes, path: Path | str) -> None:
    """Write the state of work in progress with its checksum, see `read_state`."""
    digest = hashlib.blake2b(content, digest_size=16).digest()
    write_file(_STATE + digest + content, path)


def read_state(path: Path) -> bytes | None:
    """Return a state of work in progress; None where there is none, or none that is whole.

    One that was cut, changed or written by another version is removed, and a line says so.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    start = len(_STATE) + 16
    content = data[start:]
    if data[:start] == _STATE + hashlib.blake2b(content, digest_size=16).digest():
        return content
    forget_state(path)
    return None


def forget_state(path: Path) -> None:
    """Remove a state that cannot be used, and say so."""
    LOG.warning("%s of an earlier try is damaged or of another version: begun anew", path.name)
    path.unlink(missing_ok=True)


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


def read_text(path: Path | str) -> str:
    """Return a text as it was written: as UTF-8, in any locale."""
    return Path(path).read_text(encoding="utf-8")


def read_json(path: Path | str) -> Any:
    """Return what a JSON file holds.

    Raises DataError where it is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: not JSON (line {error.lineno}); delete it and run again"
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not JSON; delete it and run again") from None


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
