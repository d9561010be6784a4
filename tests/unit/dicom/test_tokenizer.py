"""Structure that no standard knows and files have: what is around it is read all the same."""

import io

import pytest
from dicom_bytes import (
    ITEM_END,
    SEQUENCE_END,
    element,
    file_of,
    implicit,
    item,
    numbers,
    odd,
    picture,
    sequence,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from tagsight.dicom.headers import Image, ReaderOptions, read_header
from tagsight.reading.batch_reader import Reader

KEY = bytes(range(32))
THICKNESS, SPACING = element(0x00180050, "DS", "2.5"), element(0x00280030, "DS", "0.7\\0.7")
MEASURES = sequence(0x00289110, item(THICKNESS, SPACING))
PRIVATE = element(0x00210010, "LO", "ACME") + sequence(
    0x00211001, item(element(0x00211002, "LO", "x"))
)


def both(tmp_path, data):
    """The image by the plain reader; the fast one has to say the same."""
    path = tmp_path / "file"
    path.write_bytes(data)
    plain = read_header(str(path), KEY, ReaderOptions())
    batch = Reader(KEY, ReaderOptions()).read([str(path)], [0])
    for _, image in batch.rows:
        values = {batch.columns[c]: batch.texts[v] for c, v in enumerate(batch.codes[0]) if v >= 0}
        assert image._replace(values=values) == plain
    for _, other in batch.others:
        assert other == plain
    assert len(batch.rows) + len(batch.others) == 1
    return plain


@pytest.mark.parametrize("stray", [SEQUENCE_END, ITEM_END, ITEM_END + SEQUENCE_END])
def test_a_delimiter_where_nothing_is_open_is_passed_over(tmp_path, stray):
    """fo-dicom 64, dicomParser 273: one behind a sequence of explicit length; pydicom reads on."""
    others = {
        "t00081140": sequence(0x00081140) + stray,
        "t00180060": element(0x00180060, "DS", "120"),
    }
    image = both(tmp_path, file_of(picture(**others)))
    assert (image.values["KVP"], image.patient is not None) == ("120", True)
    assert image.values["Rows"] == "32"
    assert image.remark == "delimiters"
    assert both(tmp_path, file_of(picture())).remark == ""


@pytest.mark.parametrize("delimited", [(a, b) for a in (False, True) for b in (False, True)])
@pytest.mark.parametrize("stray", [b"", SEQUENCE_END])
def test_a_stray_one_in_an_item_hides_nothing_behind_it(tmp_path, stray, delimited):
    """However item and sequence are delimited; what is behind it stays inside."""
    inside = item(PRIVATE, stray, MEASURES, delimited=delimited[0])
    groups = sequence(0x52009229, inside, delimited=delimited[1])
    image = both(tmp_path, file_of(picture(t52009229=groups)))
    assert (image.values["SliceThickness"], image.values["PixelSpacing"]) == ("2.5", "0.7\\0.7")
    assert image.values["Rows"] == "32"


def test_an_end_of_an_item_behind_one_of_explicit_length_is_passed_over(tmp_path):
    groups = sequence(0x52009229, item(MEASURES) + ITEM_END, delimited=True)
    image = both(tmp_path, file_of(picture(t52009229=groups)))
    assert image.values["SliceThickness"] == "2.5"
    assert image.remark == "delimiters"


def test_an_item_that_its_sequence_ends(tmp_path):
    """The delimiter of the item is missing: what is behind the sequence is outside."""
    kvp = element(0x00180060, "DS", "120")
    unclosed = item(element(0x00080100, "SH", "A"), delimited=True)[: -len(ITEM_END)]
    inside = sequence(0x00081140, unclosed, delimited=True)
    image = both(tmp_path, file_of(picture(t00081140=inside, t00180060=kvp)))
    assert image.values["KVP"] == "120"
    assert "CodeValue" not in image.values


INTENT = 0x00080068
LETTERS = [b"UK", b"ZZ", b"??", b"  ", b"\0\0", b"cs", b"Cs", b"--", b"XX"]


@pytest.mark.parametrize("letters", LETTERS)
@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("value", ["FOR PRESENTATION", "FOR PROCESSING", "AB", ""])
def test_the_vr_of_a_known_tag_is_the_dictionarys_where_the_files_is_none(
    tmp_path, letters, long, value
):
    """dcm4che 918, dicomParser 49, pydicom 1706; PS3.5 7.1.2: the long form is that of new VRs."""
    data = odd(INTENT, letters, value, long=long)
    image = both(tmp_path, file_of(picture(t00080068=data)))
    assert image.values.get("PresentationIntentType", "") == value
    assert image.values["Rows"] == "32"


@pytest.mark.parametrize("letters", LETTERS)
@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("tag", [0x00080005, 0x00280101, 0x00280103])
def test_wherever_it_is(tmp_path, letters, long, tag):
    """In the first element of a data set, in a number, before the pixels."""
    value = {0x00080005: "ISO_IR 100", 0x00280101: numbers(12)}.get(tag, numbers(0))
    data = odd(tag, letters, value, long=long)
    image = both(tmp_path, file_of(picture(**{f"t{tag:08x}": data})))
    assert image.values["Modality"] == "OT"
    assert image.values["Rows"] == "32"
    if tag == 0x00280101:
        assert image.values["BitsStored"] == "12"


@pytest.mark.parametrize("letters", LETTERS)
@pytest.mark.parametrize("long", [True, False])
def test_pixels_of_no_known_vr(tmp_path, letters, long):
    size = {True: 32, False: 16}[long]  # rows and columns: a short form holds 64 KB
    data = odd(0x7FE00010, letters, bytes(2 * size * size), long=long)
    shape = {"t00280010": element(0x00280010, "US", numbers(size))}
    shape["t00280011"] = element(0x00280011, "US", numbers(size))
    image = both(tmp_path, file_of(picture(t7fe00010=data, **shape)))
    assert isinstance(image, Image)
    assert image.undrawable is None


@settings(max_examples=60)
@given(st.sampled_from(LETTERS), st.booleans(), st.text("ABCS DLOTU0.5", max_size=24))
def test_what_is_beside_an_unknown_vr_is_never_harmed(tmp_path_factory, letters, long, text):
    data = odd(0x00081090, letters, text, long=long)
    image = both(tmp_path_factory.mktemp("odd"), file_of(picture(t00081090=data)))
    assert image.values["Modality"] == "OT"
    assert image.values["Columns"] == "32"


NAMES = st.text("ABCDEFGHLMOPRSTU ", min_size=1, max_size=40)


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=4), st.booleans())
def test_implicit_items_in_an_explicit_file_are_read_as_pydicom_reads_them(
    tmp_path_factory, names, delimited
):
    """Some writers switch within sequences: no length is taken for a VR that is unknown."""
    codes = [
        item(implicit(0x00080100, "T-1"), implicit(0x00080104, name), delimited=delimited)
        for name in names
    ]
    region = sequence(0x00082218, *codes, delimited=delimited)
    data = file_of(picture(t00082218=region))
    image = both(tmp_path_factory.mktemp("switched"), data)
    theirs = dcmread(io.BytesIO(data)).AnatomicRegionSequence
    expected = "\\".join(filter(None, (code.CodeMeaning.strip() for code in theirs)))
    assert image.values.get("AnatomicRegionSequence", "") == expected


def test_more_bits_stored_than_allocated_is_one_verdict_in_both_readers(tmp_path):
    """Files that agree in all else, one after the other: each has its own."""
    paths = []
    for number, stored in enumerate([16, 17, 16]):
        bits = element(0x00280101, "US", numbers(stored))
        (tmp_path / f"{number}").write_bytes(file_of(picture(t00280101=bits)))
        paths.append(str(tmp_path / f"{number}"))
    batch = Reader(KEY, ReaderOptions()).read(paths, [0])
    assert [place for place, _ in batch.rows] == [0, 2]
    assert [(place, other.reason) for place, other in batch.others] == [(1, "unsupported_pixels")]
