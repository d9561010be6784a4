from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import MPEG4HP41, VLWholeSlideMicroscopyImageStorage

from tagsight.dicom.drawable import check_drawable, frame_count, int_value
from tagsight.dicom.headers import gather
from tagsight.dicom.part10 import open_header
from tagsight.rejections import Rejection


def verdict(path):
    try:
        with open_header(str(path)) as parsed:
            check_drawable(parsed, gather(parsed, frozenset()).values)
    except Rejection as refused:
        return refused.reason
    return None


def written(path, name="CT_small.dcm", **changes):
    dataset = dcmread(get_testdata_file(name, download=False))
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("CT_small.dcm", None),
        ("JPEG2000.dcm", None),
        ("SC_ybr_full_422_uncompressed.dcm", None),
        ("liver_1frame.dcm", None),
        ("rtdose.dcm", None),
        ("rtstruct.dcm", "no_pixels"),
        ("test-SR.dcm", "no_pixels"),
        ("MR_truncated.dcm", "pixels_incomplete"),
        ("meta_missing_tsyntax.dcm", "unsupported_pixels"),
    ],
)
def test_packaged_files(name, reason):
    assert verdict(get_testdata_file(name, download=False)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SOPClassUID": VLWholeSlideMicroscopyImageStorage}, "whole_slide"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.9"}, "whole_slide"),
        ({"DimensionOrganizationType": "TILED_FULL"}, "whole_slide"),
        ({"PhotometricInterpretation": "ARGB"}, "unsupported_pixels"),
        ({"PhotometricInterpretation": "CMYK"}, "unsupported_pixels"),
        ({"BitsAllocated": 8}, "unsupported_pixels"),  # of which 16 are stored
        ({"BitsAllocated": 8, "BitsStored": 8}, None),
        ({"SamplesPerPixel": 4}, "unsupported_pixels"),
        ({"Rows": 0}, "unsupported_pixels"),
        ({"BitsAllocated": 12}, "unsupported_pixels"),
        ({"SamplesPerPixel": 2}, "unsupported_pixels"),
        ({"Rows": 60_000, "Columns": 60_000}, "too_large"),
        ({"Rows": 129}, "pixels_incomplete"),
        ({"NumberOfFrames": 2}, "pixels_incomplete"),
        ({"NumberOfFrames": "1"}, None),
    ],
)
def test_what_the_header_says(tmp_path, changes, reason):
    assert verdict(written(tmp_path / "f", **changes)) == reason


def test_a_video_has_no_decoder(tmp_path):
    dataset = dcmread(get_testdata_file("JPEG2000.dcm", download=False))
    dataset.file_meta.TransferSyntaxUID = MPEG4HP41
    dataset.save_as(tmp_path / "f")
    assert verdict(tmp_path / "f") == "no_decoder"


@pytest.mark.parametrize(("head", "reason"), [(b"", None), (b"nobody's", "no_decoder")])
def test_fragments_of_a_private_syntax_say_themselves_what_they_are(tmp_path, head, reason):
    data = Path(get_testdata_file("JPEG2000.dcm", download=False)).read_bytes()
    uid = dcmread(get_testdata_file("JPEG2000.dcm", download=False)).file_meta.TransferSyntaxUID
    data = data.replace(uid.encode(), b"9" + uid[1:].encode(), 1)
    start = data.index(b"\xff\x4f\xff\x51")
    (tmp_path / "f").write_bytes(data[:start] + head + data[start + len(head) :])
    assert verdict(tmp_path / "f") == reason


@pytest.mark.parametrize("cut", [40, 200])
def test_fragments_that_are_cut(tmp_path, cut):
    data = Path(get_testdata_file("JPEG2000.dcm", download=False)).read_bytes()
    (tmp_path / "f").write_bytes(data[:-cut])
    assert verdict(tmp_path / "f") == "pixels_incomplete"


def test_fewer_fragments_than_frames(tmp_path):
    path = written(tmp_path / "f", "SC_rgb_rle_2frame.dcm", NumberOfFrames=3)
    assert verdict(path) == "pixels_incomplete"


def test_no_text_of_a_file_gets_into_a_detail(tmp_path):
    for name, detail in (("SR", "SR"), ("Muster", "")):
        path = written(tmp_path / "f", "test-SR.dcm", Modality=name)
        with pytest.raises(Rejection) as refused, open_header(str(path)) as parsed:
            check_drawable(parsed, gather(parsed, frozenset()).values)
        assert refused.value.detail == detail


def test_numbers_of_the_header():
    assert int_value({"Rows": "12\\3"}, "Rows", 0) == 12
    assert int_value({"Rows": "1A"}, "Rows", 7) == 7
    assert frame_count({"NumberOfFrames": "0"}) == 1
