"""One frame of a file's pixels, decoded: the codestream is asked first, then the header.

Only the middle frame is read, so memory is that of one frame. Where header and codestream
disagree, what is done has its source here, and a remark is kept (`remarks`).
"""

import zlib
from typing import NamedTuple

import numpy as np

from tagsight.dicom.drawable import (
    DEFLATED_FRAMES,
    MAX_FRAME,
    RUN_LENGTHS,
    Demand,
    form_in,
    frame_count,
    native_length,
    sample_count,
)
from tagsight.dicom.encapsulation import RLE_HEAD, frame_of, is_compressed_head, is_run_length_head
from tagsight.dicom.numerals import int_value, term
from tagsight.dicom.part10 import MAX_INFLATED, ParsedFile, Pixels
from tagsight.looks.frames import colours, native, run_lengths
from tagsight.looks.frames.codestreams import LOSSLESS, Codestream, codestream, unwrapped
from tagsight.looks.frames.decoders import decoded
from tagsight.looks.frames.remarks import Remark, format_of
from tagsight.rejections import Rejection

# Of GE's private syntax the header is implicit little endian, the pixels are big endian; samples of
# a byte are in their order all the same.
GE_PRIVATE = "1.2.840.113619.5.2"
_FRAME_IS_A_FRAGMENT = (RUN_LENGTHS, DEFLATED_FRAMES)  # PS3.5 A.4.2, 10.20
_OF_BITS = ("JPEG-LS", "JPEG 2000")  # whose samples are the header's bits, whatever their sign


class Frame(NamedTuple):
    """A frame as stored.

    array: integers or floats, (rows, columns) or (rows, columns, samples); photometric: its
    photometric interpretation, upper case; remarks: where header and codestream disagree.
    """

    array: np.ndarray
    photometric: str
    remarks: tuple[Remark, ...] = ()


