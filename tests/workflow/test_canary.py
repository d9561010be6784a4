"""No canary leaves the reader: all files that a run leaves, and all that it says, are looked at.

`TAGSIGHT_CANARY=1` (make canary) plants each attribute in a file of its own, in all positions and
encodings.
"""

import csv
import io
import os
import re
import shutil
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest
from canaries import LISTED, MARK, NAME, NUMBER, WHOLE, WORDS
from canary_archive import write_all
from pydicom.datadict import dictionary_VR, keyword_for_tag
from running import overlay, run
from test_resume import kill

from tagsight.terms.technique_words import known_words

LONG = bool(os.environ.get("TAGSIGHT_CANARY"))
TINY = {
    "demo": None,
    "privacy__key_file": None,
    "privacy__keep": [],
    "tags__shards": 1,
    "tags__derive_text": ["StudyDescription", "SeriesDescription", "ProtocolName"],
    "tags__keep_undrawable": ["no_pixels", "whole_slide", "pixels_incomplete"],
    "tags__reject_limit": 1.0,
    "samples": {"tuning": 60, "holdout": 20, "autoencoder": 40, "trials": 1, "trial": 20},
    "cluster__k": [3],
    "autoencoder__epochs": 1,
    "evaluation__permutations": 9,
}
STORED = "names and statistics"
ON_SITE = "labels.parquet"
UIDS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"]
WORD = r"\\".join(map(str, WORDS))  # as a text of the reader
DAY = r"(?<![0-9A-Za-z.])180[34](-?)(?:0[1-9]|1[0-2])\1(?:[0-2]\d|3[01])(?![0-9])"
OTHER_DAY = r"(?<![0-9A-Za-z.])(?:14([./])02|02([./])14)(?:\2|\3)1803(?![0-9])"
SOMEONES = re.compile(
    rf"{MARK}\w*|73918-?4605\d*|{re.escape(NUMBER)}\d*|034512\.739\d*|{WORD}|{DAY}|{OTHER_DAY}".encode(),
    re.IGNORECASE,
)
FILES = re.compile(rf"{NAME}[\w-]*".encode(), re.IGNORECASE)


def texts_of(path):
    """The contents of a file by column or place: what is compressed in it unpacked."""
    if path.suffix != ".parquet":
        yield "bytes", path.read_bytes()
        return
    table = pl.read_parquet(path)
    stored = path.read_bytes()
    if path.name == ON_SITE:  # it has the three UIDs, and nothing else of a file
        assert path.stat().st_mode & 0o777 == 0o600
        table = table.drop(UIDS)
        table.write_parquet(without := io.BytesIO())
        stored = without.getvalue()
    for name in table.columns:
        column = table[name]
        if column.dtype == pl.String:
            yield name, "\n".join(column.drop_nulls().unique()).encode()
        elif column.dtype.is_numeric():
            yield name, b" ".join(numbers_of(column.drop_nulls().to_numpy()))
    yield STORED, FILES.sub(b"", stored)


def numbers_of(values):
    """Numbers that are a canary's, as text."""
    near = np.isclose(values.astype(float), float(NUMBER), rtol=0, atol=0.01)
    days = (values >= 18030101) & (values < 18041231) if values.dtype.kind in "iu" else near
    long = (values >= 7.391845e9) & (values < 7.391847e9)
    return [str(v).encode() for v in values[near | days | long | (values == int(WHOLE))]]


def may_name_files(path, column):
    """A column of paths, and a table that a killed job was about to write."""
    return (column == "path" and path.suffix == ".parquet") or ".parquet." in path.name


def leaks(directory, *said):
    """Where a canary turned up: file, column or line, what."""
    found = set()
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        where = str(path.relative_to(directory))
        assert not FILES.search(where.encode())
        for column, text in texts_of(path):
            if path.name in ("annotations.csv", "rejected.csv"):
                text = without_paths(path)
            found |= {(where, column, told(m)) for m in SOMEONES.finditer(text)}
            if not may_name_files(path, column):
                found |= {(where, column, m[0].decode()) for m in FILES.finditer(text)}
    for text in said:
        both = [*SOMEONES.finditer(text.encode()), *FILES.finditer(text.encode())]
        found |= {("the terminal", "", told(m)) for m in both}
    return found


