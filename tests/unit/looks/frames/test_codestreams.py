import io

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame

from tagsight.looks.frames.codestreams import codestream, unwrapped


def first_frame(name):
    dataset = dcmread(get_testdata_file(name, download=False))
    return dataset, get_frame(dataset.PixelData, 0, number_of_frames=1)


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("JPEG2000.dcm", 16),
        ("MR_small_jp2klossless.dcm", 16),
        ("SC_rgb_jpeg_dcmtk.dcm", 8),
        ("JPGExtended.dcm", 12),
        ("JPEG-lossy.dcm", 12),
        ("MR_small_jpeg_ls_lossless.dcm", 16),
        ("SC_rgb_small_odd_jpeg.dcm", 8),
    ],
)
def test_frames_say_what_they_are(name, precision):
    dataset, frame = first_frame(name)
    itself = codestream(frame)
    assert (itself.rows, itself.columns) == (dataset.Rows, dataset.Columns)
    assert itself.samples == dataset.SamplesPerPixel
    assert itself.precision == precision
    assert itself.complete


@pytest.mark.parametrize(
    "name", ["JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPGExtended.dcm", "MR_small_RLE.dcm"]
)
def test_no_beginning_of_a_frame_is_a_whole_one(name):
    frame = first_frame(name)[1]
    for length in range(frame.rfind(b"\xff\xd9") + 2):
        itself = codestream(frame[:length])
        assert itself is None or not itself.complete, length


def test_the_end_of_a_thumbnail_is_none():
    def jpeg(shape):
        file = io.BytesIO()
        Image.fromarray(np.zeros(shape, np.uint8)).save(file, "JPEG")
        return file.getvalue()

    small, large = jpeg((4, 4)), jpeg((20, 30))
    inside = b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small
    both = large[:2] + inside + large[2:]
    assert codestream(both) == codestream(large)
    assert (codestream(both).rows, codestream(both).columns) == (20, 30)
    assert not codestream(both[:-2]).complete


@pytest.mark.parametrize(
    "frame", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\x4f\xff\x51", bytes(99)]
)
def test_what_says_nothing(frame):
    assert codestream(frame) is None
    assert unwrapped(frame) == frame
