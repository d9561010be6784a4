import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from tagsight.dicom.drawable import DECODED, DEFLATED_FRAMES
from tagsight.dicom.header_texts import gather
from tagsight.dicom.part10 import open_header
from tagsight.looks.frames.decoding import middle_frame
from tagsight.rejections import Rejection

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


def frame(path):
    with open_header(str(path)) as parsed:
        values = gather(parsed, frozenset()).values
        return middle_frame(parsed, parsed.pixels, values)


def drawn(path):
    return frame(path).array


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_frame_is_pydicoms(name):
    path = get_testdata_file(name, download=False)
    dataset = dcmread(path)
    whole = dataset.pixel_array
    count = int(dataset.get("NumberOfFrames", 1))
    expected = whole[count // 2] if count > 1 else whole
    lossy = str(dataset.file_meta.TransferSyntaxUID) == JPEGBaseline8Bit
    assert np.abs(drawn(path).astype(int) - expected).max() <= lossy


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


PLAIN = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def compressed(path, frame, syntax, **changes):
    """A file whose only frame is `frame`, with the header of `PLAIN`'s 16-bit grey picture."""
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.Rows, dataset.Columns = PLAIN.shape
    dataset.PixelRepresentation = 0
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return path


def jpeg_ls(array):
    return bytes(imagecodecs.jpegls_encode(array))


def jpeg_2000(array, **options):
    options = {"codecformat": "J2K", "reversible": True, "level": 0, "mct": False} | options
    return bytes(imagecodecs.jpeg2k_encode(array, **options))


def jpeg(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({}, "all true"),
        ({"Rows": 48, "Columns": 64}, "turned"),
        ({"Rows": 1024, "Columns": 3}, "another shape of the same size"),
        ({"Rows": 1000, "Columns": 1000}, "larger"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "shallower"),
    ],
)
@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_frame_is_believed_and_not_the_header(tmp_path, header, said, syntax):
    data = (jpeg_ls if syntax == JPEGLSLossless else jpeg_2000)(PLAIN)
    path = compressed(tmp_path / "f", data, syntax, **header)
    np.testing.assert_array_equal(drawn(path), PLAIN, said)


@pytest.mark.parametrize("allocated", [8, 16])
def test_eight_bits_in_a_frame_that_is_said_to_have_more(tmp_path, allocated):
    array = np.tile(np.arange(32, dtype=np.uint8) * 8, (40, 1))
    header = {"BitsAllocated": allocated, "BitsStored": allocated, "HighBit": allocated - 1}
    path = compressed(tmp_path / "f", jpeg(array, quality=100), JPEGBaseline8Bit, **header)
    assert np.abs(drawn(path).astype(int)[:, :30] - array[:, :30]).max() <= 2


@pytest.mark.parametrize(
    ("cut", "reason"), [(2, "pixels_incomplete"), (300, "pixels_incomplete"), (0, None)]
)
def test_a_frame_that_is_cut_is_no_picture(tmp_path, cut, reason):
    """libjpeg fills what is not there with grey, and says nothing."""
    rng = np.random.default_rng(0)
    array = rng.integers(0, 255, (40, 30), dtype=np.uint8)
    data = jpeg(array)[: -cut or None] + bytes(8)
    header = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = compressed(tmp_path / "f", data, JPEGBaseline8Bit, **header)
    if reason is None:
        assert drawn(path).shape == array.shape
    else:
        with pytest.raises(Rejection) as refused:
            drawn(path)
        assert refused.value.reason == reason


def test_no_blank_comes_of_a_frame_that_is_full(tmp_path):
    """CharLS before 2.4 gave zeros, and no error, for what it could not go on with."""
    rng = np.random.default_rng(0)
    full = jpeg_ls(rng.integers(0, 2**16, (64, 64), dtype=np.uint16))
    blank = jpeg_ls(np.zeros((64, 64), np.uint16))
    place = blank.rindex(b"\xff\xd9")
    both = blank[:place] + full[100:]
    with pytest.raises(imagecodecs.JpeglsError):
        drawn(compressed(tmp_path / "f", both, JPEGLSLossless))
    assert not drawn(compressed(tmp_path / "g", blank, JPEGLSLossless)).any()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_blank_is_a_blank(tmp_path, syntax):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.Rows = dataset.Columns = 700
    dataset.PixelData = np.full((700, 700), 513, np.int16).tobytes()
    dataset.compress(syntax)
    dataset.save_as(tmp_path / "f")
    assert (drawn(tmp_path / "f") == 513).all()


