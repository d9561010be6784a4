"""Heads of compressed frames: JPEG (ITU-T T.81), JPEG-LS (T.87), JPEG 2000 (T.800)."""

import struct
from dataclasses import dataclass

_END = b"\xff\xd9"  # of all three; it never occurs within their data
_JPEG_2000 = b"\xff\x4f\xff\x51"
_NO_SIZE = {0xC4, 0xC8, 0xCC}  # markers among C0 to CF that do not start a frame


@dataclass(frozen=True)
class Codestream:
    """The head of a compressed frame.

    rows, columns: size of the picture; samples: per pixel; precision: bits of a sample; complete:
    whether the frame has its end marker.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    complete: bool


def codestream(frame: bytes) -> Codestream | None:
    """Return the head of a frame; None where it gives no size, or for other formats (RLE, JP2)."""
    if frame.startswith(_JPEG_2000) and len(frame) > 42:
        right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
        samples, depth = struct.unpack_from(">HB", frame, 40)
        complete = frame.rfind(_END) > 42
        return Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1, complete)
    return _jpeg(frame) if frame.startswith(b"\xff\xd8\xff") else None


def _jpeg(frame: bytes) -> Codestream | None:
    for marker, place in segments(frame):
        sized = 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE
        if (sized or marker == 0xF7) and place + 8 <= len(frame):
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, place + 2)
            if rows and columns:
                complete = frame.rfind(_END) > _scan(frame)
                return Codestream(rows, columns, samples, precision, complete)
    return None


def _scan(frame: bytes) -> int:
    """The offset of the first scan; thumbnails before it have end markers, too."""
    return next((place for marker, place in segments(frame) if marker == 0xDA), len(frame))


def segments(frame: bytes) -> list[tuple[int, int]]:
    """Return the markers of a JPEG up to its first scan, and the offset of each one's length."""
    markers, place = [], 2
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        if frame[place + 1] == 0xFF:  # a fill byte, allowed before any marker
            place += 1
            continue
        markers.append((frame[place + 1], place + 2))
        if frame[place + 1] == 0xDA:
            break
        place += 2 + int(struct.unpack_from(">H", frame, place + 2)[0])
    return markers


def with_whole_spectrum(frame: bytes) -> bytes:
    """Return a JPEG whose sequential scan ends at coefficient 63, as T.81 B.2.3 demands.

    Some writers of 12-bit JPEG write 0 instead, and libjpeg refuses the scan.
    """
    place = _scan(frame)
    if place + 2 >= len(frame):
        return frame
    last = place + 4 + 2 * frame[place + 2]
    return frame[:last] + b"\x3f" + frame[last + 1 :]
