"""What notebooks use: the front door of the library."""

import ast
import inspect
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from polars.testing import assert_frame_equal
from pydicom.data import get_testdata_file

from tagsight import api
from tagsight.errors import DataError

CLONE = Path(__file__).parents[2]


def table(seed, n):
    """Series of three kinds, with some values missing, as a research table has them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    thickness = np.array([1.0, 5.0, np.nan])[kind] + rng.normal(0, 0.1, n)
    return pl.DataFrame(
        {
            "Modality": np.array(["CT", "MR", "CR"])[kind],
            "BodyPartExamined": np.array(["CHEST", "BRAIN", "CHEST"])[kind],
            "SliceThickness": thickness,
            "KVP": np.where(kind == 1, np.nan, 120 - 20 * (rng.random(n) < 0.2)),
            "Rows": np.where(kind == 2, 2048, 512),
            "PatientName": [f"Doe^{i}" for i in range(n)],
        }
    ).fill_nan(None)


def test_clusters_are_the_kinds_of_a_table_and_carry_their_names():
    tags = table(1, 90)
    result = api.cluster_tags(tags, k=[2, 3])
    assert result.k == 3
    together = result.clusters.with_columns(tags["Modality"])
    assert together.group_by("cluster").agg(pl.col("Modality").n_unique())["Modality"].max() == 1
    names = {name.split()[0] for name in result.names.values()}
    assert names == {"CT", "MR", "CR"}
    assert result.clusters["medoid"].sum() == 3
    assert set(result.grid["k"]) == {2, 3}


def test_new_images_go_to_the_nearest_medoid_and_known_ones_where_they_are():
    tags = table(2, 60)
    result = api.cluster_tags(tags, k=3)
    again = result.place(tags)
    assert_frame_equal(
        again.select("image", "cluster", "name", "distance"),
        result.clusters.select("image", "cluster", "name", "distance"),
        check_exact=False,
    )
    new = result.place(pl.DataFrame({"Modality": ["MR"], "BodyPartExamined": ["BRAIN"]}))
    assert new["name"][0].startswith("MR")


def test_distances_are_gowers_by_its_formula():
    result = api.cluster_tags(table(3, 40), k=3)
    rows = result.medoids
    wanted = np.zeros((3, 3))
    for i, a in enumerate(rows.iter_rows(named=True)):
        for j, b in enumerate(rows.iter_rows(named=True)):
            unlike, weight = 0.0, 0.0
            for column in result.encoding.columns:
                x, y = a[column.name], b[column.name]
                if x is None or y is None:
                    continue
                span = 1 if column.kind == "categorical" else column.maximum - column.minimum
                differ = (x != y) if column.kind == "categorical" else abs(x - y) / span
                unlike, weight = unlike + column.weight * differ, weight + column.weight
            wanted[i, j] = unlike / weight if weight else 1
    np.testing.assert_allclose(api.gower_distances(rows, result.encoding), wanted, atol=1e-6)


def test_a_folder_is_read_without_what_identifies(tmp_path):
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(get_testdata_file(name), tmp_path)
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    tags, rejected = api.read_folder([tmp_path / "CT_small.dcm", tmp_path])
    assert sorted(tags["Modality"]) == ["CT", "MR"]
    assert rejected["reason"].to_list() == ["not_dicom"]
    stored = pydicom.dcmread(tmp_path / "CT_small.dcm")
    values = {value for row in tags.drop("path").rows() for value in row}
    assert not {str(stored.PatientName), stored.PatientID, stored.SOPInstanceUID} & values


def test_a_picture_is_drawn_of_a_path_and_of_the_text_of_one(tmp_path):
    place = tmp_path / "a!b.dcm"
    shutil.copy(get_testdata_file("CT_small.dcm"), place)
    drawn = api.picture(place)
    assert drawn.shape == (128, 128)
    assert drawn.std() > 10
    np.testing.assert_array_equal(api.picture(str(place).replace("!", "\\x21")), drawn)


def test_identifying_columns_are_left_out_and_nothing_left_is_an_error():
    tags = table(4, 30)
    result = api.cluster_tags(tags, k=3)
    assert "PatientName" not in {column.keyword for column in result.encoding.columns}
    with pytest.raises(DataError, match="no tag"):
        api.cluster_tags(tags.select("PatientName"), k=3)


def test_what_cannot_be_asked_for_is_said_by_its_parameter():
    tags = table(6, 30)
    with pytest.raises(DataError, match=r"^image: "):
        api.cluster_tags(tags.with_columns(image=pl.lit("same")), k=3)
    with pytest.raises(ValueError, match=r"algorithm: pamm is not one of .*fasterpam"):
        api.cluster_tags(tags, k=3, algorithm="pamm")
    with pytest.raises(ValueError, match=r"^k: \[1\]"):
        api.cluster_tags(tags, k=1)


def test_every_public_name_has_the_sections_of_numpydoc():
    for name in api.__all__:
        thing = getattr(api, name)
        text = inspect.getdoc(thing)
        for section in ("Attributes",) if inspect.isclass(thing) else ("Parameters", "Returns"):
            assert re.search(rf"^{section}\n-+$", text, re.MULTILINE), (name, section)
        if not inspect.isclass(thing):
            described = re.findall(r"^(\w+) : ", text, re.MULTILINE)
            assert set(inspect.signature(thing).parameters) <= set(described), name


def test_the_lines_of_the_readme_run(tmp_path, monkeypatch):
    (block,) = re.findall(
        r"```python\n(from tagsight import api\n.*?)```",
        (CLONE / "README.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert len(ast.parse(block).body) <= 10
    table(5, 60).write_parquet(tmp_path / "tags.parquet")
    (tmp_path / "new").mkdir()
    shutil.copy(get_testdata_file("CT_small.dcm"), tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block, names)
    assert isinstance(names["placed"], pl.DataFrame)
