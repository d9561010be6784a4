"""What is put into a finished run: where it is, and that it is read as the run's own was."""

from pathlib import Path

import polars as pl
import pytest
import small_run
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.archive.sites import Site
from tagsight.assigning import incoming
from tagsight.assigning.finished_run import load_run
from tagsight.assigning.incoming import input_sites, not_applied, read_parts
from tagsight.dicom.headers import ReaderOptions
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.reading.column_splits import Split
from tagsight.reading.options import reader_options
from tagsight.reading.ready_table import Layout, open_table, shard_rows
from tagsight.reading.ready_table_tags import tags
from tagsight.terms.facet_words import facet_words
from tagsight.terms.technique_words import known_words

CLONE = Path(__file__).parents[3]
SPELLINGS = small_run.spellings(CLONE)
COLUMNS = {"image": "uid", "patient": "who", "Modality": "modality", "KVP": "kv", "path": "at"}
SPLIT = {"column": "text", "separator": ";", "into": ["ConvolutionKernel", "SliceThickness"]}
TABLE = {
    "keep": ["PatientSex"],
    "derive_text": [],
    "columns": COLUMNS | {"PatientSex": "sex", "StationName": "station"},
    "split": [SPLIT],
}


@pytest.fixture(scope="module")
def run_with(tmp_path_factory):
    """A run whose images were read so."""

    def of(reading):
        folder = tmp_path_factory.mktemp("run") / "results"
        small_run.write(folder, small_run.tags(1, 30), SPELLINGS, reading=reading)
        return load_run(folder, "archive", None)

    return of


@pytest.fixture(scope="module")
def on_files(run_with):
    return run_with(small_run.READING)


@pytest.fixture(scope="module")
def on_table(run_with):
    return run_with(TABLE)


def table(n):
    return pl.DataFrame(
        {
            "uid": [f"1.2.{i}" for i in range(n)],
            "who": [f"P{i // 3}" for i in range(n)],
            "modality": "CT",
            "kv": [80 + i for i in range(n)],
            "at": [f"s3://{i}" for i in range(n)],
            "text": "B31f;2.5",
            "sex": "F",
            "station": "SECRET",
        }
    )


def parts(run, named, folder):
    """What is delivered, each part taken while it is there."""
    how = reader_options(run.reader_settings, SPELLINGS, known_words(), facet_words())
    found = [
        (s.tags.collect(), s.rejected) for s in read_parts(run, {None: Site(named)}, how, 4, folder)
    ]
    return pl.concat([tags for tags, _ in found], how="diagonal"), found


def test_where_the_new_images_are_is_checked_first(tmp_path):
    with pytest.raises(ConfigError, match=r"assign\.input: not set; .*--config"):
        input_sites(None)
    with pytest.raises(ArchiveError, match=r"assign\.input: .*nowhere does not exist"):
        input_sites([str(tmp_path), str(tmp_path / "nowhere")])
    assert input_sites(str(tmp_path)) == {None: Site([tmp_path])}


def test_files_come_in_parts_that_hold_some(on_files, tmp_path):
    new = tmp_path / "new"
    for name in ("a/CT_small.dcm", "b/MR_small.dcm", "c/notes.txt"):
        (new / name).parent.mkdir(parents=True)
        source = get_testdata_file(Path(name).name, download=False)
        (new / name).write_bytes(Path(source).read_bytes() if source else b"none")
    found, several = parts(on_files, [new], tmp_path / "work")
    assert sorted(found["Modality"]) == ["CT", "MR"]
    assert all(len(tags) + len(rejected) for tags, rejected in several)
    assert pl.concat(r for _, r in several)["reason"].to_list() == ["not_dicom"]
    assert not (tmp_path / "work/listed").exists()


@pytest.fixture
def south(tmp_path):
    """One file of a site that writes cm and its own word for a knee, and `input` that says so."""
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.SliceThickness, dataset.BodyPartExamined = "0.25", "REG 3"
    (tmp_path / "new").mkdir()
    dataset.save_as(tmp_path / "new/f.dcm")
    (tmp_path / "units.csv").write_text("keyword,factor\nSliceThickness,10\n", encoding="utf-8")
    (tmp_path / "parts.csv").write_text("spelling,term\nREG 3,KNEE\n", encoding="utf-8")
    own = {"units": str(tmp_path / "units.csv"), "body_parts": str(tmp_path / "parts.csv")}
    return {"north": "/archive/n", "south": {"path": "/archive/s", **own}}