def test_a_blank_jpeg_is_a_blank(tmp_path):
    header = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    data = jpeg(np.full((700, 700), 90, np.uint8))
    assert (drawn(compressed(tmp_path / "f", data, JPEGBaseline8Bit, **header)) == 90).all()


def test_colours_in_a_frame_that_is_said_to_be_grey_are_drawn_as_colours(tmp_path):
    array = np.tile(np.arange(30, dtype=np.uint8)[:, None] * 8, (40, 1, 3))
    header = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = compressed(tmp_path / "f", jpeg(array, quality=100), JPEGBaseline8Bit, **header)
    assert np.abs(drawn(path).astype(int) - array).max() <= 3
    assert {"other_samples", "other_colours"} <= set(frame(path).remarks)


def test_high_throughput_jpeg_2000():
    folder = Path(__file__).parents[5] / "shared/dicom/pydicom-data/data_store/data"
    if not folder.is_dir():
        pytest.skip("../shared/dicom is not here")
    for name in ("HTJ2KLossless_08_RGB.dcm", "HTJ2K_08_RGB.dcm"):
        assert drawn(folder / name).std() > 10
    assert {UID(f"1.2.840.10008.1.2.4.{n}") for n in (201, 202, 203)} <= DECODED


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 15), (10, 12), (16, 15), (16, 3)])
def test_bits_that_hold_no_sample_are_taken_out(tmp_path, signed, stored, high):
    """Overlays stood in them once (PS3.5 8.1.1 of 2004); a High Bit that cannot be is not one."""
    rng = np.random.default_rng(stored)
    top = 2 ** (stored - 1)
    values = rng.integers(-top if signed else 0, top if signed else 2 * top, (40, 30))
    shift = max(high, stored - 1) - stored + 1
    words = (values % 2**stored) << shift
    rest = 0xFFFF & ~((2**stored - 1) << shift)
    words = (words | rng.integers(0, 2**16, words.shape) & rest).astype(np.uint16)
    header = {"BitsStored": stored, "HighBit": high, "PixelRepresentation": int(signed)}
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.Rows, dataset.Columns, dataset.PixelData = 40, 30, words.tobytes()
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "f")
    np.testing.assert_array_equal(drawn(tmp_path / "f"), values)
    data = jpeg_ls(words)
    np.testing.assert_array_equal(
        drawn(compressed(tmp_path / "g", data, JPEGLSLossless, **header)), values
    )


def test_pixels_that_are_called_422_and_are_all_there(tmp_path):
    dataset = dcmread(get_testdata_file("SC_ybr_full_422_uncompressed.dcm", download=False))
    expected = drawn(get_testdata_file("SC_ybr_full_422_uncompressed.dcm", download=False))
    y1, y2, b, r = np.frombuffer(dataset.PixelData, np.uint8).reshape(-1, 4).T
    dataset.PixelData = np.stack([y1, b, r, y2, b, r], axis=1).tobytes()
    dataset.save_as(tmp_path / "f")
    np.testing.assert_array_equal(drawn(tmp_path / "f"), expected)


@pytest.mark.parametrize("count", [None, 0, 1])
def test_frames_that_are_not_counted(tmp_path, count):
    """Then it is the first, and not all in one."""
    dataset = dcmread(get_testdata_file("SC_rgb_rle_2frame.dcm", download=False))
    first = dataset.pixel_array[0]
    if count is None:
        del dataset.NumberOfFrames
    else:
        dataset.NumberOfFrames = count
    dataset.save_as(tmp_path / "f")
    np.testing.assert_array_equal(drawn(tmp_path / "f"), first)
