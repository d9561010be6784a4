"""One frame of a file's pixels, decoded, with repairs of files that the decoders refuse.

Only the middle frame is read, so memory is that of one frame.
"""

import zlib
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from tagsight.dicom.drawable import DEFLATED_FRAMES, MAX_FRAME, frame_count, int_value
from tagsight.dicom.encapsulation import frame_of
from tagsight.dicom.part10 import MAX_INFLATED, ParsedFile, Pixels
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.looks.codestreams import Codestream, codestream, with_whole_spectrum
from tagsight.rejections import Rejection

_BLANK = 1024  # bytes of heads and tables
_FRAME_IS_A_FRAGMENT = (RLELossless, DEFLATED_FRAMES)  # PS3.5 A.4.2, 10.20


def middle_frame(
    parsed: ParsedFile, pixels: Pixels, values: dict[str, str]
) -> tuple[np.ndarray, str]:  # (rows, columns) or (rows, columns, samples)
    """Return the middle frame as stored (integers or floats), and its photometric interpretation.

    values: texts of the header.

    Bits that hold no sample (overlays, PS3.5 8.1.1) are removed, 4:2:2 is upsampled, and YBR of 8
    bits is converted to RGB (PS3.3 C.7.6.3.1.2); palettes, tables and windows are not applied. The
    size in a compressed frame takes precedence over the header's.
    Raises Rejection (pixels_incomplete, too_large, unsupported_pixels), and exceptions of any kind
    from the decoders, for pixels that cannot be decoded.
    """
    count = frame_count(values)
    options = _options(pixels, values)
    if pixels.length == UNDEFINED:
        return _encapsulated(parsed, pixels, values, options)
    parsed.source.seek(pixels.offset)
    if options["bits_allocated"] == 1:
        return _packed(parsed, count // 2, options)
    if _is_whole(pixels, options, count):
        options["photometric_interpretation"] = "YBR_FULL"
    decoder = get_decoder(_byte_order(parsed))
    array, facts = decoder.as_array(
        parsed.source, index=count // 2, **options | {"number_of_frames": count}
    )
    return _samples(array, values, None), str(facts["photometric_interpretation"])


def _byte_order(parsed: ParsedFile) -> UID:
    """The standard syntax of native pixels; the one in the file may be private or wrong."""
    return ExplicitVRLittleEndian if parsed.little else UID("1.2.840.10008.1.2.2")


def _options(pixels: Pixels, values: dict[str, str]) -> dict[str, Any]:
    """Options of pydicom's decoders, for a single frame.

    They ask for all allocated bits, since pydicom assumes that samples are in the lowest bits.
    """
    samples, bits = int_value(values, "SamplesPerPixel", 1), int_value(values, "BitsAllocated", 8)
    options = {
        "rows": int_value(values, "Rows", 0),
        "columns": int_value(values, "Columns", 0),
        "number_of_frames": 1,
        "samples_per_pixel": samples,
        "bits_allocated": bits,
        "bits_stored": bits,
        "photometric_interpretation": values.get("PhotometricInterpretation")
        or ("RGB" if samples > 1 else "MONOCHROME2"),
        "pixel_keyword": pixels.keyword,
        "pixel_vr": "OB" if pixels.vr == "OB" else "OW",
    }
    if pixels.keyword == "PixelData":
        options["pixel_representation"] = int_value(values, "PixelRepresentation", 0)
    if samples > 1:
        options["as_rgb"] = bits == 8  # pydicom converts YBR of 8 bits alone
        options["planar_configuration"] = int_value(values, "PlanarConfiguration", 0)
    return options


def _is_whole(pixels: Pixels, options: dict[str, Any], count: int) -> bool:
    """Whether pixels declared as 4:2:2 have the length of 4:4:4, so are 4:4:4."""
    shape = options["rows"] * options["columns"] * options["samples_per_pixel"]
    declared = options["photometric_interpretation"] == "YBR_FULL_422"
    return bool(declared and pixels.length >= shape * options["bits_allocated"] // 8 * count)


def _encapsulated(
    parsed: ParsedFile, pixels: Pixels, values: dict[str, str], options: dict[str, Any]
) -> tuple[np.ndarray, str]:
    count, syntax = frame_count(values), parsed.syntax
    whole_fragment = syntax in _FRAME_IS_A_FRAGMENT
    source = parsed.window.source
    frame = frame_of(source, pixels.offset, count // 2, count, fragment_per_frame=whole_fragment)
    if syntax == DEFLATED_FRAMES:
        frame = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, MAX_INFLATED)
        syntax = ExplicitVRLittleEndian
    elif syntax == RLELossless and options["bits_allocated"] == 1:
        frame, syntax = unpack_bytes(frame[64:]), ExplicitVRLittleEndian
    if options["bits_allocated"] == 1 and syntax == ExplicitVRLittleEndian:
        return _bits(frame, 0, options)
    head = None if whole_fragment else codestream(frame)
    if head:
        _take_size(head, options)
    if syntax == JPEGExtended12Bit:
        frame = with_whole_spectrum(frame)
    data = frame if syntax == ExplicitVRLittleEndian else encapsulate([frame])
    array, facts = get_decoder(syntax).as_array(data, index=0, **options)
    if len(frame) > _BLANK + array.nbytes // 48 and array.min() == array.max():
        raise ValueError("a constant image does not need so many bytes: the rest was not decoded")
    return _samples(array, values, head), str(facts["photometric_interpretation"])


def _take_size(head: Codestream, options: dict[str, Any]) -> None:
    """Take size and depth from a frame, as decoders do, in place of the header's.

    Raises Rejection where the frame is cut off (decoders of JPEG would fill it with grey), is too
    large, or has another number of samples.
    """
    if not head.complete:
        raise Rejection("pixels_incomplete", "frame")
    if head.rows * head.columns * head.samples > MAX_FRAME:
        raise Rejection("too_large", f"{head.rows} x {head.columns}")
    if head.samples != options["samples_per_pixel"]:
        raise Rejection("unsupported_pixels", f"{head.samples} samples in the frame")
    options["rows"], options["columns"] = head.rows, head.columns
    bits = next((bits for bits in (8, 16, 32) if head.precision <= bits), 64)
    options["bits_allocated"] = options["bits_stored"] = bits


def _samples(array: np.ndarray, values: dict[str, str], head: Codestream | None) -> np.ndarray:
    """The samples without other bits of their words: Bits Stored bits, from High Bit down.

    head: of a compressed frame, which may hold fewer bits than the word, or more than Bits Stored.
    """
    if array.dtype.kind == "f":
        return array
    bits = 8 * array.dtype.itemsize
    stored = int_value(values, "BitsStored", bits)
    if stored >= bits or stored == 0 or (head and stored < head.precision < bits):
        return array
    high = int_value(values, "HighBit", stored - 1)
    if not stored - 1 <= high < (head.precision if head else bits):
        high = stored - 1
    return np.asarray(array << (bits - 1 - high) >> (bits - stored))


def _packed(parsed: ParsedFile, index: int, options: dict[str, Any]) -> tuple[np.ndarray, str]:
    """A frame of single bits, which need not start at a byte (PS3.5 8.1.1)."""
    count = options["rows"] * options["columns"]
    first = index * count // 8
    first -= first % 2  # start at a word: the words of big endian files are swapped
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


def unpack_bytes(packed: bytes) -> bytes:
    """Return one segment of PackBits (PS3.5 G.3.2) unpacked, as decoders refuse single bits."""
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
