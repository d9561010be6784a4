import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from tagsight.dicom.drawable import DECODED
from tagsight.looks.frames import decoders
from tagsight.looks.frames.codestreams import codestream
from tagsight.looks.frames.remarks import format_of
from tagsight.rejections import Rejection


def test_nothing_is_missing_of_the_wheel():
    assert decoders.missing() == []
    assert decoders.losses() == []


def test_the_page_on_decoders_names_those_that_are_pinned():
    clone = Path(__file__).parents[4]
    pin = f"imagecodecs=={imagecodecs.__version__}\n"
    if pin not in (clone / "constraints.txt").read_text(encoding="utf-8"):
        pytest.skip("another imagecodecs is installed")
    page = (clone / "docs/decoders.md").read_text(encoding="utf-8")
    versions = [imagecodecs.jpeg8_version(), imagecodecs.jpegls_version()]
    for version in [*versions, imagecodecs.jpeg2k_version()]:
        assert version.split()[1].split("/")[0] in page
    assert imagecodecs.__version__ in page


def test_every_syntax_that_is_decoded_has_a_format():
    assert {format_of(syntax) for syntax in DECODED} == {
        "JPEG",
        "JPEG-LS",
        "JPEG 2000",
        "RLE",
        "deflated",
    }


class Absent:
    available = False


@pytest.mark.parametrize(
    ("name", "format", "syntax"),
    [
        ("JPEG8", "JPEG", "1.2.840.10008.1.2.4.50"),
        ("JPEGLS", "JPEG-LS", "1.2.840.10008.1.2.4.80"),
        ("JPEG2K", "JPEG 2000", "1.2.840.10008.1.2.4.90"),
    ],
)
def test_a_decoder_that_is_missing_is_told_with_what_it_loses(monkeypatch, name, format, syntax):
    monkeypatch.setattr(imagecodecs, name, Absent)
    (line,) = decoders.losses()
    assert format in line
    assert syntax in line
    array = np.zeros((8, 8), np.uint8)
    encode = {
        "JPEG": imagecodecs.jpeg8_encode,
        "JPEG-LS": imagecodecs.jpegls_encode,
        "JPEG 2000": lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K"),
    }
    frame = bytes(encode[format](array))
    with pytest.raises(Rejection) as refused:
        decoders.decoded(frame, codestream(frame), to_rgb=False)
    assert refused.value.reason == "no_decoder"


def noise(**options):
    rng = np.random.default_rng(0)
    return bytes(imagecodecs.jpeg8_encode(rng.integers(0, 256, (64, 64), np.uint8), **options))


def progressive():
    file = io.BytesIO()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(file, "JPEG", progressive=True)
    return file.getvalue()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fill_bytes_before_the_end_are_no_data(count):
    """T.81 B.1.1.2; dcmtk pads so."""
    frame = noise()
    filled = frame[:-2] + b"\xff" * count + b"\xff\xd9"
    head = codestream(frame)
    expected = decoders.decoded(frame, head, to_rgb=False)
    np.testing.assert_array_equal(decoders.decoded(filled, head, to_rgb=False), expected)


@pytest.mark.parametrize(
    "frame",
    [noise(), noise(lossless=True), noise(level=30), progressive()],
    ids=["baseline", "lossless", "coarse", "progressive"],
)
def test_a_jpeg_that_ends_before_its_picture_does_is_none(frame):
    """libjpeg-turbo makes up the rest, in grey; an end marker after the cut hides it."""
    head = codestream(frame)
    assert decoders.decoded(frame, head, to_rgb=False).std() > 10
    for length in range(len(frame) - 10, len(frame) - 500, -97):
        cut = frame[:length] + b"\xff\xd9"
        with pytest.raises(ValueError, match="before its picture"):
            decoders.decoded(cut, head, to_rgb=False)
