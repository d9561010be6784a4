import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian

from tagsight.dicom.headers import Image, ReaderOptions, read_header
from tagsight.looks import rendering
from tagsight.looks.rendering import PixelError, Undrawn, none_drawn, render, render_all
from tagsight.rejections import Reason
from tagsight.run.progress import Progress

REAL = Path(__file__).parents[3].parent / "shared" / "dicom"
PIXEL_REASONS = {*get_args(get_args(Undrawn)[0]), *get_args(Reason)}
RAMP = np.arange(128 * 128, dtype=np.uint16).reshape(128, 128)


def written(path, array, **changes):
    """A grey picture with tags of its own; no window unless one is given."""
    dataset = dcmread(get_testdata_file("MR_small.dcm", download=False))
    for keyword in ("WindowCenter", "WindowWidth"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = array.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.tobytes()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return str(path)


def test_without_a_window_the_range_is_shown(tmp_path):
    picture = render(written(tmp_path / "f", RAMP))
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.rint(RAMP / np.float32(RAMP.max()) * 255))


def test_the_first_window_is_shown(tmp_path):
    """PS3.3 C.11.2.1.2.1, with c = 5001 and w = 1001: black to 4500.5, white from 5500.5."""
    path = written(tmp_path / "f", RAMP, WindowCenter=[5001, 9], WindowWidth=[1001, 9])
    expected = np.clip((RAMP - 5000.5) / 1000 + 0.5, 0, 1) * 255
    assert np.abs(render(path) - expected).max() <= 0.51


@pytest.mark.parametrize(
    "window", [(5000, 0), (5000, 1), (90_000, 10), (-90_000, 10)], ids=["none", "one", "off", "low"]
)
def test_a_window_that_shows_nothing_is_not_used(tmp_path, window):
    path = written(tmp_path / "f", RAMP, WindowCenter=window[0], WindowWidth=window[1])
    np.testing.assert_array_equal(render(path), render(written(tmp_path / "g", RAMP)))


def test_window_follows_the_modality_table(tmp_path):
    window = {"WindowCenter": 5001, "WindowWidth": 1001}
    plain = render(written(tmp_path / "f", RAMP, **window))
    signed = (RAMP.astype(np.int16) - 5000) * 1
    moved = written(tmp_path / "g", signed, RescaleSlope=1, RescaleIntercept=5000, **window)
    np.testing.assert_array_equal(render(moved), plain)


def test_shapes_of_windows(tmp_path):
    window = {"WindowCenter": 8000, "WindowWidth": 4000}
    exact = render(written(tmp_path / "f", RAMP, VOILUTFunction="LINEAR_EXACT", **window))
    curved = render(written(tmp_path / "g", RAMP, VOILUTFunction="SIGMOID", **window))
    assert np.abs(exact - np.clip((RAMP - 8000.0) / 4000 + 0.5, 0, 1) * 255).max() <= 0.51
    assert np.abs(curved - 255 / (1 + np.exp(-4 * (RAMP - 8000.0) / 4000))).max() <= 0.51


def test_a_voi_table_is_applied(tmp_path):
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [16384, 0, 16], list(range(16383, -1, -1))
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    path = written(tmp_path / "f", RAMP, VOILUTSequence=[table])
    np.testing.assert_array_equal(render(path), 255 - render(written(tmp_path / "g", RAMP)))


def test_monochrome1_is_inverted(tmp_path):
    path = written(tmp_path / "f", RAMP, PhotometricInterpretation="MONOCHROME1")
    plain = render(written(tmp_path / "g", RAMP))
    assert np.abs(render(path).astype(int) - (255 - plain.astype(int))).max() <= 1


def test_the_middle_frame_is_shown(tmp_path):
    frames = np.stack([RAMP * 0, RAMP, RAMP.T])
    path = written(tmp_path / "f", frames, NumberOfFrames=3)
    np.testing.assert_array_equal(render(path), render(written(tmp_path / "g", RAMP)))