def without_paths(path):
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return "\n".join(",".join(v for k, v in row.items() if k != "path") for row in rows).encode()


def told(match):
    """The canary, with the attribute that it was planted in."""
    text = match[0].decode("latin-1")
    number = re.match(rf"{MARK}(\d{{4}})", text, re.IGNORECASE)
    return f"{text} ({keyword_for_tag(LISTED[int(number[1])])})" if number else text


@pytest.fixture(scope="module")
def planted(finished, tmp_path_factory):
    """The canaries, the ordinary archive, and how many files are sure to be images."""
    with places(finished, tmp_path_factory, at_once=1 if LONG else len(LISTED)) as found:
        yield found


@pytest.fixture(scope="module")
def few(finished, tmp_path_factory):
    """The same in few files, for what fails file by file."""
    with places(finished, tmp_path_factory, at_once=len(LISTED)) as (found, _):
        yield found


@contextmanager
def places(finished, tmp_path_factory, at_once):
    folder = tmp_path_factory.mktemp("planted")
    images = write_all(folder, at_once)
    locked = folder / f"{NAME}-locked"
    locked.mkdir()
    locked.chmod(0)
    names = tmp_path_factory.mktemp("lists") / "list.txt"
    names.write_text(
        f"{NAME}/vanished.dcm\n{NAME}\\vanished\n{NAME}!vanished.dcm\n", encoding="utf-8"
    )
    yield [str(folder), str(names), str(finished / "results/demo/archive")], images
    locked.chmod(0o700)


@pytest.fixture(scope="module")
def whole(planted, tmp_path_factory):
    """A run of the whole workflow over the canaries, and what it said."""
    directory = tmp_path_factory.mktemp("whole")
    config = overlay(tmp_path_factory.mktemp("config"), input=of_sites(planted[0]), **TINY)
    done = run(directory, config)
    return directory, done.stdout + done.stderr


def of_sites(inputs):
    """The canaries as one site, the ordinary archive as another: what is said of sites is shown."""
    return {"north": inputs[:2], "south": inputs[2:]}


def table(directory, name):
    shards = sorted((directory / "results" / name).glob("*.parquet"))
    return pl.concat([pl.read_parquet(shard) for shard in shards], how="diagonal")


def test_what_is_looked_for_is_found(tmp_path):
    text = f"{MARK}0001TE"
    pl.DataFrame({"path": [f"{NAME}1"], "ScanOptions": [text]}).write_parquet(
        tmp_path / "a.parquet"
    )
    pl.DataFrame({"PatientWeight": [float(NUMBER)]}).write_parquet(tmp_path / "b.parquet")
    (tmp_path / "c.json").write_text(
        '{"day": "18030214", "number": 0.18030214, "at": "1803-02-14"}', encoding="utf-8"
    )
    (tmp_path / "d.log").write_text(f"cannot read {NAME}7.dcm of 2.25.7391846050", encoding="utf-8")
    np.save(tmp_path / "e.npy", np.array([f"{MARK.lower()}"]))
    on_site = pl.DataFrame({**{uid: [text] for uid in UIDS}, "path": [f"{NAME}1"], "name": [text]})
    on_site.write_parquet(tmp_path / ON_SITE)
    (tmp_path / ON_SITE).chmod(0o600)
    (tmp_path / "annotations.csv").write_text(
        f"image,path,name\na,{NAME}1,{MARK}\n", encoding="utf-8"
    )
    found = leaks(tmp_path, "fine", f"reading {NAME}")
    assert {(where, column) for where, column, _ in found} == {
        ("a.parquet", "ScanOptions"),
        ("a.parquet", STORED),
        ("b.parquet", "PatientWeight"),
        ("c.json", "bytes"),
        ("d.log", "bytes"),
        (ON_SITE, "name"),
        (ON_SITE, STORED),
        ("annotations.csv", "bytes"),
        ("the terminal", ""),
    }
    assert len([leak for leak in found if leak[0] == "c.json"]) == 2


