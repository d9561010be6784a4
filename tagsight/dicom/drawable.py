"""Whether the pixels of a file can be drawn, judged without decoding them."""

from dataclasses import dataclass
from functools import cache

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from tagsight.archive.source import Source
from tagsight.dicom.dictionary import uid_name
from tagsight.dicom.encapsulation import items
from tagsight.dicom.part10 import ParsedFile, Pixels
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.rejections import Rejection

MAX_FRAME = 2**27  # samples of one frame
DICOMDIR = "1.2.840.10008.1.3.10"
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
_TILED = {"1.2.840.10008.5.1.4.1.1.77.1.6", "1.2.840.10008.5.1.4.1.1.77.1.9"}  # one frame is a tile
_WITHOUT_PIXELS = frozenset(  # modalities that a detail may name: no other text of the header may
    {"DOC", "ECG", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SR"}
)
_RETIRED = {"ARGB", "CMYK", "HSV", "YBR_PARTIAL_422"}  # PS3.3 C.7.6.3.1.2
_MEDIA_CLASS, _DIRECTORY = 0x00020002, 0x00041220
_BITS = {"PixelData": (1, 8, 16, 32, 64), "FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}


@dataclass(frozen=True)
class Demand:
    """What a picture needs: fragments of encapsulated pixels, or bytes of native ones."""

    fragments: int = 0
    length: int = 0


def check_drawable(parsed: ParsedFile, values: dict[str, str]) -> None:
    """Check that an image can be drawn.

    values: the texts of its header by keyword.
    Raises Rejection where pixels are missing, cut off, or of a kind that cannot be drawn.
    """
    if is_directory(parsed):
        raise Rejection("dicomdir")
    need = demand(values, parsed.pixels, parsed.syntax)
    if not is_complete(parsed.window.source, parsed.pixels, need):
        raise Rejection("pixels_incomplete")


def is_directory(parsed: ParsedFile) -> bool:
    """Return whether the file is a DICOMDIR (PS3.10 8.6), which lists other files."""
    media_class = parsed.meta.get(_MEDIA_CLASS, b"").strip(b"\0 ")
    return media_class == DICOMDIR.encode() or _DIRECTORY in parsed.elements


def demand(values: dict[str, str], pixels: Pixels | None, syntax: UID) -> Demand:
    """Return what a picture needs by its header; the offset of `pixels` does not matter.

    Raises Rejection where pixels are missing or of a kind that cannot be drawn.
    """
    if pixels is None:
        modality = values.get("Modality", "")
        raise Rejection("no_pixels", modality if modality in _WITHOUT_PIXELS else "")
    tiled = values.get("DimensionOrganizationType", "").startswith("TILED")
    if tiled or values.get("SOPClassUID") in _TILED:
        raise Rejection("whole_slide")
    samples, bits = _frame_shape(values, pixels)
    if pixels.length == UNDEFINED:
        if not _can_decode(syntax):
            raise Rejection("no_decoder", uid_name(syntax) or "private")
        return Demand(fragments=frame_count(values))
    if _can_decode(syntax):
        raise Rejection("unsupported_pixels", f"{syntax.name}, not encapsulated")
    return Demand(length=-(-samples * bits * frame_count(values) // 8))


def is_complete(source: Source, pixels: Pixels | None, need: Demand) -> bool:
    """Return whether the source holds all pixels that a picture needs."""
    if pixels is None:
        return False
    if pixels.length == UNDEFINED:
        return len(items(source, pixels.offset)) > need.fragments  # a table precedes them
    return max(pixels.offset, 0) + need.length <= source.size and pixels.length >= need.length


def int_value(values: dict[str, str], keyword: str, default: int) -> int:
    """Return an integer of the header; `default` where it is absent or not a number."""
    text = values.get(keyword, "").split("\\")[0]
    return int(text) if text.isdecimal() else default


def frame_count(values: dict[str, str]) -> int:
    """Return the number of frames, 1 where the header has none (or 0)."""
    return max(int_value(values, "NumberOfFrames", 1), 1)


def _frame_shape(values: dict[str, str], pixels: Pixels) -> tuple[int, int]:
    """Samples of a frame as stored, and bits of a sample."""
    rows, columns = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    samples, bits = int_value(values, "SamplesPerPixel", 1), int_value(values, "BitsAllocated", 0)
    if rows == 0 or columns == 0:
        raise Rejection("unsupported_pixels", "no rows or columns")
    if samples not in (1, 3) or bits not in _BITS[pixels.keyword]:
        raise Rejection("unsupported_pixels", f"{samples} samples of {bits} bits")
    if values.get("PhotometricInterpretation") in _RETIRED:
        raise Rejection("unsupported_pixels", values["PhotometricInterpretation"])
    if int_value(values, "BitsStored", bits) > bits:
        raise Rejection("unsupported_pixels", "more bits stored than allocated")
    if rows * columns * samples > MAX_FRAME:
        raise Rejection("too_large", f"{rows} x {columns}")
    subsampled = values.get("PhotometricInterpretation") == "YBR_FULL_422"
    return rows * columns * (2 if subsampled and samples == 3 else samples), bits


@cache
def _can_decode(syntax: UID) -> bool:
    """Whether a decoder of encapsulated pixels is installed."""
    if syntax == DEFLATED_FRAMES:
        return True
    try:
        decoder = get_decoder(syntax)
    except (NotImplementedError, ValueError):  # pydicom has no decoder, or no such syntax
        return False
    return bool(decoder.is_encapsulated and decoder.is_available)