def test_one_grey_comes_of_one_grey_alone(tmp_path):
    assert render(written(tmp_path / "f", RAMP * 0 + 7)).max() == 0


@pytest.mark.parametrize("shape", [(64, 16), (16, 64), (300, 100), (1, 999), (2, 2)])
def test_padding_keeps_the_shape(tmp_path, shape):
    array = np.full(shape, 200, np.uint8)
    array[0, 0] = 0
    picture = render(written(tmp_path / "f", array, WindowCenter=100, WindowWidth=150))
    rows = (picture > 0).any(axis=1).sum()
    columns = (picture > 0).any(axis=0).sum()
    scale = 128 / max(shape)
    assert abs(rows - max(1, shape[0] * scale)) <= 1
    assert abs(columns - max(1, shape[1] * scale)) <= 1


def test_stretching_fills_the_square(tmp_path):
    picture = render(written(tmp_path / "f", RAMP[:32] + 1), aspect="stretch", size=64)
    assert picture.shape == (64, 64)
    assert picture[-1].min() > 200


def box(picture):
    """Rows and columns of what is not black."""
    return tuple(int((picture > 0).any(axis=axis).sum()) for axis in (1, 0))


@pytest.mark.parametrize(
    ("shape", "changes", "expected"),
    [
        ((64, 128), {"PixelSpacing": [2, 1]}, (128, 128)),
        ((128, 64), {"PixelSpacing": [1, 2]}, (128, 128)),
        ((128, 128), {"PixelSpacing": [1, 2]}, (64, 128)),
        ((30, 64), {"PixelAspectRatio": [4, 3]}, (80, 128)),
        ((64, 128), {"ImagerPixelSpacing": [2, 1]}, (128, 128)),
        ((64, 128), {"PixelSpacing": [1, 1], "PixelAspectRatio": [2, 1]}, (64, 128)),
        ((64, 128), {"PixelSpacing": [0, 0]}, (64, 128)),
        ((64, 128), {"PixelAspectRatio": [1, 0]}, (64, 128)),
        ((64, 128), {"PixelSpacing": [99, 1]}, (64, 128)),
        ((64, 128), {"PixelSpacing": []}, (64, 128)),
    ],
)
def test_pixels_need_not_be_square(tmp_path, shape, changes, expected):
    changes = {"PixelSpacing": None, "WindowCenter": 100, "WindowWidth": 199} | changes
    array = np.full(shape, 200, np.uint8)
    array[::2] = 90
    path = written(tmp_path / "f", array, **changes)
    assert box(render(path)) == expected
    assert box(render(path, aspect="stretch")) == (128, 128)


def test_shrinking_takes_means(tmp_path):
    array = RAMP.astype(np.float64).repeat(2, 0).repeat(2, 1)
    array[::2] += 8
    array[1::2] -= 8
    picture = render(written(tmp_path / "f", (array + 8).astype(np.uint16)))
    expected = (RAMP + 8) / (RAMP.max() + 16) * 255
    assert np.abs(picture - expected).max() <= 0.51


def test_colour_becomes_luma():
    """The bars of pydicom's example: red, green, blue, black … at their BT.601 weights."""
    picture = render(get_testdata_file("SC_rgb_rle.dcm", download=False))
    colours = dcmread(get_testdata_file("SC_rgb_rle.dcm", download=False)).pixel_array
    for row in (5, 25, 45, 65, 95):
        expected = colours[row, 50] @ [0.299, 0.587, 0.114]
        assert abs(picture[round(row * 1.28), 64] - expected) <= 1.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MR_small.dcm", "MR_small_bigendian.dcm"),
        ("MR_small.dcm", "MR_small_RLE.dcm"),
        ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
        ("SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm"),
        ("rtdose.dcm", "rtdose_rle.dcm"),
        ("liver_1frame.dcm", "liver_expb_1frame.dcm"),
    ],
)
def test_one_picture_in_two_codings_looks_the_same(one, other):
    first, second = (render(get_testdata_file(name, download=False)) for name in (one, other))
    assert np.abs(first.astype(int) - second.astype(int)).max() <= 1


