"""Two synthetic sites with different habits, read as one archive."""

import json
import shutil

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from running import overlay, run
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.demo import archive

pytestmark = pytest.mark.long

# What the south writes for a body part; no one else would understand it.
HABITS = {"CHEST": "REG 1", "HEAD": "REG 2", "KNEE": "REG 3", "ABDOMEN": "REG 4", "BREAST": "REG 5"}


def with_habits(folder):
    """Have the files of a site say of each body part what only that site understands."""
    changed = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            dataset = dcmread(path)
            part = dataset.get("BodyPartExamined")
        except (InvalidDicomError, OSError, EOFError, ValueError):
            continue  # one of the broken ones
        if part in HABITS:
            dataset.BodyPartExamined = HABITS[part]
            dataset.InstitutionName = "South"
            dataset.save_as(path)
            changed += 1
    return changed


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """The results of a run on two sites; the south has a table of its own spellings."""
    folder = tmp_path_factory.mktemp("sites")
    for seed, name in enumerate(("north", "south"), 1):
        truth = folder / f"{name}.parquet"
        archive.write(folder / name, truth, patients=40, images=170, seed=seed)
    assert with_habits(folder / "south") > 20
    (folder / "south.csv").write_text(
        "spelling,term\n" + "".join(f"{said},{term}\n" for term, said in HABITS.items())
    )
    (folder / "key").write_text("the patients of these sites are invented\n")
    named = {
        "north": str(folder / "north"),
        "south": {"path": str(folder / "south"), "body_parts": str(folder / "south.csv")},
    }
    config = overlay(folder, input=named, demo=None, privacy__key_file=str(folder / "key"))
    run(folder / "run", config, targets=["results/sites.json", "results/annotations.csv"])
    plain = overlay(folder, input=named | {"south": str(folder / "south")})
    shutil.copytree(folder / "run", folder / "plain")
    run(folder / "plain", config, plain, targets=["results/samples/tuning.parquet"])
    return folder


def tags(folder, name="run"):
    shards = sorted((folder / name / "results/tags").glob("*.parquet"))
    return pl.concat([pl.read_parquet(shard) for shard in shards], how="diagonal")


def test_every_image_has_its_site(sites):
    found = tags(sites)
    assert set(found["site"]) == {"north", "south"}
    assert (found["path"].str.contains("/south/") == (found["site"] == "south")).all()


def test_a_sites_own_spellings_are_read_by_its_own_table(sites):
    with_table, without = tags(sites), tags(sites, "plain")
    assert without.filter(pl.col("BodyPartExamined").is_in(list(HABITS.values()))).height > 20
    assert with_table.filter(pl.col("BodyPartExamined").is_in(list(HABITS.values()))).is_empty()
    both = without.join(with_table, on="image", suffix="_read")
    for said, term in both.select("BodyPartExamined", "BodyPartExamined_read").iter_rows():
        assert term == {spelt: part for part, spelt in HABITS.items()}.get(said, said)


def test_labels_are_compared_with_sites(sites):
    told = json.loads((sites / "run/results/sites.json").read_text())
    annotations = pl.read_csv(sites / "run/results/annotations.csv")
    rows = annotations.join(tags(sites).select("image", "site"), on="image")
    assert {site["site"]: site["images"] for site in told["sites"]} == dict(
        rows.group_by("site").len().iter_rows()
    )
    reference = adjusted_mutual_info_score(rows["site"].to_list(), rows["cluster"].to_list())
    assert told["ami"] == pytest.approx(reference, abs=1e-9)
    by_label = rows.group_by("cluster").agg(pl.col("site").unique())
    alone = {label for label, at in by_label.iter_rows() if len(at) == 1}
    assert {label for site in told["sites"] for label in site["alone"]} == alone


def test_samples_know_sites_by_number(sites):
    sample = pl.read_parquet(sites / "run/results/samples/tuning.parquet")
    assert set(sample["site"]) == {"1", "2"}
