import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels.decoders.rle import _rle_decode_frame

from tagsight.looks.frames.run_lengths import run_lengths, unpacked
from tagsight.rejections import Rejection


def pack_bytes(data):
    """PackBits by the book: runs of one byte each, literals else."""
    out, source = io.BytesIO(), io.BytesIO(data)
    while block := source.read(100):
        if len(set(block)) == 1 and len(block) > 1:
            out.write(bytes([257 - len(block), block[0]]))
        else:
            out.write(bytes([len(block) - 1]) + block + b"\x80")
    return out.getvalue()


@given(st.binary(min_size=1, max_size=300) | st.integers(1, 300).map(bytes))
def test_run_lengths_come_back(data):
    assert unpacked(pack_bytes(data), len(data)).tobytes() == data
    with pytest.raises(Rejection):
        unpacked(pack_bytes(data), len(data) + 1)


def frame_of(array):
    """The segments of PS3.5 G.2: of each sample the highest byte first."""
    width = array.dtype.itemsize
    samples = array.reshape(*array.shape[:2], -1)
    octets = samples.astype(f">u{width}").view(np.uint8).reshape(*array.shape[:2], -1)
    segments = [pack_bytes(octets[..., n].tobytes()) for n in range(octets.shape[2])]
    segments = [segment + b"\x80" * (len(segment) % 2) for segment in segments]
    places = [64 + sum(map(len, segments[:n])) for n in range(len(segments))]
    numbers = [len(segments), *places, *[0] * (15 - len(segments))]
    return struct.pack("<16I", *numbers) + b"".join(segments)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
@pytest.mark.parametrize("samples", [1, 3])
def test_samples_come_back_as_from_pydicom(kind, samples):
    rng = np.random.default_rng(samples)
    shape = (7, 9) if samples == 1 else (7, 9, 3)
    array = rng.integers(0, 2 ** (8 * np.dtype(kind).itemsize), shape, dtype=kind)
    array[2:5] = 3
    frame = frame_of(array)
    found = run_lengths(frame, 7, 9, samples)
    np.testing.assert_array_equal(found, array)
    plain = _rle_decode_frame(frame, 7, 9, samples, 8 * array.itemsize)
    theirs = np.frombuffer(bytes(plain), f"<{kind}").reshape(samples, 7, 9)
    np.testing.assert_array_equal(found.reshape(7, 9, -1), np.moveaxis(theirs, 0, 2))


def test_three_segments_are_colours_where_the_header_has_one_sample():
    array = np.arange(7 * 9 * 3, dtype=np.uint8).reshape(7, 9, 3)
    np.testing.assert_array_equal(run_lengths(frame_of(array), 7, 9, 1), array)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (bytes(64), "unsupported_pixels"),
        (struct.pack("<16I", 5, 64, 66, 68, 70, 72, *[0] * 10), "unsupported_pixels"),
        (struct.pack("<16I", 1, 64, *[0] * 14) + b"\0\1", "pixels_incomplete"),
        (b"\1\0", "pixels_incomplete"),
    ],
)
def test_what_is_no_frame_of_run_lengths(frame, reason):
    with pytest.raises(Rejection) as refused:
        run_lengths(frame, 7, 9, 1)
    assert refused.value.reason == reason