def test_a_palette_of_a_big_endian_file():
    if not REAL.is_dir():
        pytest.skip("../shared/dicom is not here")
    folder = REAL / "pydicom-data" / "data_store" / "data"
    little, big = (render(str(folder / f"OBXXXX1A{end}.dcm")) for end in ("", "_expb"))
    np.testing.assert_array_equal(little, big)


def test_what_cannot_be_drawn_says_why(tmp_path):
    with pytest.raises(PixelError) as refused:
        render(get_testdata_file("rtplan.dcm", download=False))
    assert refused.value.reason == "no_pixels"
    data = bytearray(
        Path(get_testdata_file("MR_small_jp2klossless.dcm", download=False)).read_bytes()
    )
    start = data.index(b"\xff\x52")  # of the coding style, which now has no size
    data[start + 2 : start + 20] = bytes(18)
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(PixelError) as refused:
        render(str(tmp_path / "f"))
    assert refused.value.reason == "decoder_failed"
    assert refused.value.reason in PIXEL_REASONS


def paths(count):
    names = ["CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "examples_rgb_color.dcm"]
    return [get_testdata_file(names[i % 4], download=False) for i in range(count)]


def test_many_are_drawn_in_order_by_any_number_of_processes():
    images, reasons, _ = render_all(paths(40), "pad", 1, Progress(40, "images"))
    again, same, _ = render_all(paths(40), "pad", 3, Progress(40, "images"))
    np.testing.assert_array_equal(images, again)
    assert reasons == same == [None, None, "no_pixels", None] * 10
    assert not images[2].any()
    np.testing.assert_array_equal(images[1], render(paths(2)[1]))


def test_a_decoder_that_crashes_loses_its_own_picture_alone(monkeypatch):
    calm = rendering.draw
    victim = paths(4)[3]

    def crashing(path, aspect, size):
        if path == victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return calm(path, aspect, size)

    monkeypatch.setattr(rendering, "draw", crashing)
    progress = Progress(20, "images")
    images, reasons, _ = render_all(paths(20), "pad", 2, progress)
    assert reasons == [None, None, "no_pixels", "decoder_crashed"] * 5
    assert images[0].any()
    assert progress.done == 20


def test_a_decoder_that_never_ends_loses_its_own_picture_alone(monkeypatch):
    calm = rendering.draw
    victim = paths(4)[3]

    def endless(path, aspect, size):
        while path == victim:
            time.sleep(1)
        return calm(path, aspect, size)

    monkeypatch.setattr(rendering, "draw", endless)
    images, reasons, _ = render_all(paths(8), "pad", 2, Progress(8, "images"), seconds=3)
    assert reasons == [None, None, "no_pixels", "too_slow"] * 2
    assert images[4].any()
    assert set(reasons) - {None} <= PIXEL_REASONS


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_every_real_image_that_is_taken_can_be_drawn():
    found = sorted(str(path) for path in REAL.rglob("*") if path.is_file())[::3]
    taken = [
        path for path in found if isinstance(read_header(path, b"k" * 32, ReaderOptions()), Image)
    ]
    images, reasons, _ = render_all(taken, "pad", 2, Progress(len(taken), "images"))
    assert {path for path, reason in zip(taken, reasons, strict=True) if reason} == set()
    assert len(taken) > 250
    assert (images.max(axis=(1, 2)) > 0).all()


def test_a_sample_of_which_nothing_can_be_drawn_is_named_and_one_without_images_is_not():
    assert none_drawn([None, "decoder_failed"]) is None
    assert none_drawn([]) is None
    assert re.search(r"none of the 2 images .*decoder_failed", none_drawn(["decoder_failed"] * 2))


def test_no_images_are_no_pictures():
    images, reasons, _ = render_all([], "pad", 2, Progress(0, "images"))
    assert images.shape == (0, 128, 128)
    assert reasons == []


def test_images_are_drawn_without_torch():
    code = "import sys, tagsight.looks.rendering; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
