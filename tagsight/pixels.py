"""Draws the middle frame of a file as a small grey picture."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Literal, get_args

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.tag import BaseTag

from tagsight.drawable import check_drawable, frames
from tagsight.elements import Parsed, opened
from tagsight.errors import DataError
from tagsight.frames import middle_frame
from tagsight.gathering import gather
from tagsight.jobs import Progress
from tagsight.refusals import Reason, Refused

Aspect = Literal["pad", "stretch"]
Undrawn = Literal["decoder_failed", "decoder_crashed", "out_of_memory"] | Reason
PIXEL_REASONS: tuple[str, ...] = (*get_args(get_args(Undrawn)[0]), *get_args(Reason))

_BATCH = 16
_PALETTES = {0x00281201, 0x00281202, 0x00281203}
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


class PixelError(Exception):
    """A picture that cannot be drawn: a reason of `PIXEL_REASONS`, a detail for the log."""

    def __init__(self, reason: Undrawn, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def render(path: str, aspect: Aspect = "pad", size: int = 128) -> np.ndarray:  # (size, size)
    """The file at `path` (text form) as grey levels, uint8: modality table, window, resizing.

    PS3.3 C.11.1 and C.11.2 in their order; the first window where there are several; the range of
    the pixels where there is none, or where it would leave one grey. MONOCHROME1 is inverted,
    colour becomes luma, of several frames the middle one is drawn. `pad` keeps the shape and fills
    with black, `stretch` fills the square. One grey comes out only of pixels that are all alike.

    Raises:
        PixelError: what cannot be drawn.
    """
    try:
        with opened(path) as parsed:
            values = gather(parsed, frozenset()).values
            check_drawable(parsed, values)
            grey = _grey(parsed, frames(values) // 2)
        return _fitted(grey, aspect, size)
    except Refused as refused:
        raise PixelError(refused.reason, refused.detail) from refused
    except MemoryError as error:
        raise PixelError("out_of_memory") from error
    except (KeyboardInterrupt, SystemExit, PixelError):
        raise
    except BaseException as error:  # a Rust decoder's panic is no Exception
        raise PixelError("decoder_failed", type(error).__name__) from error


def _grey(parsed: Parsed, frame: int) -> np.ndarray:  # (rows, columns)
    """Grey levels, float32 in 0 to 255, black to white."""
    values = gather(parsed, frozenset(), frame).values
    assert parsed.pixels is not None  # `check_drawable` has seen them
    array, photometric = middle_frame(parsed, parsed.pixels, values)
    tables = _tables(parsed)
    if photometric == "PALETTE COLOR":
        array = apply_color_lut(array, tables)
        if array.max() < 256:  # 8-bit entries in 16-bit words
            array = array.astype(np.uint8)
    if array.ndim == 3:
        return _luma(array, photometric)
    grey = _windowed(_to_modality(array, tables, values), tables, values)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _tables(parsed: Parsed) -> Dataset:
    """The header as pydicom's functions for palettes and tables want it.

    They take the words of a palette for little endian whatever the file's order.
    """
    found = (tag for tag in parsed.elements if tag >> 16 == 0x0028)
    tables = Dataset({BaseTag(tag): parsed.raw(tag) for tag in found})
    tables.set_original_encoding(False, parsed.little, list(parsed.encodings))
    if not parsed.little:
        for tag in _PALETTES & parsed.elements.keys():
            words = np.frombuffer(tables[tag].value, ">u2")
            tables[tag].value = words.astype("<u2").tobytes()
    return tables


def _luma(array: np.ndarray, photometric: str) -> np.ndarray:
    """Brightness of colours by their type's full range; of YBR it is the first sample."""
    if photometric.startswith("YBR"):
        luma = array[..., 0].astype(np.float32)
    else:
        luma = np.einsum("rcs,s->rc", array[..., :3], _LUMA, dtype=np.float32, casting="unsafe")
    return np.asarray(luma * np.float32(255 / np.iinfo(array.dtype).max))


def _to_modality(array: np.ndarray, tables: Dataset, values: dict[str, str]) -> np.ndarray:
    if "ModalityLUTSequence" in tables:
        return np.asarray(apply_modality_lut(array, tables))
    slope, intercept = _number(values, "RescaleSlope"), _number(values, "RescaleIntercept")
    if slope is None or slope == 0 or (slope, intercept or 0) == (1, 0):
        return array
    return array.astype(np.float32) * np.float32(slope) + np.float32(intercept or 0)


def _windowed(array: np.ndarray, tables: Dataset, values: dict[str, str]) -> np.ndarray:
    """Float32 in 0 to 255."""
    shown: np.ndarray | None = None
    if "VOILUTSequence" in tables and array.dtype.kind in "ui":
        shown = _by_range(apply_voi(array, tables, index=0).astype(np.float32))
    else:
        shown = _by_window(array.astype(np.float32), values)
    if shown is None or (shown.min() == shown.max() and array.min() != array.max()):
        return _by_range(array.astype(np.float32))
    return shown


