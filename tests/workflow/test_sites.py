"""Two synthetic sites with different habits, read as one archive."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from running import CLONE, overlay, run
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.demo import archive
from tagsight.dicom.roles import ROLES

REAL = CLONE.parent / "shared" / "dicom"

pytestmark = pytest.mark.long

# What the south writes for a body part; no one else would understand it.
HABITS = {"CHEST": "REG 1", "HEAD": "REG 2", "KNEE": "REG 3", "ABDOMEN": "REG 4", "BREAST": "REG 5"}
# What the numbers of the south are to be multiplied by: it writes cm and V.
UNITS = {"SliceThickness": "10", "PixelSpacing": "10", "KVP": "0.001"}
LEAST = 2  # patients of a site with a label that is named


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
            write_in_own_units(dataset)
            dataset.save_as(path)
            changed += 1
    return changed


def write_in_own_units(dataset):
    for keyword, factor in UNITS.items():
        stored = dataset.get(keyword)
        if stored:
            items = [stored] if dataset.data_element(keyword).VM == 1 else stored
            numbers = [f"{float(item) / float(factor):.8g}" for item in items]
            setattr(dataset, keyword, numbers[0] if len(numbers) == 1 else numbers)


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """The results of a run on two sites; the south has tables of its own spellings and units."""
    folder = tmp_path_factory.mktemp("sites")
    for seed, name in enumerate(("north", "south"), 1):
        truth = folder / f"{name}.parquet"
        archive.write(folder / name, truth, patients=40, images=170, seed=seed)
    assert with_habits(folder / "south") > 20
    (folder / "south.csv").write_text(
        "spelling,term\n" + "".join(f"{said},{term}\n" for term, said in HABITS.items()),
        encoding="utf-8",
    )
    (folder / "units.csv").write_text(
        "keyword,factor\n" + "".join(f"{keyword},{factor}\n" for keyword, factor in UNITS.items()),
        encoding="utf-8",
    )
    (folder / "key").write_text("the patients of these sites are invented\n", encoding="utf-8")
    (folder / "key").chmod(0o600)
    named = {
        "north": str(folder / "north"),
        "south": {
            "path": str(folder / "south"),
            "body_parts": str(folder / "south.csv"),
            "units": str(folder / "units.csv"),
        },
    }
    privacy = {"key_file": str(folder / "key"), "min_patients": LEAST}
    config = overlay(folder, input=named, demo=None, privacy=privacy)
    run(folder / "run", config, targets=["results/report/index.html", "results/annotations.csv"])
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


@pytest.mark.parametrize("keyword", UNITS)
def test_a_sites_own_units_are_put_into_the_standards(sites, keyword):
    wanted = ["image", "site", keyword]
    both = tags(sites, "plain").select(wanted).join(tags(sites).select(wanted), on="image")
    filled = both.drop_nulls(keyword)
    of_north = filled.filter(site="north")
    assert of_north[keyword].to_list() == of_north[f"{keyword}_right"].to_list()
    of_south = filled.filter(site="south").select(keyword, f"{keyword}_right")
    assert len(of_south) > 20
    for stored, read in of_south.iter_rows():
        for item, converted in zip(stored.split("\\"), read.split("\\"), strict=True):
            assert float(converted) == pytest.approx(float(item) * float(UNITS[keyword]))
            assert len(converted) <= 16  # as a DS


def test_labels_are_compared_with_sites(sites):
    told = json.loads((sites / "run/results/sites.json").read_text(encoding="utf-8"))
    annotations = pl.read_csv(sites / "run/results/annotations.csv")
    rows = annotations.join(tags(sites).select("image", "site"), on="image")
    person = pl.coalesce("patient", "study", "series", "image")
    assert {site["site"]: site["images"] for site in told["sites"]} == dict(
        rows.group_by("site").len().iter_rows()
    )
    by_label = rows.group_by("label").agg(pl.col("site").unique(), person.n_unique().alias("n"))
    alone = {label for label, at, n in by_label.iter_rows() if len(at) == 1 and n >= LEAST}
    assert {label for site in told["sites"] for label in site["alone"]} == alone
    compared = {row["with"]: row for row in told["confounding"]}
    assert list(compared) == ["label", "modality", "region", "manufacturer"]
    for name in ("label", "region"):  # modality is there in the standard's terms alone
        known = rows.drop_nulls(name)
        assert compared[name]["rows"] == len(known)
        reference = adjusted_mutual_info_score(known["site"].to_list(), known[name].to_list())
        assert compared[name]["ami"] == pytest.approx(reference, abs=1e-9)
    assert all(row["inside_modality"] is not None for row in told["confounding"][2:])


def test_labels_are_made_anew_of_tags_of_all_roles_and_of_content(sites):
    told = json.loads((sites / "run/results/sites.json").read_text(encoding="utf-8"))
    sample = pl.read_parquet(sites / "run/results/samples/tuning.parquet")
    assert [row["roles"] for row in told["roles"]] == [list(ROLES), ["content"], ["content"]]
    assert {row["rows"] for row in told["roles"]} == {len(sample)}
    anew, _, shipped = (row["levels"] for row in told["roles"])
    assert abs(anew - shipped) <= 3
    page = (sites / "run/results/report/index.html").read_text(encoding="utf-8")
    assert '<h2 id="sites">' in page
    assert "made anew, of tags about content, equipment" in page


def test_samples_know_sites_by_number(sites):
    sample = pl.read_parquet(sites / "run/results/samples/tuning.parquet")
    assert set(sample["site"]) == {"1", "2"}


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_public_archives_can_be_sites(tmp_path):
    folders = {path.name: str(path) for path in sorted(REAL.iterdir()) if path.is_dir()}
    samples = {"tuning": 160, "holdout": 60, "autoencoder": 200, "trials": 2, "trial": 60}
    privacy = {"key_file": None, "min_patients": 1}
    config = overlay(tmp_path, input=folders, demo=None, privacy=privacy, samples=samples)
    run(tmp_path / "run", config, targets=["results/sites.json", "results/annotations.csv"])
    told = json.loads((tmp_path / "run/results/sites.json").read_text(encoding="utf-8"))
    found = tags(tmp_path)
    assert found["site"].to_list() == [Path(p).relative_to(REAL).parts[0] for p in found["path"]]
    assert {row["site"]: row["images"] for row in told["sites"]} == dict(
        found.group_by("site").len().iter_rows()
    )
    assert {row["rare"] for row in told["sites"]} == {0}
    for label in told["labels"]:
        assert sum(at["images"] for at in label["sites"].values()) == label["images"]
    assert len(told["roles"]) == 3


def test_new_files_of_a_site_are_read_by_its_own_tables_too(sites):
    """And where a delivery names no site, it is said that they were not."""
    new = tags(sites).filter(site="south")["path"].min()
    folder = sites / "new"
    folder.mkdir()
    dataset = dcmread(new)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
    dataset.save_as(folder / "one.dcm")
    config, found = sites / "overlay-0.yaml", {}
    for name, place in (("named", {"south": str(folder)}), ("of none", str(folder))):
        of_new = overlay(sites, assign={"input": place})
        done = run(sites / "run", config, of_new, targets=["assign"])
        said = json.loads((sites / "run/results/assign.json").read_text(encoding="utf-8"))["sites"]
        found[name] = said
        assert (said is not None) == ("names no site" in done.stdout + done.stderr)
    assert found["named"] is None
    assert "for south" in found["of none"]
