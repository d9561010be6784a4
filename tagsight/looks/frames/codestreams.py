"""Heads of compressed frames: JPEG (ITU-T T.81), JPEG-LS (T.87), JPEG 2000 (T.800)."""

import struct
from dataclasses import dataclass
from typing import Literal

Format = Literal["JPEG", "JPEG-LS", "JPEG 2000"]
Colours = Literal["RGB", "YBR_FULL"]

END = b"\xff\xd9"  # of all three; it never occurs within their data
_JPEG_2000, _JP2 = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "
_NO_SIZE = {0xC4, 0xC8, 0xCC}  # markers among C0 to CF that do not start a frame
_JPEG_LS, _SCAN, _TILE = 0xF7, 0xDA, 0x90
_CODING_STYLE = 0x52
LOSSLESS = 0xC3  # start of frame of processes 14 and 15


@dataclass(frozen=True)
class Codestream:
    """The head of a compressed frame.

    rows, columns: size of the picture; samples: per pixel; precision: bits of a sample; complete:
    whether the frame has its end marker; process: JPEG's marker of the start of frame (T.81 table
    B.1); signed: whether samples are signed, None where the format does not tell; colours: what
    three samples are once decoded, None where the frame does not tell.
    """

    format: Format
    rows: int
    columns: int
    samples: int
    precision: int
    complete: bool
    process: int = 0
    signed: bool | None = None
    colours: Colours | None = None


def codestream(frame: bytes) -> Codestream | None:
    """Return the head of a frame; None where it gives no size, or for other formats (RLE)."""
    if frame.startswith(_JPEG_2000):
        return _jpeg_2000(frame)
    return _jpeg(frame) if frame.startswith(b"\xff\xd8\xff") else None


def unwrapped(frame: bytes) -> bytes:
    """Return the codestream in a JP2 file (T.800 I.5.4), or the frame as it is.

    PS3.5 A.4.4 allows codestreams alone. Colour profiles, palettes and channels in the file are
    the header's to give.
    """
    place = 0
    while frame.startswith(_JP2) and place + 16 <= len(frame):
        length, kind = struct.unpack_from(">I4s", frame, place)
        start = place + 8
        if length == 1:  # the length is in eight bytes that follow
            length, start = struct.unpack_from(">Q", frame, start)[0], start + 8
        if kind == b"jp2c":
            return frame[start : place + length if length else len(frame)]
        if length < 8:
            break
        place += length
    return frame


def _jpeg_2000(frame: bytes) -> Codestream | None:
    if len(frame) <= 42:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
    samples, depth = struct.unpack_from(">HB", frame, 40)
    steps = frame[43 : 43 + 3 * samples : 3]  # of columns, from one sample to the next
    subsampled = samples == 3 and any(step > 1 for step in steps[1:])
    return Codestream(
        format="JPEG 2000",
        rows=bottom - top,
        columns=right - left,
        samples=samples,
        precision=(depth & 0x7F) + 1,
        complete=frame.rfind(END) > 42,
        signed=depth > 0x7F,
        # Of subsampled colours the decoder makes RGB, as of those that were transformed.
        colours="RGB" if samples == 3 and (subsampled or _is_transformed(frame)) else None,
    )


def _is_transformed(frame: bytes) -> bool:
    """Whether colours went through the multiple component transformation (T.800 A.6.1, G)."""
    place = 2
    while place + 9 <= len(frame) and frame[place] == 0xFF and frame[place + 1] != _TILE:
        if frame[place + 1] == _CODING_STYLE:
            return frame[place + 8] == 1
        place += 2 + int(struct.unpack_from(">H", frame, place + 2)[0])
    return False


def _jpeg(frame: bytes) -> Codestream | None:
    for marker, place in segments(frame):
        sized = 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE
        if (sized or marker == _JPEG_LS) and place + 8 <= len(frame):
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, place + 2)
            if rows and columns:
                return Codestream(
                    format="JPEG-LS" if marker == _JPEG_LS else "JPEG",
                    rows=rows,
                    columns=columns,
                    samples=samples,
                    precision=precision,
                    complete=frame.rfind(END) > scan(frame),
                    process=marker,
                    colours=_colours(frame, place) if samples == 3 else None,
                )
    return None


def _colours(frame: bytes, size: int) -> Colours | None:
    """What three samples are by a JPEG itself; None where it does not tell.

    size: offset of the segment of the start of frame.

    Sources: RGB is never subsampled; Adobe's APP14 (T.872 6.5.3); the components' names R, G, B, as
    libjpeg writes them; JFIF (T.871 7), of lossy JPEG alone; HP's transformations of JPEG-LS, which
    its decoder undoes.
    """
    markers = dict(reversed(segments(frame)))  # the first of each marker
    if _JPEG_LS in markers:
        named = _content(frame, markers.get(0xE8))
        return "RGB" if named.startswith(b"mrfx") and named[4:5] > b"\0" else None
    parts = [frame[size + 8 + 3 * n : size + 11 + 3 * n] for n in range(3)]
    if len({part[1:2] for part in parts}) > 1:
        return "YBR_FULL"
    adobe = _content(frame, markers.get(0xEE))
    if adobe.startswith(b"Adobe") and len(adobe) >= 12:
        return "YBR_FULL" if adobe[11] else "RGB"
    if b"".join(part[:1] for part in parts) == b"RGB":
        return "RGB"
    is_jfif = LOSSLESS not in markers and _content(frame, markers.get(0xE0)).startswith(b"JFIF")
    return "YBR_FULL" if is_jfif else None


def _content(frame: bytes, place: int | None) -> bytes:
    """What a segment holds; nothing where there is none."""
    if place is None:
        return b""
    return frame[place + 2 : place + int(struct.unpack_from(">H", frame, place)[0])]


def scan(frame: bytes) -> int:
    """Return the offset of the first scan; thumbnails before it have end markers, too."""
    return next((place for marker, place in segments(frame) if marker == _SCAN), len(frame))


def segments(frame: bytes) -> list[tuple[int, int]]:
    """Return the markers of a JPEG up to its first scan, and the offset of each one's length."""
    markers, place = [], 2
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        if frame[place + 1] == 0xFF:  # a fill byte, allowed before any marker
            place += 1
            continue
        markers.append((frame[place + 1], place + 2))
        if frame[place + 1] == _SCAN:
            break
        place += 2 + int(struct.unpack_from(">H", frame, place + 2)[0])
    return markers
