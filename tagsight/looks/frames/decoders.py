"""Compressed frames, decoded: which decoder does which format, and what is known of its holes.

The decoders are those that imagecodecs brings: libjpeg-turbo, CharLS, OpenJPEG (docs/decoders.md).
"""

import imagecodecs
import numpy as np

from tagsight.looks.frames.codestreams import END, LOSSLESS, Codestream, Format, scan, segments
from tagsight.looks.frames.remarks import syntaxes_of
from tagsight.rejections import Rejection

# Starts of frame that libjpeg-turbo knows (T.81 table B.1). The others are hierarchical, or
# lossless with arithmetic coding.
_PROCESSES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})
_MORE = b"\x35\xca" * 64  # bytes of no marker
_WIDEST = 16  # bits of a sample that libjpeg-turbo decodes
_FIRST_HALVING = 5  # the predictors of T.81 table H.1 from here on halve what they predict from


def decoded(frame: bytes, head: Codestream, *, to_rgb: bool) -> np.ndarray:
    """Return the samples of a frame: integers (rows, columns) or (rows, columns, samples).

    head: of the frame; to_rgb: its colours are YBR, and become RGB; of lossy JPEG alone.
    Raises Rejection (no_decoder, unsupported_pixels), ValueError for a JPEG that is cut, and
    exceptions of any kind from the decoders.
    """
    if head.format in missing():
        raise Rejection("no_decoder", head.format)
    if head.format == "JPEG":
        array = _jpeg(frame, head, to_rgb)
    elif head.format == "JPEG-LS":
        array = np.asarray(imagecodecs.jpegls_decode(frame))
    else:
        array = np.asarray(imagecodecs.jpeg2k_decode(frame, numthreads=1))
    shape = (head.rows, head.columns) + ((head.samples,) if head.samples > 1 else ())
    if array.shape != shape:
        raise ValueError("the decoder gives another size than the frame")
    return array


def missing() -> list[Format]:
    """Return the formats that cannot be decoded, since imagecodecs was built without them.

    Of JPEG that is also so where its libjpeg knows samples of 8 bits alone.
    """
    built: dict[Format, bool] = {
        "JPEG": imagecodecs.JPEG8.available and imagecodecs.JPEG8.all_precisions,
        "JPEG-LS": imagecodecs.JPEGLS.available,
        "JPEG 2000": imagecodecs.JPEG2K.available,
    }
    return [format for format, is_built in built.items() if not is_built]


def losses() -> list[str]:
    """Return a line for each format that cannot be decoded, with what a run loses by it."""
    return [
        f"imagecodecs was built without its decoder of {format} here: no image of that format will "
        f"be drawn ({syntaxes_of(format)[0]} and the like); its wheel on PyPI has all of them"
        for format in missing()
    ]


def _jpeg(frame: bytes, head: Codestream, to_rgb: bool) -> np.ndarray:
    if head.process not in _PROCESSES:
        raise Rejection("no_decoder", f"JPEG, start of frame {head.process:02X}")
    return _lossless(frame, head) if head.process == LOSSLESS else _turbo(frame, head, to_rgb)


def _turbo(frame: bytes, head: Codestream, to_rgb: bool) -> np.ndarray:
    """The samples of a whole frame, as libjpeg-turbo decodes them.

    Of a scan that ends too early it makes up the rest, and says nothing. So the frame is decoded
    once more, with more bytes at its end: a scan that is whole does not read them. Whoever codes
    arithmetically may leave zeros out at the end (T.81 D.1.8), so this tells nothing there.
    """
    array = _as_it_is(frame, head, to_rgb)
    if head.process not in _ARITHMETIC:
        scans = frame[: frame.rfind(END)].rstrip(b"\xff")  # fill bytes may precede a marker
        if not np.array_equal(array, _as_it_is(scans + _MORE + END, head, to_rgb)):
            raise ValueError("the frame ends before its picture does")
    return array


def _as_it_is(frame: bytes, head: Codestream, to_rgb: bool) -> np.ndarray:
    """What libjpeg-turbo decodes, told what the colours are: else it would guess."""
    if head.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(frame))
    space = "YCBCR" if to_rgb else "RGB"
    return np.asarray(imagecodecs.jpeg8_decode(frame, colorspace=space, outcolorspace="RGB"))


def _lossless(frame: bytes, head: Codestream) -> np.ndarray:
    """The samples of a lossless JPEG (T.81 H), as they are: no colours are converted.

    Differences are modulo 65,536 (T.81 H.2.1). Some writers reckon modulo the samples' own bits,
    which makes no difference in these bits, unless the predictor halves what it predicts from.
    Decoded as 16 bits, in which the first prediction is higher, such samples are beyond their bits.
    """
    top = 2**head.precision
    place = scan(frame)
    predictor = frame[place + 3 + 2 * frame[place + 2]]
    if predictor < _FIRST_HALVING or head.precision == _WIDEST:
        array = _turbo(frame, head, False)
        return np.asarray(array & array.dtype.type(top - 1))
    array = _turbo(_as_wide(frame), head, False) - np.uint16(2 ** (_WIDEST - 1) - top // 2)
    if array.max() >= top:
        raise Rejection("unsupported_pixels", "differences modulo the samples' bits")
    return array.astype(np.uint8 if head.precision <= 8 else np.uint16)


def _as_wide(frame: bytes) -> bytes:
    """A lossless JPEG that says it has 16 bits a sample."""
    place = next(place for marker, place in segments(frame) if marker == LOSSLESS)
    return frame[: place + 2] + bytes([_WIDEST]) + frame[place + 3 :]
