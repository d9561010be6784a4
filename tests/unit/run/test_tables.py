"""The archive's tables: shards as one, and paths without UIDs."""

import polars as pl

from tagsight.run.tables import scan, without_uids


def test_shards_with_different_columns_are_one_table(tmp_path):
    pl.DataFrame({"image": ["a"], "KVP": ["120"]}).write_parquet(tmp_path / "0.parquet")
    pl.DataFrame({"image": ["b"], "EchoTime": ["9"]}).write_parquet(tmp_path / "1.parquet")
    table = scan([tmp_path / "0.parquet", tmp_path / "1.parquet"]).collect()
    assert table.to_dict(as_series=False) == {
        "image": ["a", "b"],
        "KVP": ["120", None],
        "EchoTime": [None, "9"],
    }


def test_uids_in_paths_are_masked_and_nothing_else_is():
    paths = pl.DataFrame(
        {"path": ["/a/MR.1.3.12.2.1107.5.2.32/x-1.2.840.10008.1.2.dcm", "/b/v1.2.3/IM0001.dcm"]}
    )
    masked = paths.select(without_uids(pl.col("path")))["path"].to_list()
    assert masked == ["/a/MR.*/x-*.dcm", "/b/v1.2.3/IM0001.dcm"]
