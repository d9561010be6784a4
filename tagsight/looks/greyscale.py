"""From stored values to grey levels: tables, windows, colours (PS3.3 C.11.1, C.11.2, C.7.6.3).

What a header leaves out has one meaning: a slope that is missing or 0 is 1 and an intercept that is
missing is 0, since each is without effect then; a centre without a width, or the reverse, is no
window (C.11.2.1.2 requires both), so the range of the pixels is shown.
"""

from typing import NamedTuple

import numpy as np

from tagsight.dicom.numerals import int_value, number, term
from tagsight.dicom.part10 import ParsedFile
from tagsight.looks.frames.remarks import Remark
from tagsight.looks.lut import LUMA, MODALITY, VOI, LookupTable, palette, table
from tagsight.rejections import Rejection

_LOSSY = "LossyImageCompression"
_LEAST_RANGE = 8  # of 255 levels: a picture with a smaller range shows nothing
_BLOCK = 2**20  # pixels that are reckoned with at a time, in float64
_PAIRS = (("WindowCenter", "WindowWidth"), ("RescaleIntercept", "RescaleSlope"))
_NUMBERS = (*_PAIRS[0], *_PAIRS[1], "PixelPaddingValue", "PixelPaddingRangeLimit")


class Line(NamedTuple):
    """A straight line from stored values to others: `slope` times the value, plus `intercept`."""

    slope: float = 1.0
    intercept: float = 0.0

    def then(self, slope: float, intercept: float) -> "Line":
        """Return this line followed by another."""
        return Line(self.slope * slope, self.intercept * slope + intercept)

    def of(self, array: np.ndarray, origin: float = 0.0) -> np.ndarray:
        """Return where the line takes numbers: float32, reckoned in float64, in their shape.

        origin: is subtracted first.
        """
        flat = array.reshape(-1)
        found = np.empty(len(flat), np.float32)
        with np.errstate(all="ignore"):
            for start in range(0, len(flat), _BLOCK):
                part = flat[start : start + _BLOCK].astype(np.float64) - origin
                found[start : start + _BLOCK] = part * self.slope + self.intercept
        return found.reshape(array.shape)


def grey_levels(
    array: np.ndarray, photometric: str, parsed: ParsedFile, values: dict[str, str]
) -> np.ndarray:  # (rows, columns)
    """Return the grey levels of a frame: float32 (rows, columns), 0 to 255.

    array: as stored, (rows, columns[, samples]); photometric: its photometric interpretation, upper
    case; values: texts of the header.
    Raises Rejection where a table cannot be read, or where the range of the pixels is more than
    numbers of 64 bits can hold.
    """
    if array.ndim == 3:
        return _luma(array, photometric, values)
    signed = array.dtype.kind == "i"
    if photometric == "PALETTE COLOR":
        return palette(parsed, signed=signed).of(array)
    grey = _windowed(array, parsed, values)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def header_remarks(values: dict[str, str]) -> tuple[Remark, ...]:
    """Return what is said of a header's numbers: a pair of which one is missing, or no numbers."""
    present = {keyword for keyword in _NUMBERS if values.get(keyword)}
    halves = any((one in present) != (other in present) for one, other in _PAIRS)
    unread = any(number(values, keyword) is None for keyword in present)
    found: tuple[tuple[Remark, bool], ...] = (
        ("incomplete_window_or_rescale", halves),
        ("unreadable_number", unread),
    )
    return tuple(remark for remark, is_so in found if is_so)


def _luma(array: np.ndarray, photometric: str, values: dict[str, str]) -> np.ndarray:
    """Luma of colours, scaled by the bits in use; in YBR it is the first sample."""
    white = np.iinfo(array.dtype).max
    stored = 2 ** int_value(values, "BitsStored", 64) - 1
    if 0 < stored < white and array.max() <= stored:
        white = stored
    if photometric.startswith("YBR"):
        luma = array[..., 0].astype(np.float32)
    else:
        luma = np.einsum("rcs,s->rc", array, LUMA, dtype=np.float32, casting="unsafe")
    return np.asarray(luma * np.float32(255 / white))


def _windowed(stored: np.ndarray, parsed: ParsedFile, values: dict[str, str]) -> np.ndarray:
    """Modality table or slope, then VOI table or window; the full range if these show nothing."""
    array, line = _to_modality(stored, parsed, values)
    shown = _by_voi_table(array, line, parsed)
    if shown is None:
        shown = _by_window(array, line, values)
    if shown is None or not shown.max() - shown.min() >= _LEAST_RANGE:
        return _by_range(array, line, _is_padding(stored, values))
    return shown


