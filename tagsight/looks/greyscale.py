"""From stored values to grey levels: tables, windows, colours (PS3.3 C.11.1, C.11.2, C.7.6.3)."""

import numpy as np

from tagsight.dicom.drawable import int_value
from tagsight.dicom.part10 import ParsedFile
from tagsight.looks.lut import LUMA, MODALITY, VOI, LookupTable, palette, table

_LOSSY = "LossyImageCompression"
_LEAST_RANGE = 8  # of 255 levels: a picture with a smaller range shows nothing


def grey_levels(
    array: np.ndarray, photometric: str, parsed: ParsedFile, values: dict[str, str]
) -> np.ndarray:  # (rows, columns)
    """Return the grey levels of a frame: float32 (rows, columns), 0 to 255.

    array: as stored, (rows, columns[, samples]); photometric: its photometric interpretation;
    values: texts of the header.
    Raises Rejection where a table cannot be read.
    """
    if array.ndim == 3:
        return _luma(array, photometric, values)
    signed = array.dtype.kind == "i"
    if photometric == "PALETTE COLOR":
        return palette(parsed, signed=signed).of(array)
    grey = _windowed(array, parsed, values)
    return 255 - grey if photometric == "MONOCHROME1" else grey


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
    array = _to_modality(stored, parsed, values)
    shown: np.ndarray | None = None
    if array.dtype.kind in "ui":
        voi = table(parsed, VOI, signed=bool(array.min() < 0))
        shown = _by_table(voi, array) if voi else None
    if shown is None:
        shown = _by_window(array.astype(np.float32), values)
    if shown is None or shown.max() - shown.min() < _LEAST_RANGE:
        return _by_range(array.astype(np.float32), _is_padding(stored, values))
    return shown


def _by_table(voi: LookupTable, array: np.ndarray) -> np.ndarray:
    return voi.of(array).astype(np.float32) * np.float32(255 / voi.white)


def _to_modality(array: np.ndarray, parsed: ParsedFile, values: dict[str, str]) -> np.ndarray:
    if array.dtype.kind in "ui":
        modality = table(parsed, MODALITY, signed=array.dtype.kind == "i")
        if modality:
            return modality.of(array)
    slope, intercept = _number(values, "RescaleSlope"), _number(values, "RescaleIntercept")
    if slope is None or slope == 0 or (slope, intercept or 0) == (1, 0):
        return array
    return array.astype(np.float32) * np.float32(slope) + np.float32(intercept or 0)


def _by_window(array: np.ndarray, values: dict[str, str]) -> np.ndarray | None:
    """Grey levels by PS3.3 C.11.2.1.2; None where there is no window, or its width is 0."""
    centre, width = _number(values, "WindowCenter"), _number(values, "WindowWidth")
    shape = values.get("VOILUTFunction", "LINEAR")
    if centre is None or width is None or width <= (shape == "LINEAR"):
        return None
    if shape == "SIGMOID":
        steps = np.clip(-4 * (array - np.float32(centre)) / np.float32(width), -80, 80)
        return np.asarray(255 / (1 + np.exp(np.nan_to_num(steps))), np.float32)
    if shape == "LINEAR":
        centre, width = centre - 0.5, width - 1
    share = np.nan_to_num((array - np.float32(centre)) / np.float32(width) + np.float32(0.5))
    levels: np.ndarray = np.clip(share, 0, 1) * np.float32(255)
    return levels


def _is_padding(stored: np.ndarray, values: dict[str, str]) -> np.ndarray | None:
    """Which pixels are padding (PS3.3 C.7.5.1.1.2); None where no value is given, or all are.

    After lossy compression padding is near its value, not equal to it.
    """
    one, other = _number(values, "PixelPaddingValue"), _number(values, "PixelPaddingRangeLimit")
    if one is None:
        return None
    other = one if other is None else other
    near = 2 ** int_value(values, "BitsStored", 0) // 1024 * (values.get(_LOSSY) == "01")
    padding = (stored >= min(one, other) - near) & (stored <= max(one, other) + near)
    return None if padding.all() else padding


def _by_range(array: np.ndarray, padding: np.ndarray | None) -> np.ndarray:
    """Grey levels over the range of finite pixels without padding; black if they are all equal."""
    measured = np.isfinite(array) if padding is None else np.isfinite(array) & ~padding
    finite = array[measured]
    low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
    if low == high:
        return np.zeros_like(array)
    inside = np.clip(np.nan_to_num(array, nan=low, posinf=high, neginf=low), low, high)
    levels: np.ndarray = (inside - low) / (high - low) * np.float32(255)
    return levels


def _number(values: dict[str, str], keyword: str) -> float | None:
    """The first number of a header's text; None where it is not a finite number."""
    try:
        number = float(values.get(keyword, "").split("\\")[0])
    except ValueError:
        return None
    return number if np.isfinite(number) else None