@pytest.mark.long
def test_the_canaries_were_read(whole, planted):
    """They are images and were gone through: what was withheld is told by name."""
    tags = table(whole[0], "tags").filter(pl.col("path").str.contains(NAME))
    sure = tags.filter(
        pl.col("path").str.contains(f"{NAME}-(top|nested|coded|tracer|groups|private)")
    )
    assert len(sure) == planted[1]
    top = sure.filter(pl.col("path").str.contains(f"{NAME}-top"))
    names = set(top["withheld"].str.split("\\").explode())
    # Those of groups 0, 2 and 4 have no place in a data set.
    wanted = {keyword_for_tag(tag) for tag in LISTED if tag >> 16 > 4 and has_text(tag)}
    assert len(wanted) > 450
    assert wanted - names == set()
    assert tags.filter(pl.col("path").str.contains("tar!|zip!")).height >= 6


def has_text(tag):
    vr = dictionary_VR(tag).split(" or ")[0]
    return vr not in {"SQ", "OB", "OW", "UN"} and bool(keyword_for_tag(tag))


@pytest.mark.long
def test_every_kind_of_refusal_was_met(whole):
    rejected = table(whole[0], "rejected").filter(pl.col("path").str.contains(NAME))
    met = set(rejected["reason"])
    wanted = {"not_dicom", "empty_file", "truncated", "bad_header", "too_deep", "dicomdir"}
    wanted |= {"no_decoder", "unsupported_pixels", "duplicate", "vanished", "bad_container"}
    assert wanted - met == set()
    kept = table(whole[0], "tags")["undrawable"].drop_nulls()
    assert set(kept) >= {"no_pixels", "whole_slide", "pixels_incomplete"}


@pytest.mark.long
def test_no_canary_leaves_the_reader(whole):
    directory, said = whole
    found = leaks(directory, said)
    assert {leak for leak in found if not of_one_person(leak)} == set()
    assert {leak for leak in found if of_one_person(leak)}  # it is in tags
    assert (directory / "results/sites.json").exists()
    assert (directory / "results/facets.json").exists()


# What is typed of one person alone stays in tags, and in what tags were read into.
TYPED = (
    *("BodyPartExamined", "Modality", "ScanOptions", "SequenceName"),
    *("ViewPosition", "TransducerType", "ViewCodeSequence"),
)


def of_one_person(leak):
    where, column, found = leak
    stored = column in (*TYPED, STORED, "modality", "body_part")
    inside = where.split("/")[1] in ("tags", "resume", "samples", "features")
    return found == f"{MARK}O" and stored and inside


@pytest.mark.long
def test_uids_are_for_their_owner_alone_and_all_there(whole):
    """Another reader of that table fails, and so does `leaks` where its mode is any other."""
    labels = pl.read_parquet(whole[0] / "results" / ON_SITE)
    tags = table(whole[0], "tags").select("image", "instance", "series", "study")
    both = tags.join(labels, on="image", how="full", validate="1:1")
    for uid, digest in zip(UIDS, ("instance", "series", "study"), strict=True):
        assert both[uid].is_null().equals(both[digest].is_null()), uid
    assert labels["SOPInstanceUID"].n_unique() > 100
    assert "have no UIDs" not in (whole[0] / "logs/labels.log").read_text(encoding="utf-8")


