"""The README's lines on labels and on training, taken from it and run."""

import csv
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from pydicom.data import get_testdata_file

from tagsight import api
from tagsight.handover.manifest import link

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
FILES = ("CT_small.dcm", "MR_small.dcm")


def run_block(*marks):
    """Run the block of the README that has all these words, as a module; return its names."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (block,) = [text for text in blocks if all(mark in text for mark in marks)]
    lines = [line for line in block.splitlines() if line.strip() and "import" not in line]
    assert len(lines) <= 10
    Path("readme_block.py").write_text(block, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("readme_block", "readme_block.py")
    sys.modules["readme_block"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def require(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A manifest of two images for each split, the labels of three, and reports on two studies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    paths = [get_testdata_file(name, download=False) for name in FILES] * 3
    rows = pl.DataFrame(
        {
            "path": paths,
            "label": [4, 9] * 3,
            "name": ["CT", "MR"] * 3,
            "target": [0, 1] * 3,
            "split": [name for name in ("train", "validation", "test") for _ in range(2)],
            "image": [str(i) for i in range(6)],
        }
    )
    rows.write_csv("results/manifest.csv")
    link(rows, Path("results/manifest/links"))
    studies = {"StudyInstanceUID": ["1.2.3.4", "1.2.3.4", "1.2.3.5"], "label": [1, 2, 1]}
    pl.DataFrame(studies).write_parquet("results/labels.parquet")
    Path("reports.csv").write_text(
        "StudyInstanceUID,report\n1.2.3.4,fine\n1.2.3.6,odd\n", encoding="utf-8"
    )
    return rows


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("package", ["polars", "pandas"])
def test_labels_are_joined_to_a_table_of_the_hospitals(package):
    if package == "pandas":
        require("pyarrow")
    joined = run_block(f"import {package}", "labels.parquet")["reports"]
    assert list(joined["report"]) == ["fine", "fine"]
    assert sorted(joined["label"]) == [1, 2]


def test_torch_reads_the_manifest(results):
    labelled = run_block("import torch", "manifest.csv")["Labelled"]
    loader = torch.utils.data.DataLoader(labelled("validation"), batch_size=2)
    ((pixels, target),) = loader
    assert pixels.shape == (2, 1, 128, 128)
    assert target.tolist() == [0, 1]
    expected = np.stack([api.picture(path) for path in results["path"][:2]])
    np.testing.assert_allclose(pixels[:, 0].numpy() * 255, expected, atol=1e-4)


def test_hugging_faces_datasets_read_the_manifest(results):
    require("datasets")
    train = run_block("from datasets", "manifest.csv")["train"]
    assert len(train) == 2
    assert list(train[:]["target"]) == [0, 1]
    np.testing.assert_array_equal(train[0]["pixels"], api.picture(results["path"][0]))


@pytest.mark.usefixtures("results")
def test_torchvision_reads_the_folder_of_links():
    require("torchvision")
    from torchvision.datasets import DatasetFolder

    arguments = re.search(r"torchvision\.datasets\.DatasetFolder\((.*?)\)`", README)
    train = eval(f"DatasetFolder({arguments[1]})", {"DatasetFolder": DatasetFolder, "api": api})
    assert [target for _, target in train] == [0, 1]


def test_links_have_the_numbers_of_the_targets(results):
    for part in ("train", "validation", "test"):
        classes = sorted(path.name for path in Path("results/manifest/links", part).iterdir())
        for path, name, target, image in results.filter(split=part)[
            "path", "name", "target", "image"
        ].iter_rows():
            (made,) = Path("results/manifest/links", part).rglob(f"{image}.dcm")
            assert classes.index(made.parent.name) == target
            assert made.parent.name.endswith(name)
            np.testing.assert_array_equal(api.picture(str(made)), api.picture(path))
    with open("results/manifest.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(results)
