"""Native pixels (PS3.5 8.1, 8.2, Annex D): the samples of one frame, from its bytes."""

from dataclasses import dataclass

import numpy as np

from tagsight.dicom.drawable import is_coloured, sample_count
from tagsight.dicom.numerals import int_value, term

_PHOTOMETRIC = "PhotometricInterpretation"
_FLOATS = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


@dataclass(frozen=True)
class NativeLayout:
    """How the header says that samples are stored.

    bits: allocated for a sample; halved: two pixels share their colours (YBR_FULL_422); planes:
    one colour after the other; words: samples that are no whole words lie in words of 16 bits
    (OW), which the byte order of the pixels turns round; keyword: of the pixels.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    signed: bool
    halved: bool
    planes: bool
    words: bool
    little: bool
    keyword: str

    @property
    def count(self) -> int:
        """Return the number of samples of a frame as they are stored."""
        return self.rows * self.columns * (2 if self.halved else self.samples)

    def extent(self, index: int) -> tuple[int, int]:
        """Return the first byte of frame `index` and the byte after its last."""
        first, end = (n * self.count * self.bits for n in (index, index + 1))
        if self.words and not self.little:  # whole words, to turn them round
            return first // 16 * 2, -(-end // 16) * 2
        return first // 8, -(-end // 8)


def layout_of(
    values: dict[str, str], keyword: str, *, words: bool, little: bool, length: int
) -> NativeLayout:
    """Return how the header says that native samples are stored.

    values: texts of the header; length: bytes of a frame. Pixels that are called 4:2:2 and have
    the length of 4:4:4 are 4:4:4; and where Samples per Pixel and Photometric Interpretation
    disagree, there are as many samples as the length has.
    """
    rows, columns = int_value(values, "Rows", 0), int_value(values, "Columns", 0)
    bits = int_value(values, "BitsAllocated", 8)
    of_three = is_coloured(values) or sample_count(values) == 3
    whole = of_three and 8 * length >= rows * columns * 3 * bits
    halved = of_three and not whole and term(values, _PHOTOMETRIC) == "YBR_FULL_422"
    halved = halved and 8 * length >= rows * columns * 2 * bits
    samples = 3 if whole or halved else 1
    return NativeLayout(
        rows=rows,
        columns=columns,
        samples=samples,
        bits=bits,
        signed=int_value(values, "PixelRepresentation", 0) == 1,
        halved=halved,
        planes=samples > 1 and int_value(values, "PlanarConfiguration", 0) == 1,
        words=words and bits not in (16, 32, 64),
        little=little,
        keyword=keyword,
    )


def samples_of(data: bytes, layout: NativeLayout, index: int = 0) -> np.ndarray:
    """Return the samples of frame `index`: (rows, columns) or (rows, columns, samples).

    data: the bytes of its extent.
    Integers of the bits that are allocated, or floats. Samples whose bits fill no whole bytes
    follow one another without gaps, the least significant bit first (PS3.5 8.1.1, D).
    """
    if layout.words and not layout.little:
        data = np.frombuffer(data[: len(data) // 2 * 2], "u2").byteswap().tobytes()
    if layout.bits % 8:
        start = index * layout.count * layout.bits - 8 * layout.extent(index)[0]
        flat = _unpacked(data, start, layout.count, layout.bits)
        if layout.signed:  # the sign is at Bits Stored, as in whole bytes
            flat = flat.view(f"i{flat.dtype.itemsize}")
    else:
        start = index * layout.count * layout.bits // 8 - layout.extent(index)[0]
        flat = np.frombuffer(data, _dtype(layout), layout.count, start)
        flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    return _arranged(flat, layout)


def _dtype(layout: NativeLayout) -> np.dtype:
    kind = _FLOATS.get(layout.keyword) or f"{'i' if layout.signed else 'u'}{layout.bits // 8}"
    return np.dtype(kind).newbyteorder("<" if layout.little else ">")


def _unpacked(data: bytes, start: int, count: int, bits: int) -> np.ndarray:
    """Samples of a few bits each: uint8 or uint16 (count,)."""
    stream = np.unpackbits(np.frombuffer(data, "u1"), bitorder="little")
    stream = stream[start : start + count * bits]
    if bits == 1:
        return stream
    words = np.zeros((count, 8 if bits < 8 else 16), np.uint8)
    words[:, :bits] = stream.reshape(count, bits)
    return np.packbits(words, axis=1, bitorder="little").view(f"<u{words.shape[1] // 8}")[:, 0]


def _arranged(flat: np.ndarray, layout: NativeLayout) -> np.ndarray:
    rows, columns, samples = layout.rows, layout.columns, layout.samples
    if samples == 1:
        return flat.reshape(rows, columns)
    if layout.halved:  # Y1 Y2 B R of two pixels
        pairs = flat.reshape(-1, 4)
        pixels = np.stack([pairs[:, :2], *(pairs[:, [n, n]] for n in (2, 3))], axis=2)
        return pixels.reshape(rows, columns, 3)
    if layout.planes:
        return np.moveaxis(flat.reshape(samples, rows, columns), 0, 2)
    return flat.reshape(rows, columns, samples)