@pytest.mark.long
def test_regions_and_words_are_derived_and_their_texts_are_not_kept(whole):
    tags = table(whole[0], "tags").filter(pl.col("path").str.contains(f"{NAME}-description"))
    columns = [f"{k}Region" for k in ("StudyDescription", "SeriesDescription", "ProtocolName")]
    assert len(tags) == 4
    assert all(set(tags[column]) == {"KNEE"} for column in columns)
    words = pl.concat(tags[f"{column.removesuffix('Region')}Words"] for column in columns)
    pairs = {tuple(p.split("=")) for value in words.drop_nulls() for p in value.split("\\")}
    assert ("side", "L") in pairs <= known_words().pairs()
    assert "StudyDescription" not in tags.columns


KEPT = ["InstitutionalDepartmentName", "SeriesDescription"]


@pytest.mark.long
def test_what_is_kept_is_kept_for_reading_and_nothing_else_is(planted, tmp_path):
    """In the columns of that name and in what was read, and in no table, card or feature."""
    kept = TINY | {"privacy__keep": KEPT, "privacy__min_patients": 1, "tags__shards": 2}
    config = overlay(tmp_path, input=planted[0], **kept)
    directory = tmp_path / "run"
    done = run(directory, config, targets=["results/cards.json", "results/annotations.csv"])
    tags = table(directory, "tags")
    assert all(tags[keyword].str.contains(MARK).any() for keyword in KEPT)
    allowed = {(column, keyword) for keyword in KEPT for column in (keyword, STORED)}
    for where, column, found in leaks(directory, done.stdout, done.stderr):
        if found == f"{MARK}O":  # typed into tags that are no identifiers, and min_patients is 1
            continue
        keyword = re.search(r"\((\w+)\)|D(?:t2)?$", found)
        assert where.startswith(("results/tags/", "results/resume/tags-")), (where, column, found)
        assert keyword, (where, column, found)
        assert (column, keyword[1] or "SeriesDescription") in allowed, (where, column, found)
    selection = pl.read_parquet(directory / "results/selection.parquet")
    selected = selection.filter(pl.col("keyword").is_in(KEPT))  # in each kind that has it
    assert set(selected["keyword"]) == {*KEPT}
    assert set(selected["reason"]) <= {"free text", "in no picture"}


def test_nothing_is_said_by_what_fails(few, tmp_path):
    """Mistakes in the config, errors that quote the archive, more rejected than is allowed."""
    directory = tmp_path / "run"
    config = overlay(tmp_path, input=few, **TINY)
    listed = {"targets": ["results/frequencies.parquet"], "check": False}
    wrong = overlay(tmp_path, privacy__keep=["PatientNames"], input=[*few, "nowhere"])
    strict = overlay(tmp_path, tags__reject_limit=0.0)
    said = []
    for overlays, quoting in [((wrong,), None), ((), "files"), ((), "tags"), ((strict,), None)]:
        done = run(directory, config, *overlays, quoting=quoting, **listed)
        said += [done.stdout, done.stderr]
        assert (done.returncode == 0) == (quoting == "tags"), done.stderr[-3000:]
        assert leaks(directory, *said) == set()
        if quoting == "files":
            assert "RuntimeError (message left out)" in (directory / "logs/files.log").read_text(
                encoding="utf-8"
            )
    assert "reject_limit" in said[-1]
    assert "reader_crashed" in set(table(directory, "rejected")["reason"])


def test_nothing_is_left_by_a_job_that_is_killed(few, tmp_path):
    config = overlay(tmp_path, input=few, **TINY)
    directory = tmp_path / "run"
    kill(directory, ["results/resume/tags-*/*/*"], config)
    assert leaks(directory) == set()


@pytest.mark.long
def test_a_picture_that_fails_says_nothing_of_its_file(whole, planted, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(whole[0], directory, symlinks=True)
    config = overlay(tmp_path, input=of_sites(planted[0]), **TINY)
    options = ["--forcerun", "images"]
    targets = ["results/images/tuning.npy"]
    done = run(directory, config, quoting="images", targets=targets, options=options, check=False)
    assert "decoder_failed" in done.stderr
    left = leaks(directory, done.stdout, done.stderr)
    assert {leak for leak in left if not of_one_person(leak)} == set()
