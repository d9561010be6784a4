import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, get_frame

from tagsight.codestreams import with_whole_spectrum
from tagsight.drawable import DEFLATED_FRAMES
from tagsight.elements import opened
from tagsight.frames import middle_frame, unpack_bytes
from tagsight.gathering import gather

NAMES = [
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "MR_small_jp2klossless.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "image_dfl.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "rtdose.dcm",
    "rtdose_expb.dcm",
    "liver_1frame.dcm",
    "examples_palette.dcm",
    "SC_rgb_rle_32bit.dcm",
]


def drawn(path):
    with opened(str(path)) as parsed:
        values = gather(parsed, frozenset()).values
        return middle_frame(parsed, parsed.pixels, values)[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_frame_is_pydicoms(name):
    path = get_testdata_file(name, download=False)
    dataset = dcmread(path)
    whole = dataset.pixel_array
    count = int(dataset.get("NumberOfFrames", 1))
    expected = whole[count // 2] if count > 1 else whole
    np.testing.assert_array_equal(drawn(path), expected)


def bits(frames, rows, columns):
    rng = np.random.default_rng(1)
    return rng.integers(0, 2, (frames, rows, columns), dtype=np.uint8)


def masks(path, pixels, data, syntax=None):
    """A packaged single-bit file with `pixels`' shape and `data` for its pixel data."""
    dataset = dcmread(get_testdata_file("liver_1frame.dcm", download=False))
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = data
    if syntax:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"
    dataset.save_as(path)


def test_single_bits_need_not_start_at_a_byte(tmp_path):
    pixels = bits(5, 7, 9)
    packed = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    masks(tmp_path / "f", pixels, packed + b"\0" * (len(packed) % 2))
    np.testing.assert_array_equal(drawn(tmp_path / "f"), pixels[2])


def packed_frame(frame):
    return np.packbits(frame.ravel(), bitorder="little").tobytes()


def test_single_bits_in_deflated_frames(tmp_path):
    pixels = bits(3, 7, 9)
    squeezed = [zlib.compress(packed_frame(frame))[2:-4] for frame in pixels]
    masks(tmp_path / "f", pixels, encapsulate(squeezed), "1.2.840.10008.1.2.5")
    data = (tmp_path / "f").read_bytes()  # pydicom writes no such syntax
    named = DEFLATED_FRAMES.encode()
    old = struct.pack("<H", 20) + b"1.2.840.10008.1.2.5\0"
    (tmp_path / "f").write_bytes(data.replace(old, struct.pack("<H", len(named)) + named, 1))
    np.testing.assert_array_equal(drawn(tmp_path / "f"), pixels[1])


def test_single_bits_in_run_lengths(tmp_path):
    pixels = bits(3, 7, 9)
    head = struct.pack("<16L", 1, 64, *[0] * 14)
    squeezed = [head + bytes([7]) + packed_frame(frame) for frame in pixels]
    masks(tmp_path / "f", pixels, encapsulate(squeezed), "1.2.840.10008.1.2.5")
    np.testing.assert_array_equal(drawn(tmp_path / "f"), pixels[1])


def test_a_scan_that_ends_at_nothing_is_mended():
    path = get_testdata_file("JPGExtended.dcm", download=False)
    frame = get_frame(dcmread(path).PixelData, 0, number_of_frames=1)
    mended = with_whole_spectrum(frame)
    place = mended.index(b"\xff\xda")
    assert mended[place + 6 + 2 * mended[place + 4]] == 63
    assert len(mended) == len(frame)
    assert sum(a != b for a, b in zip(mended, frame, strict=True)) <= 1
    broken = bytearray(mended)
    broken[place + 6 + 2 * mended[place + 4]] = 0
    assert with_whole_spectrum(bytes(broken)) == mended


def test_what_is_no_jpeg_stays():
    assert with_whole_spectrum(b"\xff\xd8abc") == b"\xff\xd8abc"


def pack_bytes(data):
    """PackBits by the book: runs of one byte each, literals else."""
    out, source = io.BytesIO(), io.BytesIO(data)
    while block := source.read(100):
        if len(set(block)) == 1 and len(block) > 1:
            out.write(bytes([257 - len(block), block[0]]))
        else:
            out.write(bytes([len(block) - 1]) + block + b"\x80")
    return out.getvalue()


@given(st.binary(max_size=300) | st.integers(1, 300).map(bytes))
def test_run_lengths_come_back(data):
    assert unpack_bytes(pack_bytes(data)) == data
