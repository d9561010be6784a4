"""Frames of run lengths (PS3.5 Annex G): segments of PackBits, a byte of every sample each."""

import struct

import imagecodecs
import numpy as np

from tagsight.dicom.encapsulation import RLE_HEAD
from tagsight.rejections import Rejection

_WIDTHS = (1, 2, 4, 8)  # bytes of a sample


def run_lengths(frame: bytes, rows: int, columns: int, samples: int) -> np.ndarray:
    """Return the samples of a frame of run lengths: unsigned (rows, columns[, samples]).

    The frame's own number of segments decides how many bytes a sample has, and whether there are
    three of them where the header has one.
    Raises Rejection (pixels_incomplete, unsupported_pixels).
    """
    segments = _segments(frame)
    width, rest = divmod(len(segments), samples)
    if rest or width not in _WIDTHS:
        width, rest = divmod(len(segments), 3)
        samples = 3
    if rest or width not in _WIDTHS:
        raise Rejection("unsupported_pixels", f"{len(segments)} segments")
    planes = np.empty((samples, rows * columns, width), np.uint8)
    for n, segment in enumerate(segments):  # of each sample the highest byte first
        planes[n // width, :, n % width] = unpacked(segment, rows * columns)
    words = planes.view(f">u{width}").astype(f"u{width}").reshape(samples, rows, columns)
    return words[0] if samples == 1 else np.moveaxis(words, 0, 2)


def bit_segment(frame: bytes, count: int) -> bytes:
    """Return the bytes of a frame of single bits, of which there are `count`.

    Raises Rejection (pixels_incomplete) where the frame holds fewer.
    """
    return unpacked(_segments(frame)[0], -(-count // 8)).tobytes()


def unpacked(segment: bytes, count: int) -> np.ndarray:
    """Return `count` bytes of a segment of PackBits (PS3.5 G.3.2): uint8 (count,).

    Raises Rejection (pixels_incomplete) where it holds fewer.
    """
    data = imagecodecs.packbits_decode(segment)
    if len(data) < count:
        raise Rejection("pixels_incomplete", "frame")
    return np.frombuffer(data, np.uint8, count)


def _segments(frame: bytes) -> list[bytes]:
    if len(frame) < RLE_HEAD:
        raise Rejection("pixels_incomplete", "frame")
    count, *places = struct.unpack_from("<16I", frame)
    if not 0 < count < 16:
        raise Rejection("unsupported_pixels", f"{count} segments")
    ends = [*places[1:count], len(frame)]
    return [frame[place:end] for place, end in zip(places[:count], ends, strict=True)]