def middle_frame(parsed: ParsedFile, pixels: Pixels, values: dict[str, str]) -> Frame:
    """Return the middle frame of an image.

    values: texts of the header.

    Bits that hold no sample (overlays, PS3.5 8.1.1) are removed, 4:2:2 is upsampled, and YBR of 8
    bits is converted to RGB (PS3.3 C.7.6.3.1.2); palettes, tables and windows are not applied.
    Raises Rejection (pixels_incomplete, too_large, unsupported_pixels, no_decoder), and exceptions
    of any kind from the decoders, for pixels that cannot be decoded.
    """
    count = frame_count(values)
    form = form_in(parsed.window.source, pixels, Demand(count, native_length(values)))
    if form == "native":
        return _native(parsed, pixels, values, count)
    source = parsed.window.source
    if form == "bare":
        frame = source.pread(pixels.length, pixels.offset)
    else:
        whole = parsed.syntax in _FRAME_IS_A_FRAGMENT
        frame = frame_of(source, pixels.offset, count // 2, count, fragment_per_frame=whole)
    return _compressed(frame, values, pixels, parsed.syntax)


def _native(parsed: ParsedFile, pixels: Pixels, values: dict[str, str], count: int) -> Frame:
    """A frame of native pixels; the transfer syntax may be private or wrong."""
    private = parsed.syntax == GE_PRIVATE
    layout = native.layout_of(
        values,
        pixels.keyword,
        words=pixels.vr != "OB" and not private,
        little=parsed.little and not private,
        length=pixels.length // count,
    )
    first, end = layout.extent(count // 2)
    data = parsed.window.source.pread(end - first, pixels.offset + first)
    remarks: tuple[Remark, ...] = ("another_syntax",) if format_of(parsed.syntax) else ()
    if layout.samples != sample_count(values):
        remarks += ("other_samples",)
    return _finished(native.samples_of(data, layout, count // 2), values, None, remarks)


def _compressed(frame: bytes, values: dict[str, str], pixels: Pixels, syntax: str) -> Frame:
    """A frame of what it says itself that it is; where it says nothing, of the syntax's kind."""
    if syntax == DEFLATED_FRAMES and not is_compressed_head(frame[:RLE_HEAD]):
        frame = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, MAX_INFLATED)
        return _plain(frame, values, pixels, ())
    if (head := codestream(unwrapped(frame))) is not None:
        return _of_codestream(unwrapped(frame), head, values, syntax)
    if is_run_length_head(frame[:RLE_HEAD]):
        return _of_run_lengths(frame, values, pixels, syntax)
    length = -(-native_length(values) // frame_count(values))
    if length <= len(frame) <= length + 1:
        return _plain(frame, values, pixels, ("another_syntax",))
    if syntax == RUN_LENGTHS:
        return _of_run_lengths(frame, values, pixels, syntax)
    raise Rejection("unsupported_pixels", "a frame of an unknown kind")


def _plain(
    frame: bytes, values: dict[str, str], pixels: Pixels, remarks: tuple[Remark, ...]
) -> Frame:
    """A frame that is native once it is unpacked; fragments are little endian (PS3.5 A.4)."""
    layout = native.layout_of(values, pixels.keyword, words=False, little=True, length=len(frame))
    if len(frame) < layout.extent(0)[1]:
        raise Rejection("pixels_incomplete", "frame")
    return _finished(native.samples_of(frame, layout), values, None, remarks)


def _of_run_lengths(frame: bytes, values: dict[str, str], pixels: Pixels, syntax: str) -> Frame:
    remarks: tuple[Remark, ...] = () if syntax == RUN_LENGTHS else ("another_syntax",)
    rows, columns = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    if not 0 < rows * columns <= MAX_FRAME:
        raise Rejection("unsupported_pixels", f"{rows} x {columns}")
    if int_value(values, "BitsAllocated", 8) == 1:
        bits = run_lengths.bit_segment(frame, rows * columns)
        return _plain(bits, values, pixels, remarks)
    array = run_lengths.run_lengths(frame, rows, columns, sample_count(values))
    if (array.ndim == 3) != (sample_count(values) == 3):
        remarks += ("other_samples",)
    if 8 * array.dtype.itemsize != int_value(values, "BitsAllocated", 8):
        remarks += ("another_depth",)
        values = values | {"BitsStored": ""}  # of words that the frame has not
    return _finished(_signed(array, values), values, None, remarks)


def _of_codestream(frame: bytes, head: Codestream, values: dict[str, str], syntax: str) -> Frame:
    """A frame of JPEG, JPEG-LS or JPEG 2000, with its own size, depth and samples."""
    _check(head)
    lossy_jpeg = head.format == "JPEG" and head.process != LOSSLESS
    said = term(values, "PhotometricInterpretation")
    kind, agreed = colours.photometric_of(said, head.samples, head.colours, lossy_jpeg=lossy_jpeg)
    to_rgb = lossy_jpeg and kind.startswith("YBR")
    array = decoded(frame, head, to_rgb=to_rgb)
    array = _of_bits(array, head, values)
    remarks = _disagreements(head, values, syntax) + (() if agreed else ("other_colours",))
    return _finished(array, values, head, remarks, "RGB" if to_rgb else kind)


def _check(head: Codestream) -> None:
    """Check that a frame can be decoded.

    Raises Rejection where it is cut off (decoders of JPEG would fill it with grey), is too large,
    or has another number of samples than one or three.
    """
    if not head.complete:
        raise Rejection("pixels_incomplete", "frame")
    if head.rows * head.columns * head.samples > MAX_FRAME:
        raise Rejection("too_large", f"{head.rows} x {head.columns}")
    if head.samples not in (1, 3):
        raise Rejection("unsupported_pixels", f"{head.samples} samples in the frame")


def _disagreements(head: Codestream, values: dict[str, str], syntax: str) -> tuple[Remark, ...]:
    """Where a frame is not what the header says. The frame is right: decoders know it alone."""
    stored = int_value(values, "BitsStored", head.precision)
    allocated = int_value(values, "BitsAllocated", head.precision)
    size = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    signed = int_value(values, "PixelRepresentation", 0) == 1
    planes = head.samples > 1 and int_value(values, "PlanarConfiguration", 0) == 1
    found: dict[Remark, bool] = {
        "another_syntax": format_of(syntax) != head.format,
        "another_size": size != (head.rows, head.columns),
        "other_samples": sample_count(values) != head.samples,
        "another_depth": not min(stored, allocated) <= head.precision <= allocated,
        "another_sign": head.signed is not None and head.signed != signed,
        "planes_ignored": planes,  # PS3.5 8.2: the codestream's own order counts
    }
    return tuple(remark for remark, is_so in found.items() if is_so)


def _of_bits(array: np.ndarray, head: Codestream, values: dict[str, str]) -> np.ndarray:
    """The samples with the sign that the header gives their bits.

    JPEG knows no sign. JPEG-LS has none (PS3.5 8.2.3), and encoders often leave it out of JPEG
    2000: then the highest bit of the frame's samples is the sign. A lossy JPEG of fewer bits than
    the header's is not what the header describes.
    """
    signed = int_value(values, "PixelRepresentation", 0) == 1
    if head.format not in _OF_BITS:
        whole = head.precision >= int_value(values, "BitsStored", 0)
        return _signed(array, values) if whole else array
    width = array.dtype.itemsize
    shift = max(8 * width - head.precision, 0)
    return (array.view(f"u{width}") << shift).view(f"{'i' if signed else 'u'}{width}") >> shift


def _signed(array: np.ndarray, values: dict[str, str]) -> np.ndarray:
    signed = int_value(values, "PixelRepresentation", 0) == 1
    return array.view(f"i{array.dtype.itemsize}") if signed else array


def _finished(
    array: np.ndarray,
    values: dict[str, str],
    head: Codestream | None,
    remarks: tuple[Remark, ...],
    kind: str | None = None,
) -> Frame:
    """A frame with the bits of its samples alone, and colours of 8 bits as RGB."""
    array = _samples(array, values, head)
    if kind is None:
        said = term(values, "PhotometricInterpretation")
        kind, agreed = colours.photometric_of(said, 3 if array.ndim == 3 else 1, None)
        remarks += () if agreed else ("other_colours",)
    if kind.startswith("YBR") and array.dtype == np.uint8:
        array, kind = colours.rgb_of(array), "RGB"
    return Frame(array, kind, remarks)


def _is_deeper(head: Codestream, stored: int, bits: int, values: dict[str, str]) -> bool:
    """Whether a frame's own samples have more bits than the header says."""
    allocated = int_value(values, "BitsAllocated", bits)
    return stored < head.precision < bits or head.precision > allocated


def _samples(array: np.ndarray, values: dict[str, str], head: Codestream | None) -> np.ndarray:
    """The samples without other bits of their words: Bits Stored bits, from High Bit down.

    head: of a compressed frame, which may hold fewer bits than the word, or more than Bits Stored.
    """
    if array.dtype.kind == "f":
        return array
    bits = 8 * array.dtype.itemsize
    stored = int_value(values, "BitsStored", bits)
    if stored >= bits or stored == 0 or (head and _is_deeper(head, stored, bits, values)):
        return array
    high = int_value(values, "HighBit", stored - 1)
    if not stored - 1 <= high < (head.precision if head else bits):
        high = stored - 1
    return np.asarray(array << (bits - 1 - high) >> (bits - stored))
