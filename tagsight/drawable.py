"""Whether the pixels of a file can be drawn, judged from its header and the pixels' frame alone."""

import struct
from functools import cache
from typing import BinaryIO

from pydicom._uid_dict import UID_dictionary
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from tagsight.elements import UNDEFINED, Parsed, Pixels
from tagsight.refusals import Refused

MAX_FRAME = 2**27  # samples of one frame
MAX_ITEMS = 2**17
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
DICOMDIR = "1.2.840.10008.1.3.10"
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
_ITEM = b"\xfe\xff\x00\xe0"
_WITHOUT_PIXELS = frozenset(  # modalities, and nothing else, may be named in a detail
    {"DOC", "ECG", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SR"}
)
_MEDIA_CLASS, _DIRECTORY = 0x00020002, 0x00041220
_BITS = {"PixelData": (1, 8, 16, 32, 64), "FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}


def check_drawable(parsed: Parsed, values: dict[str, str]) -> None:
    """Passes an image that can be drawn; `values` are the texts of its header.

    Raises:
        Refused: no pixels, pixels of a kind that cannot be drawn, or pixels that are cut off.
    """
    if _is_directory(parsed):
        raise Refused("dicomdir")
    if parsed.pixels is None:
        modality = values.get("Modality", "")
        raise Refused("no_pixels", modality if modality in _WITHOUT_PIXELS else "")
    if values.get("SOPClassUID") == WHOLE_SLIDE:
        raise Refused("whole_slide")
    samples, bits = _frame_shape(values, parsed.pixels)
    if parsed.pixels.length == UNDEFINED:
        _check_encapsulated(parsed, parsed.pixels, frames(values))
    else:
        _check_native(parsed, parsed.pixels, samples * bits * frames(values))


def _is_directory(parsed: Parsed) -> bool:
    media = parsed.meta.get(_MEDIA_CLASS)
    named = media is not None and (media.value or b"").strip(b"\0 ") == DICOMDIR.encode()
    return named or _DIRECTORY in parsed.elements


def whole(values: dict[str, str], keyword: str, default: int) -> int:
    """A whole number of the header; `default` where it is absent or no number."""
    text = values.get(keyword, "").split("\\")[0]
    return int(text) if text.isdecimal() else default


def frames(values: dict[str, str]) -> int:
    """The number of frames, 1 where the header says none (or 0)."""
    return max(whole(values, "NumberOfFrames", 1), 1)


def _frame_shape(values: dict[str, str], pixels: Pixels) -> tuple[int, int]:
    """Samples of a frame as stored, and bits of a sample."""
    rows, columns = whole(values, "Rows", 0), whole(values, "Columns", 0)
    samples, bits = whole(values, "SamplesPerPixel", 1), whole(values, "BitsAllocated", 0)
    if rows == 0 or columns == 0:
        raise Refused("unsupported_pixels", "no rows or columns")
    if samples not in (1, 3, 4) or bits not in _BITS[pixels.keyword]:
        raise Refused("unsupported_pixels", f"{samples} samples of {bits} bits")
    if rows * columns * samples > MAX_FRAME:
        raise Refused("too_large", f"{rows} x {columns}")
    halved = values.get("PhotometricInterpretation") in ("YBR_FULL_422", "YBR_PARTIAL_422")
    return rows * columns * (2 if halved and samples == 3 else samples), bits


def _check_native(parsed: Parsed, pixels: Pixels, bits: int) -> None:
    if _can_decode(parsed.syntax):
        raise Refused("unsupported_pixels", f"{parsed.syntax.name}, not encapsulated")
    needed = -(-bits // 8)
    if pixels.length < needed or pixels.offset + needed > parsed.size:
        raise Refused("pixels_incomplete")


def _check_encapsulated(parsed: Parsed, pixels: Pixels, count: int) -> None:
    if not _can_decode(parsed.syntax):
        known = parsed.syntax in UID_dictionary
        raise Refused("no_decoder", parsed.syntax.name if known else "private")
    if _fragments(parsed.source, pixels.offset, parsed.size) < count:
        raise Refused("pixels_incomplete")


@cache
def _can_decode(syntax: UID) -> bool:
    """Whether a decoder of encapsulated pixels is installed."""
    if syntax == DEFLATED_FRAMES:
        return True
    try:
        decoder = get_decoder(syntax)
    except (NotImplementedError, ValueError):  # what pydicom knows no decoder or no syntax by
        return False
    return bool(decoder.is_encapsulated and decoder.is_available)


def _fragments(source: BinaryIO, offset: int, size: int) -> int:
    """How many fragments follow the offset table (PS3.5 A.4); none where one is cut off.

    The frames' count is a floor for that of fragments. A missing last delimiter is forgiven.
    """
    place, count = offset, -1
    while place + 8 <= size and count < MAX_ITEMS:
        source.seek(place)
        head = source.read(8)
        if head[:4] != _ITEM:
            break
        place += 8 + int(struct.unpack("<I", head[4:])[0])
        count += 1
    return count if place <= size else 0
