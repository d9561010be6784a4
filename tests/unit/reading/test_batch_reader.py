"""The fast way of reading gives what the plain one gives, on whatever comes."""

import tarfile
from pathlib import Path

import pydicom
import pytest
from both_readers import images
from mutants import mutants
from pydicom.data import get_testdata_file

from tagsight.archive import decompression
from tagsight.archive.decompression import Decompressed
from tagsight.archive.paths import to_text
from tagsight.dicom.headers import Image, ReaderOptions, RejectedFile, read_header
from tagsight.reading import batch_reader
from tagsight.reading.batch_reader import Reader
from tagsight.terms.body_parts import BodyParts, read_spellings
from tagsight.terms.facet_words import facet_words
from tagsight.terms.technique_words import known_words

KEY = bytes(range(32))
CLONE = Path(__file__).parents[3]
REAL = CLONE.parent / "shared" / "dicom"
PACKAGED = sorted((Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm"))


def check(paths, wanted=None, least=0.0):
    wanted = wanted or ReaderOptions()
    found = images(Reader(KEY, wanted), paths)
    assert sorted(found) == sorted(paths)
    different = [p for p in paths if found[p][0] != read_header(p, KEY, wanted)]
    assert different == []
    taken = [fast for image, fast in found.values() if isinstance(image, Image)]
    assert sum(taken) >= least * len(taken)


def test_packaged_files():
    check([str(path) for path in PACKAGED], least=0.5)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_real_files():
    check(sorted(to_text(str(p)) for p in REAL.rglob("*") if p.is_file()), least=0.9)


DERIVING = ReaderOptions(
    keep=frozenset({"PatientAge", "PatientName", "StudyDescription"}),
    undrawable=frozenset({"no_pixels", "unsupported_pixels", "pixels_incomplete"}),
    derive=("StudyDescription", "SeriesDescription", "ProtocolName"),
    vocabulary=BodyParts(read_spellings(CLONE / "tagsight/data/body_parts.csv")),
    technique=known_words(),
    facets=facet_words(),
)


def test_with_all_that_can_be_wanted():
    check([str(path) for path in PACKAGED], DERIVING)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_real_files_with_all_that_can_be_wanted():
    check(sorted(to_text(str(p)) for p in REAL.rglob("*") if p.is_file()), DERIVING, least=0.9)


def described(folder, *rows):
    """Files that differ in modality (None: has none) and description."""
    for number, (modality, text) in enumerate(rows):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
        dataset.SOPInstanceUID = f"1.2.3.{number}"
        dataset.SeriesDescription = text
        del dataset.Modality
        if modality is not None:
            dataset.Modality = modality
        dataset.save_as(folder / f"{number}.dcm")
        yield str(folder / f"{number}.dcm")


def test_what_a_word_means_depends_on_the_modality(tmp_path):
    """Of one description in files of several, also where none is in the first file."""
    rows = [(None, "PA lung left"), ("CT", "PA lung left"), ("DX", "PA lung left"), ("CT", "x")]
    paths = list(described(tmp_path, *rows, (None, "MR T2 sag"), ("MR", "MR T2 sag")))
    check(paths, DERIVING)
    found = images(Reader(KEY, DERIVING), paths)
    assert [found[path][0].values.get("SeriesDescriptionWords") for path in paths] == [
        "side=L",
        "kernel=lung\\side=L",
        "side=L\\view=PA",
        None,
        None,
        "plane=SAG\\weighting=T2",
    ]
    assert all(found[path][1] for path in paths[1:])


@pytest.mark.parametrize(
    ("keyword", "identity", "text"),
    [
        ("PatientName", "MUELLER^HANS", "m\u00fcller"),
        ("PatientName", "GARC\u00cdA^JOSE", "GARCIA"),
        ("PatientName", "O'BRIEN^PAT", "OBRIEN"),
        ("PatientName", "VAN DER BERG^JAN", "VANDERBERG"),
        ("PatientName", "SMITH^JOHN", "SM\u200bITH"),
        ("PatientID", "MRN123456", "123456"),
        ("PatientID", "12345.0", "12345"),
    ],
)
def test_another_writing_of_an_identity_is_withheld(tmp_path, keyword, identity, text):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    setattr(dataset, keyword, identity)
    dataset.SequenceName = text
    dataset.save_as(tmp_path / "f.dcm")
    paths = [str(tmp_path / "f.dcm")]
    check(paths)
    ((image, _),) = images(Reader(KEY, ReaderOptions()), paths).values()
    assert "SequenceName" in image.withheld


def test_without_a_vocabulary_nothing_is_derived(tmp_path):
    paths = list(described(tmp_path, ("CT", "lung left")))
    check(paths, ReaderOptions(derive=("SeriesDescription",)))
    ((image, _),) = images(Reader(KEY, ReaderOptions()), paths).values()
    assert not [keyword for keyword in image.values if keyword.endswith(("Region", "Words"))]


@pytest.mark.parametrize("most", [0, 10**5, 10**9])
def test_members_of_a_compressed_container_are_read_in_one_pass(tmp_path, monkeypatch, most):
    """However many of them may be open at once."""
    monkeypatch.setattr(batch_reader, "STREAMED", most)
    monkeypatch.setattr(decompression, "_BLOCKS", 2)
    begun = []
    real = Decompressed._begin
    monkeypatch.setattr(Decompressed, "_begin", lambda self: begun.append(1) or real(self))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for number in range(30):
            archive.add(get_testdata_file("JPEG2000.dcm", download=False), f"{number:02d}")
    paths = [f"{tmp_path}/a.tar.gz!{number:02d}" for number in range(30)]
    found = images(Reader(KEY, ReaderOptions()), paths)
    assert all(isinstance(image, Image) for image, _ in found.values())
    if most < 10**9:
        assert len(begun) <= 3  # gone through, then read; and back by a batch at most


def test_mutated_headers(tmp_path):
    check(mutants(tmp_path, 400, seed=1))


def test_mutated_headers_with_all_that_can_be_wanted(tmp_path):
    check(mutants(tmp_path, 200, seed=2), DERIVING)


def test_a_full_memory_begins_anew(monkeypatch):
    monkeypatch.setattr(
        "tagsight.reading.value_meanings.ValueMeanings.is_full", lambda self: len(self.texts) > 200
    )
    reader = Reader(KEY, ReaderOptions())
    paths = [str(path) for path in PACKAGED]
    generations = set()
    for start in range(0, len(paths), 16):
        part = paths[start : start + 16]
        batch = reader.read(part, [0])
        generations.add(batch.generation)
        told = len(batch.rows) + len(batch.others)
        assert told == len(part)
        assert all(isinstance(other, Image | RejectedFile) for _, other in batch.others)
    assert len(generations) > 2