def _to_modality(
    array: np.ndarray, parsed: ParsedFile, values: dict[str, str]
) -> tuple[np.ndarray, Line]:
    """What the modality table gives, or stored values and the line that rescales them."""
    if array.dtype.kind in "ui":
        modality = table(parsed, MODALITY, signed=array.dtype.kind == "i")
        if modality:
            return modality.of(array), Line()
    slope, intercept = number(values, "RescaleSlope"), number(values, "RescaleIntercept")
    return array, Line(slope or 1.0, intercept or 0.0)


def _by_voi_table(array: np.ndarray, line: Line, parsed: ParsedFile) -> np.ndarray | None:
    """Grey levels of the VOI table; None where there is none.

    Its input is what the modality transformation gives (PS3.3 C.11.2), to the nearest integer.
    """
    if array.dtype.kind not in "ui":
        return None
    ends = [line.slope * float(end) + line.intercept for end in (array.min(), array.max())]
    voi = table(parsed, VOI, signed=min(ends) < 0)
    if voi is None:
        return None
    if line != Line():
        array = np.rint(np.clip(line.of(array), -(2**30), 2**30)).astype(np.int64)
    return _by_table(voi, array)


def _by_table(voi: LookupTable, array: np.ndarray) -> np.ndarray:
    return voi.of(array).astype(np.float32) * np.float32(255 / voi.white)


def _by_window(array: np.ndarray, line: Line, values: dict[str, str]) -> np.ndarray | None:
    """Grey levels by PS3.3 C.11.2.1.2 and C.11.2.1.3; None where there is no window.

    A function of another name is LINEAR, the default, unless its name says that it is a sigmoid.
    """
    centre, width = number(values, "WindowCenter"), number(values, "WindowWidth")
    function = term(values, "VOILUTFunction", "LINEAR")
    shape = "SIGMOID" if "SIGMOID" in function else function
    exact = shape in ("SIGMOID", "LINEAR_EXACT")
    if centre is None or width is None or width <= (not exact):
        return None
    if shape == "SIGMOID":
        steps = np.clip(line.then(-4 / width, 4 * centre / width).of(array), -80, 80)
        return np.asarray(255 / (1 + np.exp(np.nan_to_num(steps))), np.float32)
    if not exact:
        centre, width = centre - 0.5, width - 1
    levels = line.then(255 / width, 255 * (0.5 - centre / width)).of(array)
    return np.asarray(np.clip(np.nan_to_num(levels), 0, 255), np.float32)


def _is_padding(stored: np.ndarray, values: dict[str, str]) -> np.ndarray | None:
    """Which pixels are padding (PS3.3 C.7.5.1.1.2); None where no value is given, or all are.

    After lossy compression padding is near its value, not equal to it.
    """
    one, other = number(values, "PixelPaddingValue"), number(values, "PixelPaddingRangeLimit")
    if one is None:
        return None
    ends = [_as_stored(end, stored, values) for end in (one, one if other is None else other)]
    bits = min(int_value(values, "BitsStored", 0), 64)
    near = 2**bits // 1024 * (number(values, _LOSSY) == 1)
    padding = (stored >= min(ends) - near) & (stored <= max(ends) + near)
    return None if padding.all() else padding


def _as_stored(value: float, stored: np.ndarray, values: dict[str, str]) -> float:
    """A value with the sign of the samples: some headers give -2000 as 63536, or the reverse."""
    if stored.dtype.kind not in "ui" or not value.is_integer():
        return value
    width = 8 * stored.dtype.itemsize
    bits = min(int_value(values, "BitsStored", width) or width, width)
    limits = np.iinfo(stored.dtype)
    if limits.min <= value <= limits.max:
        return value
    turned = int(value) % 2**width % 2**bits
    return float(turned - 2**bits if limits.min < 0 and turned >= 2 ** (bits - 1) else turned)


def _by_range(array: np.ndarray, line: Line, padding: np.ndarray | None) -> np.ndarray:
    """Grey levels over the range of finite pixels without padding; black if they are all equal.

    Raises Rejection where they are not equal, but no number of 64 bits holds their range.
    """
    measured = np.isfinite(array) if padding is None else np.isfinite(array) & ~padding
    finite = array[measured]
    low, high = (finite.min(), finite.max()) if finite.size else (array.dtype.type(0),) * 2
    if low == high:
        return np.zeros(array.shape, np.float32)
    inside, falling = np.clip(array, low, high), line.slope < 0
    if array.dtype.kind == "f":
        inside[np.isnan(array)] = high if falling else low
    else:  # integers of 64 bits are more than a float can tell apart
        unsigned = inside.dtype.str.replace("i", "u")
        inside = inside.view(unsigned) - low.view(unsigned)
        low, high = inside.min(), inside.max()
    extent = float(high) - float(low)
    if not 0 < 255 / extent < np.inf:
        raise Rejection("unsupported_pixels", "a range that no number holds")
    levels = np.clip(Line(255 / extent).of(inside, float(low)), 0, 255)
    return np.asarray(255 - levels if falling else levels, np.float32)
