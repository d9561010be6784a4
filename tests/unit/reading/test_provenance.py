"""The footer that says how images were read."""

import polars as pl
import pytest

from tagsight.errors import DataError, UserError
from tagsight.reading.provenance import footer, reading_of
from tagsight.run.atomic import write_parquet

KEY, OTHER = bytes(range(32)), bytes(32)
READING = {"keep": ["PatientSex"], "split": [{"into": ["KVP", None]}]}


@pytest.fixture
def shards(tmp_path):
    def written(*footers):
        paths = [tmp_path / f"{i}.parquet" for i in range(len(footers))]
        for path, metadata in zip(paths, footers, strict=True):
            write_parquet(pl.DataFrame({"path": ["x"]}), path, metadata)
        return paths

    return written


def test_what_was_written_is_read(shards):
    assert reading_of(shards(footer(KEY, READING), footer(KEY, READING)), KEY) == READING


def test_shards_that_were_read_differently_are_refused(shards):
    paths = shards(footer(KEY, READING), footer(KEY, {"keep": []}))
    with pytest.raises(DataError, match=r"not all shards were read alike.*without `assign`"):
        reading_of(paths, KEY)
    with pytest.raises(DataError, match="earlier version"):
        reading_of(shards(None), KEY)


def test_another_key_is_refused(shards):
    with pytest.raises(UserError, match=r"privacy\.key_file"):
        reading_of(shards(footer(KEY, READING), footer(OTHER, READING)), KEY)
