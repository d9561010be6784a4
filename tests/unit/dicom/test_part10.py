import os
import struct
import zlib
from pathlib import Path
from typing import get_args

import pytest
from memory import traced
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.dicom.part10 import open_header
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.rejections import Reason, Rejection

EXPLICIT, DEFLATED = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"
CLASS = b"1.2.840.10008.5.1.4.1.1.2\0"


def element(tag, vr, value, length=None):
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    length = len(value) if length is None else length
    wide = vr in (b"OB", b"OW", b"SQ", b"UN")
    return head + struct.pack("<HI" if wide else "<H", *([0] * wide), length) + value


def start(syntax=EXPLICIT):
    return b"\0" * 128 + b"DICM" + element(0x00020010, b"UI", syntax)


PLAIN = element(0x00080016, b"UI", CLASS) + element(0x00080060, b"CS", b"CT")
NESTED = element(0x00081140, b"SQ", b"", UNDEFINED) + b"\xfe\xff\0\xe0\xff\xff\xff\xff"


def refusal(path):
    with pytest.raises(Rejection) as refused, open_header(str(path)):
        pass
    assert refused.value.reason in get_args(Reason)
    return refused.value.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"DIC", "not_dicom"),
        (b"\0" * 131, "not_dicom"),
        (b"# a README, as long as the preamble\n" * 9, "not_dicom"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_dicom"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "not_dicom"),
        (b"\0" * 128 + b"DICM", "truncated"),
        (start() + PLAIN + element(0x00081090, b"LO", b"short", 900), "truncated"),
        (start() + NESTED * 100_000, "too_deep"),
        (start() + PLAIN + NESTED[:-4] + bytes(4) + b"\xfe\xff\0\xe0\0\0\0\0" * 10**6, "too_large"),
        (start(DEFLATED) + zlib.compress(bytes(2**29), 9)[2:-4], "too_large"),
        (start(DEFLATED) + zlib.compress(PLAIN * 99)[2:40], "truncated"),
        (start(DEFLATED) + b"\xff" * 50, "bad_header"),
    ],
)
def test_what_is_refused(tmp_path, content, reason):
    (tmp_path / "f").write_bytes(content)
    assert refusal(tmp_path / "f") == reason


def test_places_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "not_a_regular_file"
    assert refusal(tmp_path) == "not_a_regular_file"
    assert refusal(tmp_path / "gone") == "vanished"
    assert refusal("nul\0inside") == "vanished"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refusal(tmp_path / "loop") == "unreadable"


def test_a_value_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "sparse"
    path.write_bytes(start() + PLAIN + element(0x00091001, b"UN", b"", 3 * 2**30))
    os.truncate(path, path.stat().st_size + 3 * 2**30)
    with traced() as peak, open_header(str(path)) as parsed:
        assert list(parsed.elements) == [0x00080016, 0x00080060, 0x00091001]
        assert parsed.elements[0x00091001].length == 3 * 2**30
        with pytest.raises(Rejection, match="too_large"):
            parsed.window.value(parsed.elements[0x00091001])
        assert peak() < 2**20


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm"])
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "bare"])
def test_elements_are_those_of_pydicom(tmp_path, name, marked):
    """Bare: without preamble, mark and meta, so that the encoding has to be told from the bytes."""
    known = dcmread(get_testdata_file(name, download=False), stop_before_pixels=True)
    path = tmp_path / "f"
    data = Path(known.filename).read_bytes()
    skipped = 132 + 12 + known.file_meta.FileMetaInformationGroupLength
    path.write_bytes(data if marked else data[skipped:])
    with open_header(str(path)) as parsed:
        assert list(parsed.elements) == [int(element.tag) for element in known]
        assert parsed.syntax == known.file_meta.TransferSyntaxUID
        assert parsed.little == known.file_meta.TransferSyntaxUID.is_little_endian


def test_a_lying_transfer_syntax_is_found_out(tmp_path):
    data = Path(get_testdata_file("MR_small.dcm", download=False)).read_bytes()
    (tmp_path / "f").write_bytes(data.replace(EXPLICIT, b"1.2.840.10008.1.2\0\0\0", 1))
    with open_header(str(tmp_path / "f")) as parsed:
        assert parsed.window.value(parsed.elements[0x00080060]).strip() == b"MR"


def test_the_place_of_the_pixels():
    path = get_testdata_file("MR_small.dcm", download=False)
    with open_header(path) as parsed:
        parsed.source.seek(parsed.pixels.offset)
        assert parsed.source.read(parsed.pixels.length) == dcmread(path).PixelData


def test_a_header_cut_anywhere_is_refused_or_short(tmp_path):
    data = Path(get_testdata_file("MR_small.dcm", download=False)).read_bytes()
    with open_header(get_testdata_file("MR_small.dcm", download=False)) as parsed:
        end = parsed.pixels.offset - 12
    reasons = set()
    for size in range(1, end, 7):
        (tmp_path / "f").write_bytes(data[:size])
        try:
            with open_header(str(tmp_path / "f")) as parsed:
                assert parsed.pixels is None
        except Rejection as refused:
            reasons.add(refused.reason)
    assert reasons <= {"truncated", "not_dicom", "bad_header"}