@pytest.mark.parametrize(
    ("site", "thickness", "part"), [("south", "2.5", "KNEE"), ("north", "0.25", "REG 3")]
)
def test_files_of_a_site_are_read_by_its_own_tables(
    on_files, tmp_path, south, site, thickness, part
):
    sites = input_sites({site: str(tmp_path / "new")}, south)
    how = reader_options(on_files.reader_settings, SPELLINGS, known_words(), facet_words())
    (shard,) = read_parts(on_files, sites, how, 4, tmp_path / "work")
    (row,) = shard.tags.collect().to_dicts()
    assert (row["site"], row["SliceThickness"], row["BodyPartExamined"]) == (site, thickness, part)
    assert not_applied(sites, south) is None


def test_what_is_not_applied_is_said(tmp_path, south):
    sites = input_sites(str(tmp_path), south)
    said = not_applied(sites, south)
    assert said.startswith("input has units or spellings of its own for south, and assign.input")
    assert "assign={input: {south: /new/folder}}" in said
    assert not_applied(sites, {"north": "/archive/n"}) is None
    assert not_applied(sites, "/archive") is None


@pytest.mark.parametrize(
    ("run_input", "known"), [("/archive", "none"), ({"north": "/a", "east": "/b"}, "north, east")]
)
def test_a_site_that_the_run_does_not_have_is_refused(tmp_path, run_input, known):
    with pytest.raises(ConfigError, match=f"south is no site of `input`, whose sites are: {known}"):
        input_sites({"south": str(tmp_path)}, run_input)


def test_a_folder_without_files_is_refused(on_files, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match=r"^assign\.input: no files in .*empty"):
        parts(on_files, [tmp_path / "empty"], tmp_path / "work")


def test_files_are_read_as_the_runs_were(on_files):
    words = known_words()
    asked = reader_options(on_files.reader_settings, SPELLINGS, words, facet_words())
    assert asked.keep == frozenset(["PatientSex"])
    assert asked.undrawable == frozenset(["no_pixels"])
    assert asked.vocabulary is None
    assert asked.technique is None
    regions = reader_options(
        small_run.READING | {"derive_text": ["ProtocolName"]},
        SPELLINGS,
        known_words(),
        facet_words(),
    )
    assert regions.derive == ("ProtocolName",)
    assert regions.vocabulary.region("KNEE LEFT") == "KNEE"
    assert regions.technique.words("KNEE LEFT") == (("side", "L"),)


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_a_table_is_read_as_the_runs_was(on_table, tmp_path, monkeypatch, name):
    """In parts as in one, and by the functions that dealt the run's."""
    place, frame = tmp_path / name, table(25)
    frame.write_csv(place) if name.endswith("csv") else frame.write_parquet(place)
    layout = Layout(TABLE["columns"], (Split.from_config(SPLIT),))
    opened = open_table(place, layout)
    (rows,) = shard_rows(opened, 1)
    expected = tags(rows, opened, small_run.KEY, ReaderOptions(keep=frozenset(["PatientSex"])))
    monkeypatch.setattr(incoming, "ROWS", 10)
    found, several = parts(on_table, [place], tmp_path / "work")
    assert found.equals(expected)
    assert [len(part) for part, _ in several] == [8, 8, 9]
    assert set(found["SliceThickness"]) == {"2.5"}
    assert set(found["PatientSex"]) == {"F"}
    assert "SECRET" not in found.write_csv()


def test_several_tables_follow_on_one_another(on_table, tmp_path):
    named = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for place, rows in zip(named, (table(9)[:4], table(9)[4:]), strict=True):
        rows.write_parquet(place)
    found, _ = parts(on_table, named, tmp_path / "work")
    assert found["path"].to_list() == [f"s3://{i}" for i in range(9)]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda t: t.drop("kv"), ArchiveError, "has no column kv"),
        (lambda t: t[:0], DataError, "assign.input: .*new.parquet has no rows"),
        (lambda t: pl.concat([t, t]), DataError, "duplicate another row's value"),
    ],
)
def test_a_table_that_cannot_be_taken_is_named(on_table, tmp_path, change, error, said):
    place = tmp_path / "new.parquet"
    change(table(3)).write_parquet(place)
    with pytest.raises(error, match=f"^assign\\.input: .*{said.removeprefix('assign.input: ')}"):
        parts(on_table, [place], tmp_path / "work")


def test_files_are_not_put_into_a_run_on_a_table(on_table, tmp_path):
    with pytest.raises(ArchiveError, match="the run here is on a ready table"):
        parts(on_table, [tmp_path], tmp_path / "work")
