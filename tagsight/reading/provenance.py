"""How a run's images were read, in the footer of results/rejected: later ones are read alike."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.errors import DataError
from tagsight.run.hashing import fingerprint, require_same_key


def footer(key: bytes, reading: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata to write: the config values that reading depends on; the key's hash."""
    return {"reading": json.dumps(dict(reading)), "key": fingerprint(key)}


def reading_of(paths: Iterable[Path], key: bytes) -> dict[str, Any]:
    """Return how the images of these shards were read.

    Raises UserError where it was under another key, DataError where shards were read differently.
    """
    footers = [pl.read_parquet_metadata(path) for path in paths]
    different = {metadata.get("reading", "") for metadata in footers}
    if len(different) > 1 or "" in different:
        raise DataError(
            "results/rejected: not all shards were read alike, or by an earlier version; finish "
            "the run first (the same command without `assign`)"
        )
    for metadata in footers:
        require_same_key(key, metadata["key"])
    reading: dict[str, Any] = json.loads(different.pop())
    return reading
