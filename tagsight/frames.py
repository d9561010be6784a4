"""One frame of a file's pixels, decoded: what the decoders refuse is mended here where it can be.

The middle frame is read and nothing else, so memory is that of one frame.
"""

import struct
import zlib
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from tagsight.drawable import DEFLATED_FRAMES, frames, whole
from tagsight.elements import MAX_INFLATED, Parsed, Pixels
from tagsight.tokens import UNDEFINED

JPEG_EXTENDED = UID("1.2.840.10008.1.2.4.51")


def middle_frame(
    parsed: Parsed, pixels: Pixels, values: dict[str, str]
) -> tuple[np.ndarray, str]:  # (rows, columns) or (rows, columns, samples)
    """The middle frame as stored (integers or floats), and its photometric interpretation.

    YBR is converted to RGB (PS3.3 C.7.6.3.1.2); palettes, tables and windows are not applied.

    Raises:
        Exception: of any kind, from the decoders, for pixels that cannot be decoded.
    """
    count = frames(values)
    options = _options(pixels, values)
    parsed.source.seek(pixels.offset)
    if pixels.length == UNDEFINED:
        frame = get_frame(parsed.source, count // 2, number_of_frames=count)
        return _decoded(frame, parsed.syntax, options)
    if options["bits_allocated"] == 1:
        return _packed(parsed, count // 2, options)
    decoder = get_decoder(_byte_order(parsed))
    array, facts = decoder.as_array(
        parsed.source, index=count // 2, **options | {"number_of_frames": count}
    )
    return array, str(facts["photometric_interpretation"])


def _byte_order(parsed: Parsed) -> UID:
    """The plain syntax of native pixels, for what the file itself names may be private or wrong."""
    return ExplicitVRLittleEndian if parsed.little else UID("1.2.840.10008.1.2.2")


def _options(pixels: Pixels, values: dict[str, str]) -> dict[str, Any]:
    """What pydicom's decoders want to know, for a single frame."""
    samples, bits = whole(values, "SamplesPerPixel", 1), whole(values, "BitsAllocated", 8)
    options = {
        "rows": whole(values, "Rows", 0),
        "columns": whole(values, "Columns", 0),
        "number_of_frames": 1,
        "samples_per_pixel": samples,
        "bits_allocated": bits,
        "bits_stored": min(whole(values, "BitsStored", bits), bits),
        "photometric_interpretation": values.get("PhotometricInterpretation")
        or ("RGB" if samples > 1 else "MONOCHROME2"),
        "pixel_keyword": pixels.keyword,
        "pixel_vr": "OB" if pixels.vr == "OB" else "OW",
    }
    if pixels.keyword == "PixelData":
        options["pixel_representation"] = whole(values, "PixelRepresentation", 0)
    if samples > 1:
        options["planar_configuration"] = whole(values, "PlanarConfiguration", 0)
    return options


def _decoded(frame: bytes, syntax: UID, options: dict[str, Any]) -> tuple[np.ndarray, str]:
    if syntax == DEFLATED_FRAMES:
        frame = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, MAX_INFLATED)
        syntax = ExplicitVRLittleEndian
    elif syntax == RLELossless and options["bits_allocated"] == 1:
        frame, syntax = unpack_bytes(frame[64:]), ExplicitVRLittleEndian
    elif syntax == JPEG_EXTENDED:
        frame = with_whole_spectrum(frame)
    if options["bits_allocated"] == 1 and syntax == ExplicitVRLittleEndian:
        return _bits(frame, 0, options)
    data = frame if syntax == ExplicitVRLittleEndian else encapsulate([frame])
    array, facts = get_decoder(syntax).as_array(data, index=0, **options)
    return array, str(facts["photometric_interpretation"])


def _packed(parsed: Parsed, index: int, options: dict[str, Any]) -> tuple[np.ndarray, str]:
    """A frame of single bits, which need not start at a byte (PS3.5 8.1.1)."""
    count = options["rows"] * options["columns"]
    first = index * count // 8
    first -= first % 2  # whole words, for those of big endian files are swapped
    parsed.source.seek(first, 1)
    data = parsed.source.read(-(-(index * count + count) // 16) * 2 - first)
    if not parsed.little and options["pixel_vr"] == "OW":
        data = np.frombuffer(data + b"\0" * (len(data) % 2), "u2").byteswap().tobytes()
    return _bits(data, index * count - 8 * first, options)


def _bits(data: bytes, start: int, options: dict[str, Any]) -> tuple[np.ndarray, str]:
    rows, columns = options["rows"], options["columns"]
    bits = np.unpackbits(np.frombuffer(data, "u1"), bitorder="little")
    frame = bits[start : start + rows * columns].reshape(rows, columns)
    return frame, options["photometric_interpretation"]


def with_whole_spectrum(frame: bytes) -> bytes:
    """A JPEG whose scan ends at coefficient 63, as ITU-T T.81 B.2.3 demands of sequential scans.

    Some writers of 12-bit JPEG leave a 0 there, and libjpeg refuses the scan.
    """
    place = 2
    while place + 4 <= len(frame) and frame[place] == 0xFF and frame[place + 1] != 0xDA:
        place += 2 + int(struct.unpack(">H", frame[place + 2 : place + 4])[0])
    if frame[place : place + 2] != b"\xff\xda":
        return frame
    last = place + 6 + 2 * frame[place + 4]
    return frame[:last] + b"\x3f" + frame[last + 1 :]


def unpack_bytes(packed: bytes) -> bytes:
    """One segment of PackBits (PS3.5 G.3.2): the decoders know it for whole bytes alone."""
    out, place = bytearray(), 0
    while place < len(packed):
        head = packed[place]
        if head < 128:
            out += packed[place + 1 : place + 2 + head]
            place += 2 + head
        elif head > 128:
            out += packed[place + 1 : place + 2] * (257 - head)
            place += 2
        else:
            place += 1
    return bytes(out)
