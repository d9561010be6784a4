"""Draws the middle frame of a file as a small grey picture."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np
from PIL import Image

from tagsight.dicom.drawable import check_drawable, frames
from tagsight.dicom.header_texts import gather
from tagsight.dicom.part10 import opened
from tagsight.errors import DataError
from tagsight.looks.decoding import middle_frame
from tagsight.looks.greyscale import grey_levels
from tagsight.rejections import Reason, Rejection
from tagsight.run.processes import each
from tagsight.run.progress import Progress

Aspect = Literal["pad", "stretch"]
Undrawn = Literal["decoder_failed", "decoder_crashed", "out_of_memory"] | Reason
PIXEL_REASONS: tuple[str, ...] = (*get_args(get_args(Undrawn)[0]), *get_args(Reason))

SECONDS = 60.0  # for one picture
MEMORY = 4 * 2**30  # bytes, for the largest frames that are drawn
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio")


class PixelError(Exception):
    """A picture that cannot be drawn: a reason of `PIXEL_REASONS`, a detail for the log."""

    def __init__(self, reason: Undrawn, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def render(path: str, aspect: Aspect = "pad", size: int = 128) -> np.ndarray:  # (size, size)
    """The file at `path` (text form) as grey levels, uint8: modality table, window, resizing.

    PS3.3 C.11.1 and C.11.2 in their order; of several windows the first; the range of the pixels,
    padding left out, where there is none, or where it would show nothing. MONOCHROME1 is inverted,
    colour becomes luma, of several frames the middle one is drawn with its own values; overlays are
    not drawn, mosaics stay as they are. `pad` keeps the shape of what was imaged (pixels need not
    be square) and fills with black, `stretch` fills the square. One grey comes out only of pixels
    that are all alike.

    Raises:
        PixelError: what cannot be drawn.
    """
    try:
        with opened(path) as parsed:
            values = gather(parsed, frozenset()).values
            check_drawable(parsed, values)
            assert parsed.pixels is not None  # `check_drawable` has seen them
            if (frame := frames(values) // 2) > 0:
                values = gather(parsed, frozenset(), frame).values
            array, photometric = middle_frame(parsed, parsed.pixels, values)
            grey = grey_levels(array, photometric, parsed, values)
        return _fitted(grey, aspect, size, _height(values))
    except Rejection as refused:
        raise PixelError(refused.reason, refused.detail) from refused
    except MemoryError as error:
        raise PixelError("out_of_memory") from error
    except (KeyboardInterrupt, SystemExit, PixelError):
        raise
    except BaseException as error:  # a Rust decoder's panic is no Exception
        raise PixelError("decoder_failed", type(error).__name__) from error


def _height(values: dict[str, str]) -> float:
    """The height of a pixel in widths of it; 1 where that is not said, or cannot be."""
    for keyword in _SPACINGS:
        try:
            height, width = map(float, values.get(keyword, "").split("\\")[:2])
        except ValueError:
            continue
        if height > 0 and width > 0 and 1 / 16 <= height / width <= 16:
            return height / width
    return 1.0


def _fitted(
    grey: np.ndarray, aspect: Aspect, size: int, pixel: float
) -> np.ndarray:  # (size, size)
    """Along each axis: area means where the picture shrinks, linear interpolation where it grows.

    `pixel` is the height of a pixel in widths of it.
    """
    rows, columns = grey.shape
    largest = max(rows * pixel, columns)
    height, width = size, size
    if aspect == "pad":
        height, width = (max(1, round(n * size / largest)) for n in (rows * pixel, columns))
    small = Image.fromarray(grey.astype(np.float32, copy=False))
    small = small.resize((width, rows), _filter(columns, width))
    small = small.resize((width, height), _filter(rows, height))
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    levels = np.clip(np.rint(np.asarray(small)), 0, 255).astype(np.uint8)
    canvas[top : top + height, left : left + width] = levels
    return canvas


def _filter(before: int, after: int) -> Image.Resampling:
    return Image.Resampling.BOX if before >= after else Image.Resampling.BILINEAR


def render_all(
    paths: Sequence[str],
    aspect: Aspect,
    threads: int,
    progress: Progress,
    size: int = 128,
    seconds: float = SECONDS,
) -> tuple[np.ndarray, list[str | None]]:  # (n, size, size), n
    """Draws many files in `threads` processes: uint8, and reasons.

    Rows are in the order of `paths`, whatever the number of processes. One that could not be drawn
    is all zeros, with its reason beside it (None for all others). A decoder that crashes, takes
    more than `seconds` or 4 GiB takes nothing with it but its own picture.
    """
    images = np.zeros((len(paths), size, size), np.uint8)
    reasons: list[str | None] = [None] * len(paths)
    attempt = partial(_attempt, aspect=aspect, size=size)
    for place, picture in each(attempt, paths, threads, seconds, MEMORY):
        if isinstance(picture, str):
            reasons[place] = "decoder_crashed" if picture == "crashed" else picture
        else:
            images[place] = picture
        progress.add(1)
    return images, reasons


def _attempt(path: str, aspect: Aspect, size: int) -> np.ndarray | str:
    try:
        return render(path, aspect, size)
    except PixelError as error:
        return error.reason


def require_some(sample: str, reasons: list[str | None]) -> None:
    """DataError where no image of a sample could be drawn: looks cannot be told of nothing."""
    if all(reason is not None for reason in reasons):
        raise DataError(
            f"samples: none of the {len(reasons)} images of {sample} could be drawn "
            f"({', '.join(sorted({str(reason) for reason in reasons}))}); "
            "see that the files are where they were, and that their pixels can be decoded"
        )
