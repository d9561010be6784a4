"""Keyed hashes: the only form in which identifiers leave the reader."""

import hashlib
import os
import secrets
from pathlib import Path

from tagsight.errors import UserError
from tagsight.run.sharing import fault_of, make_folder, mode_of

KEY_BYTES = 32
DIGEST_BYTES = 16


def load_key(path: Path) -> bytes:
    """Return the hash key in `path`, created there on first use, readable as by share_mode.

    A new key is written to a temporary file and linked to `path`, so that of several processes
    that start at once one succeeds, and all read the same 32 random bytes.
    Raises UserError where the file cannot be created or read, can be read or written by others or
    is another user's (`sharing.fault_of`), or holds less than 32 bytes.
    """
    try:
        if not path.exists():
            _make_key(path)
        fault, key = None if _is_published(path) else fault_of(path), path.read_bytes()
    except OSError as error:
        raise UserError(
            f"privacy.key_file: {path} cannot be used ({error.strerror}); "
            "name a file that you can read and write"
        ) from error
    if fault:
        raise UserError(f"privacy.key_file: {path} {fault}: whoever has it can try out identifiers")
    if len(key) < KEY_BYTES:
        raise UserError(
            f"privacy.key_file: {path} holds {len(key)} bytes, {KEY_BYTES} are needed; "
            "restore it, or remove it to have a new one made"
        )
    return key


def _is_published(path: Path) -> bool:
    """Whether a key comes with the clone, for data that are public: it is no secret."""
    return path.resolve().parent == Path(__file__).resolve().parents[2] / "config"


def run_key(key_file: str | None, results: Path = Path("results")) -> bytes:
    """Return the key of a run: of `privacy.key_file`, or else of `key` in the folder of results.

    A key is created where that folder has none.
    Raises UserError where the file that the config names does not exist, and as `load_key`.
    """
    if key_file is None:
        return load_key(results / "key")
    if not Path(key_file).is_file():
        raise UserError(
            f"privacy.key_file: {key_file} is not there; make it (32 random bytes or more), "
            "or leave the key null to have one made in results/"
        )
    return load_key(Path(key_file))


def _make_key(path: Path) -> None:
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode_of("share_mode"))
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return  # another process was first: its key is used
    finally:
        temporary.unlink()


def keyed_hash(key: bytes, text: str) -> str:
    """Return BLAKE2b (RFC 7693) of `text` under `key`, 16 bytes as 32 hex digits.

    Text from bytes that could not be decoded (surrogates) is hashed as those bytes.
    """
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, key=key[:64], digest_size=DIGEST_BYTES).hexdigest()


def fingerprint(key: bytes) -> str:
    """Return 16 hex digits that distinguish keys and reveal nothing about them."""
    return hashlib.blake2b(b"fingerprint", key=key[:64], digest_size=8).hexdigest()


def require_same_key(key: bytes, expected: str) -> None:
    """Raise UserError unless `key` has the `expected` fingerprint: one image has one hash."""
    if fingerprint(key) != expected:
        raise UserError(
            "privacy.key_file: the key is not the one that the files were listed under, so hashes "
            "would not match; restore it, or read all again: snakemake --forcerun files …"
        )


def seeded_rank(seed: int, text: str) -> int:
    """Return the place of a text in a random order, 64 bits that follow from the two alone."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=seed.to_bytes(16, "little"))
    return int.from_bytes(digest.digest(), "little")
