"""A run on a ready table of tags: its tag half, and a page without looks."""

import random

import polars as pl
import pytest
import yaml
from running import CLONE, overlay, run

from tagsight.assigning import finished_run as of
from tagsight.assigning.incoming import input_sites, read_parts
from tagsight.reading.options import options_by

pytestmark = pytest.mark.long

ROWS = 300
KINDS = [("CT", "HEAD"), ("MR", "KNEE"), ("CR", "CHEST")]
COLUMNS = {
    "image": "uid",
    "patient": "person",
    "site": "clinic",
    "Modality": "modality",
    "BodyPartExamined": "part",
    "KVP": "kv",
    "Rows": "rows",
    "StudyDescription": "said",
}
SPLIT = {
    "column": "text",
    "where": {"modality": "CT"},
    "separator": ";",
    "into": ["ConvolutionKernel", "SliceThickness"],
}


def table():
    """Invented rows; what identifies has a canary in it."""
    rng = random.Random(1)
    rows = []
    for i in range(ROWS):
        modality, part = rng.choice(KINDS)
        text = f"B{rng.choice([31, 50])}f;{rng.choice([1, 2.5, 5])}"
        who = {"uid": f"CANARY.{i}", "person": f"CANARY {i // 3}", "said": f"of CANARY {i}"}
        what = {"modality": modality, "part": part, "kv": rng.choice([80, 100, 120, None])}
        what |= {"rows": rng.choice([256, 512, 1024]), "text": text}
        rows.append(who | what | {"clinic": rng.choice(["north", "south"])})
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A flat run on the table."""
    return finished_run(tmp_path_factory, tree=False)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A run on the table that makes a tree of labels."""
    return finished_run(tmp_path_factory, tree=True)


def finished_run(tmp_path_factory, *, tree):
    """The results of a run: one trial, one shard."""
    directory = tmp_path_factory.mktemp("table")
    table().write_csv(directory / "tags.csv")
    asked = {"table": "tags.csv", "columns": COLUMNS, "split": [SPLIT], "shards": 1}
    # A key of its own would draw other samples each time, and more than one K choose among them.
    (directory / "key").write_text("the rows of this table are invented\n", encoding="utf-8")
    (directory / "key").chmod(0o600)
    no_files = {"input": None, "demo": None, "privacy__key_file": "key"}
    values = {f"tags__{key}": value for key, value in asked.items()}
    small = {"samples__trials": 1, "cluster__k": [3], "stability__bootstraps": 2}
    small["labels__tree"] = tree
    config = overlay(tmp_path_factory.mktemp("overlay"), **no_files, **values, **small)
    run(directory, config)
    return directory / "results"


def test_every_row_is_annotated_in_the_tables_order(finished):
    annotated = pl.read_csv(finished / "annotations.csv")
    assert annotated["path"].to_list() == [f"tags.csv!{i}" for i in range(ROWS)]
    assert set(annotated["cluster"]) == {1, 2, 3}


def test_the_run_ends_with_clusters_and_a_page_that_says_so(finished):
    assert not [n for n in ("images", "embeddings", "trials") if (finished / n).exists()]
    assert not (finished / "evaluation.json").exists()
    for name in ("cards.json", "choice.json", "agreement.json", "table.json"):
        assert (finished / name).exists(), name
    assert "was not tested" in (finished / "report/result.txt").read_text(encoding="utf-8")
    page = (finished / "report/index.html").read_text(encoding="utf-8")
    assert 'href="#clusters"' in page
    assert 'href="#test"' not in page


def test_rows_have_labels_of_their_kind_and_region(labelled):
    annotated = pl.read_csv(labelled / "annotations.csv")
    assert annotated["path"].to_list() == [f"tags.csv!{i}" for i in range(ROWS)]
    assert annotated["kind"].to_list() == table()["modality"].to_list()
    assert annotated["region"].to_list() == table()["part"].to_list()
    known = annotated.select(pl.col("name").str.starts_with(pl.col("kind")))
    assert known.to_series().all()
    assert annotated["label"].null_count() == 0
    assert "kernel" in (labelled / "encoding.json").read_text(
        encoding="utf-8"
    )  # taken apart from a description
    assert 'href="#tree"' in (labelled / "report/index.html").read_text(encoding="utf-8")
    assert not (labelled / "evaluation.json").exists()


def test_tags_of_the_table_are_used_and_those_taken_apart(finished):
    kept = pl.read_parquet(finished / "selection.parquet").filter(fate="kept")["keyword"]
    assert {"Modality", "Rows", "KVP", "ConvolutionKernel", "SliceThickness"} <= {*kept}
    tags = pl.read_parquet(finished / "tags/0.parquet")
    assert set(tags["site"]) == {"north", "south"}
    assert "StudyDescription" not in tags.columns


def test_a_later_table_can_be_put_into_its_clusters(finished, tmp_path):
    table()[:5].write_csv(tmp_path / "later.csv")
    run_here = of.load_run(finished, "archive", str(finished.parent / "key"))
    sites, how = input_sites(str(tmp_path / "later.csv")), options_by(run_here.reader_settings, {})
    (part,) = read_parts(run_here, sites, how, 1, tmp_path)
    assert run_here.known(part.tags.collect()).all()
    read = part.tags.drop("path").collect()
    assert read.equals(pl.read_parquet(finished / "tags/0.parquet")[:5].select(read.columns))


def test_labels_have_the_tables_own_column(finished):
    labels = pl.read_parquet(finished / "labels.parquet")
    assert labels["uid"].to_list() == table()["uid"].to_list()
    names = {"path", "patient", "cluster", "name", "distance", "margin", "image"}
    assert names <= set(labels.columns)
    joined = table().join(labels, on="uid", validate="1:1")
    hashes = joined.group_by("person").agg(pl.col("patient").n_unique())
    assert (hashes["patient"] == 1).all()


def test_nothing_that_identifies_is_left(finished):
    files = [path for path in finished.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        if path.name == "labels.parquet":
            assert path.stat().st_mode & 0o777 == 0o600
            continue
        frame = path.suffix == ".parquet"
        said = pl.read_parquet(path).write_ndjson() if frame else path.read_bytes().decode("latin1")
        assert "CANARY" not in said, path


def test_the_config_that_ships_is_planned(tmp_path):
    """`make idc` links its table to where config/idc.yaml looks for it."""
    (tmp_path / "results/idc").mkdir(parents=True)
    tags = yaml.safe_load((CLONE / "config/idc.yaml").read_text(encoding="utf-8"))["tags"]
    named = {*tags["columns"].values()}
    for entry in tags["split"]:
        named |= {entry["column"], *entry.get("where", {})}
    table = pl.DataFrame({column: ["1"] for column in sorted(named)})
    table.write_parquet(tmp_path / "results/idc/index.parquet")
    done = run(tmp_path, CLONE / "config/idc.yaml", options=("--dry-run",), check=False)
    assert "input, tags.table: both are set" in done.stdout + done.stderr
    own = overlay(tmp_path, input=None, demo=None, privacy__key_file=None)
    done = run(tmp_path, CLONE / "config/idc.yaml", own, options=("--dry-run",))
    assert "table" in done.stdout
    assert "autoencoder" not in done.stdout