def _by_window(array: np.ndarray, values: dict[str, str]) -> np.ndarray | None:
    """PS3.3 C.11.2.1.2; None where there is no window, or one without width."""
    centre, width = _number(values, "WindowCenter"), _number(values, "WindowWidth")
    shape = values.get("VOILUTFunction", "LINEAR")
    if centre is None or width is None or width <= (shape == "LINEAR"):
        return None
    if shape == "SIGMOID":
        return np.asarray(255 / (1 + np.exp(-4 * (array - centre) / width)), np.float32)
    if shape == "LINEAR":
        centre, width = centre - 0.5, width - 1
    share = np.nan_to_num((array - np.float32(centre)) / np.float32(width) + np.float32(0.5))
    levels: np.ndarray = np.clip(share, 0, 1) * np.float32(255)
    return levels


def _by_range(array: np.ndarray) -> np.ndarray:
    """The finite values' range from black to white; all black where it is a single value."""
    finite = array[np.isfinite(array)]
    low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
    if low == high:
        return np.zeros_like(array)
    inside = np.nan_to_num(array, nan=low, posinf=high, neginf=low)
    levels: np.ndarray = (inside - low) / (high - low) * np.float32(255)
    return levels


def _number(values: dict[str, str], keyword: str) -> float | None:
    """The first of a header's numbers; None where it is none, or not finite."""
    try:
        number = float(values.get(keyword, "").split("\\")[0])
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _fitted(grey: np.ndarray, aspect: Aspect, size: int) -> np.ndarray:  # (size, size)
    """Area means where the picture shrinks, linear interpolation where it grows."""
    rows, columns = grey.shape
    largest = max(rows, columns)
    height, width = size, size
    if aspect == "pad":
        height, width = (max(1, round(n * size / largest)) for n in (rows, columns))
    filters = Image.Resampling
    kind = filters.BOX if largest >= size else filters.BILINEAR
    small = Image.fromarray(grey.astype(np.float32)).resize((width, height), kind)
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    levels = np.clip(np.rint(np.asarray(small)), 0, 255).astype(np.uint8)
    canvas[top : top + height, left : left + width] = levels
    return canvas


def render_all(
    paths: list[str], aspect: Aspect, threads: int, progress: Progress, size: int = 128
) -> tuple[np.ndarray, list[str | None]]:  # (n, size, size), n
    """Draws many files in `threads` processes: uint8, and reasons.

    Rows are in the order of `paths`, whatever the number of processes. One that could not be drawn
    is all zeros, with its reason beside it (None for all others). A decoder that crashes takes
    nothing with it but its own picture.
    """
    images = np.zeros((len(paths), size, size), np.uint8)
    reasons: list[str | None] = [None] * len(paths)
    for first, drawn in _in_processes(paths, aspect, threads, size):
        for place, picture in enumerate(drawn, first):
            if isinstance(picture, str):
                reasons[place] = picture
            else:
                images[place] = picture
        progress.add(len(drawn))
    return images, reasons


def _in_processes(
    paths: list[str], aspect: Aspect, threads: int, size: int
) -> Iterator[tuple[int, list[np.ndarray | str]]]:
    """Batches in order, each with the place of its first picture.

    When a process dies the pool is lost: the batch waited for is drawn file by file, the rest by a
    new pool.
    """
    starts = list(range(0, len(paths), _BATCH))
    while starts:
        try:
            with _pool(threads) as pool:
                jobs = [
                    pool.submit(_batch, paths[start : start + _BATCH], aspect, size)
                    for start in starts
                ]
                for job in jobs:
                    drawn = job.result()
                    yield starts.pop(0), drawn
        except BrokenProcessPool:
            start = starts.pop(0)
            yield start, [_alone(path, aspect, size) for path in paths[start : start + _BATCH]]


def _pool(processes: int) -> ProcessPoolExecutor:
    """Forked: a script of the workflow cannot be imported anew by its children."""
    return ProcessPoolExecutor(processes, mp_context=get_context("fork"))


def _batch(paths: list[str], aspect: Aspect, size: int) -> list[np.ndarray | str]:
    return [_attempt(path, aspect, size) for path in paths]


def _attempt(path: str, aspect: Aspect, size: int) -> np.ndarray | str:
    try:
        return render(path, aspect, size)
    except PixelError as error:
        return error.reason


def _alone(path: str, aspect: Aspect, size: int) -> np.ndarray | str:
    try:
        with _pool(1) as pool:
            return pool.submit(_attempt, path, aspect, size).result()
    except BrokenProcessPool:
        return "decoder_crashed"


def require_some(sample: str, reasons: list[str | None]) -> None:
    """DataError where no image of a sample could be drawn: looks cannot be told of nothing."""
    if all(reason is not None for reason in reasons):
        raise DataError(
            f"samples: none of the {len(reasons)} images of {sample} could be drawn "
            f"({', '.join(sorted({str(reason) for reason in reasons}))}); "
            "see that the files are where they were, and that their pixels can be decoded"
        )
