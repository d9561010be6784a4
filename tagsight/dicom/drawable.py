"""Whether the pixels of a file can be drawn, judged without decoding them.

The codestream is asked first, when a picture is drawn (`looks.frames`): of compressed pixels the
header has to tell no more than how many frames there are.
"""

from dataclasses import dataclass

from pydicom.uid import UID

from tagsight.archive.source import Source
from tagsight.dicom.dictionary import uid_name
from tagsight.dicom.encapsulation import RLE_HEAD, Form, form_of, is_compressed_head, items
from tagsight.dicom.numerals import int_value, term
from tagsight.dicom.part10 import ParsedFile, Pixels
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.rejections import Rejection

MAX_FRAME = 2**27  # samples of one frame
DICOMDIR = "1.2.840.10008.1.3.10"
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
RUN_LENGTHS = UID("1.2.840.10008.1.2.5")
_JPEGS = "1.2.840.10008.1.2.4."  # of JPEG, JPEG-LS, JPEG 2000, HTJ2K; videos follow from 100 on
_NUMBERS = (*range(50, 58), 70, 80, 81, 90, 91, 201, 202, 203)
DECODED = frozenset(  # encapsulated syntaxes that are decoded: see docs/decoders.md
    {
        DEFLATED_FRAMES,
        RUN_LENGTHS,
        *(UID(f"{_JPEGS}{n}") for n in _NUMBERS),
    }
)
_NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
_TILED = {"1.2.840.10008.5.1.4.1.1.77.1.6", "1.2.840.10008.5.1.4.1.1.77.1.9"}  # one frame is a tile
_WITHOUT_PIXELS = frozenset(  # modalities that a detail may name: no other text of the header may
    {"DOC", "ECG", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SR"}
)
_RETIRED = {"ARGB", "CMYK", "HSV", "YBR_PARTIAL_422"}  # PS3.3 C.7.6.3.1.2
_MEDIA_CLASS, _DIRECTORY = 0x00020002, 0x00041220
_BITS = {
    "PixelData": frozenset({*range(1, 17), 32, 64}),
    "FloatPixelData": frozenset({32}),
    "DoubleFloatPixelData": frozenset({64}),
}


@dataclass(frozen=True)
class Demand:
    """What a picture needs.

    frames: how many there are; length: bytes that they have if they are native, 0 where the header
    does not tell; told: whether the transfer syntax says how fragments are compressed: if not,
    they have to say it themselves.
    """

    frames: int = 1
    length: int = 0
    told: bool = True


def check_drawable(parsed: ParsedFile, values: dict[str, str]) -> None:
    """Check that an image can be drawn.

    values: the texts of its header by keyword.
    Raises Rejection where pixels are missing, cut off, or of a kind that cannot be drawn.
    """
    if is_directory(parsed):
        raise Rejection("dicomdir")
    need = demand(values, parsed.pixels, parsed.syntax)
    check_pixels(parsed.window.source, parsed.pixels, need)


def is_directory(parsed: ParsedFile) -> bool:
    """Return whether the file is a DICOMDIR (PS3.10 8.6), which lists other files."""
    media_class = parsed.meta.get(_MEDIA_CLASS, b"").strip(b"\0 ")
    return media_class == DICOMDIR.encode() or _DIRECTORY in parsed.elements


def demand(values: dict[str, str], pixels: Pixels | None, syntax: UID) -> Demand:
    """Return what a picture needs by its header; the place and length of `pixels` do not matter.

    Raises Rejection where pixels are missing or of a kind that cannot be drawn.
    """
    if pixels is None:
        modality = term(values, "Modality")
        raise Rejection("no_pixels", modality if modality in _WITHOUT_PIXELS else "")
    tiled = term(values, "DimensionOrganizationType").startswith("TILED")
    if tiled or values.get("SOPClassUID") in _TILED:
        raise Rejection("whole_slide")
    photometric = term(values, "PhotometricInterpretation")
    if photometric in _RETIRED:
        raise Rejection("unsupported_pixels", photometric)
    if sample_count(values) not in (1, 3):
        raise Rejection("unsupported_pixels", f"{sample_count(values)} samples")
    frames = frame_count(values)
    if pixels.length != UNDEFINED:
        _check_native(values, pixels)
        return Demand(frames=frames, length=native_length(values))
    told = syntax in DECODED
    if not told and (name := uid_name(syntax)) and syntax not in _NATIVE:
        raise Rejection("no_decoder", name)
    return Demand(frames=frames, length=native_length(values), told=told)


def check_pixels(source: Source, pixels: Pixels | None, need: Demand) -> None:
    """Check that a source holds all pixels that a picture needs.

    Raises Rejection (pixels_incomplete) where it does not, (no_decoder) where nothing says how
    fragments are compressed.
    """
    if pixels is None:
        raise Rejection("pixels_incomplete")
    form = form_in(source, pixels, need)
    if form == "fragments":
        _check_fragments(source, pixels, need)
    elif form == "bare" and need.frames > 1:
        raise Rejection("pixels_incomplete", "frames")
    else:
        length = need.length if form == "native" else pixels.length
        if pixels.length < length or max(pixels.offset, 0) + length > source.size:
            raise Rejection("pixels_incomplete")


def _check_fragments(source: Source, pixels: Pixels, need: Demand) -> None:
    places = items(source, pixels.offset)
    if len(places) <= need.frames:  # a table precedes them
        raise Rejection("pixels_incomplete")
    place, length = places[1]
    native = -(-need.length // need.frames)
    itself = is_compressed_head(source.pread(min(length, RLE_HEAD), place))
    if not need.told and not itself and not native <= length <= native + 1:
        raise Rejection("no_decoder", "fragments of an unknown kind")


def form_in(source: Source, pixels: Pixels, need: Demand) -> Form:
    """Return how the pixels of an image are written: see `encapsulation.form_of`."""
    return form_of(source, pixels.offset, pixels.length, need.length)


def frame_count(values: dict[str, str]) -> int:
    """Return the number of frames, 1 where the header has none (or 0)."""
    return max(int_value(values, "NumberOfFrames", 1), 1)


def is_coloured(values: dict[str, str]) -> bool:
    """Return whether the photometric interpretation is one of three samples."""
    photometric = term(values, "PhotometricInterpretation")
    return photometric == "RGB" or photometric.startswith("YBR")


def sample_count(values: dict[str, str]) -> int:
    """Return the samples of a pixel: where the header has none as many as its colours have."""
    return int_value(values, "SamplesPerPixel", 3 if is_coloured(values) else 1)


def native_length(values: dict[str, str]) -> int:
    """Return the bytes of all frames if they are not compressed, 0 where the header lacks a part.

    YBR_FULL_422 has two samples a pixel (PS3.3 C.7.6.3.1.2), and frames of single or of 12 bits
    follow one another without padding (PS3.5 8.1.1). Where Samples per Pixel and Photometric
    Interpretation disagree it is the smaller number: the length decides when it is drawn.
    """
    rows, columns = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    samples, bits = sample_count(values), int_value(values, "BitsAllocated", 0)
    if term(values, "PhotometricInterpretation") and not is_coloured(values):
        samples = 1
    if samples == 3 and term(values, "PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    return -(-rows * columns * samples * bits * frame_count(values) // 8)


def _check_native(values: dict[str, str], pixels: Pixels) -> None:
    """Check what the header says of native pixels.

    Raises Rejection (unsupported_pixels, too_large).
    """
    rows, columns = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    samples, bits = sample_count(values), int_value(values, "BitsAllocated", 0)
    if rows == 0 or columns == 0:
        raise Rejection("unsupported_pixels", "no rows or columns")
    if bits not in _BITS[pixels.keyword]:
        raise Rejection("unsupported_pixels", f"{samples} samples of {bits} bits")
    if int_value(values, "BitsStored", bits) > bits:
        raise Rejection("unsupported_pixels", "more bits stored than allocated")
    if rows * columns * samples > MAX_FRAME:
        raise Rejection("too_large", f"{rows} x {columns}")
