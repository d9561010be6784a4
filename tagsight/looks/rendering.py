"""The middle frame of a file as a small grey picture."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image

from tagsight.arrays import Floats, UInt8s
from tagsight.dicom.drawable import check_drawable, frame_count
from tagsight.dicom.header_texts import gather
from tagsight.dicom.part10 import open_header
from tagsight.looks.decoding import middle_frame
from tagsight.looks.greyscale import grey_levels
from tagsight.rejections import Reason, Rejection
from tagsight.run.plain_text import counted
from tagsight.run.processes import map_supervised
from tagsight.run.progress import Progress

Aspect = Literal["pad", "stretch"]
Undrawn = Literal["decoder_failed", "decoder_crashed", "out_of_memory"] | Reason

SECONDS = 60.0  # for one picture
MEMORY = 4 * 2**30  # bytes, for the largest frames that are drawn
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio")


class PixelError(Exception):
    """A picture that cannot be drawn, with the reason and a detail for the log."""

    def __init__(self, reason: Undrawn, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def render(path: str, aspect: Aspect = "pad", size: int = 128) -> UInt8s:
    """Return the middle frame of a file as grey levels: modality table, window, resizing.

    path: in text form; aspect: `pad` keeps the proportions of what was imaged (pixels need not be
    square) and fills with black, `stretch` fills the square; size: pixels a side.

    PS3.3 C.11.1 and C.11.2 are applied in this order, with the first of several windows. Without a
    window, or if it would show nothing, the range of the pixels without padding is used.
    MONOCHROME1 is inverted, colour becomes luma, header values are those of the frame;
    overlays are not drawn, mosaics are not split.
    Returns uint8 (size, size), all equal only where all pixels are equal.
    Raises PixelError where the file cannot be drawn.
    """
    try:
        with open_header(path) as parsed:
            values = gather(parsed, frozenset()).values
            check_drawable(parsed, values)
            assert parsed.pixels is not None  # check_drawable makes sure
            if (frame := frame_count(values) // 2) > 0:
                values = gather(parsed, frozenset(), frame).values
            array, photometric = middle_frame(parsed, parsed.pixels, values)
            grey = grey_levels(array, photometric, parsed, values)
        return _fitted(grey, aspect, size, _height(values))
    except Rejection as rejection:
        raise PixelError(rejection.reason, rejection.detail) from rejection
    except MemoryError as error:
        raise PixelError("out_of_memory") from error
    except (KeyboardInterrupt, SystemExit, PixelError):
        raise
    except BaseException as error:  # a Rust decoder's panic is no Exception
        raise PixelError("decoder_failed", type(error).__name__) from error


def _height(values: dict[str, str]) -> float:
    """The height of a pixel divided by its width; 1 where that is unknown or implausible."""
    for keyword in _SPACINGS:
        try:
            height, width = map(float, values.get(keyword, "").split("\\")[:2])
        except ValueError:
            continue
        if height > 0 and width > 0 and 1 / 16 <= height / width <= 16:
            return height / width
    return 1.0


def _fitted(grey: Floats, aspect: Aspect, size: int, pixel: float) -> UInt8s:
    """The picture resized to (size, size).

    Along each axis by area means if it shrinks, by linear interpolation if it grows; pixel: height
    of a pixel divided by its width.
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
) -> tuple[UInt8s, list[str | None]]:
    """Return the pictures of many files, drawn in `threads` processes.

    paths, aspect, size: see render; progress: counts files; seconds: allowed for one picture.
    Returns uint8 (n, size, size) and n reasons, in the order of `paths`. A picture that could not
    be drawn is all zeros, with its reason (None for all others). A decoder that crashes, or needs
    more than `seconds` or 4 GiB, loses only its own picture.
    """
    images = np.zeros((len(paths), size, size), np.uint8)
    reasons: list[str | None] = [None] * len(paths)
    attempt = partial(_attempt, aspect=aspect, size=size)
    for place, picture in map_supervised(attempt, paths, threads, seconds, MEMORY):
        if isinstance(picture, str):
            reasons[place] = "decoder_crashed" if picture == "crashed" else picture
        else:
            images[place] = picture
        progress.add(1)
    return images, reasons


def _attempt(path: str, aspect: Aspect, size: int) -> UInt8s | str:
    try:
        return render(path, aspect, size)
    except PixelError as error:
        return error.reason


def none_drawn(reasons: Sequence[str | None]) -> str | None:
    """Return a line where there are images and none of them could be drawn; else None."""
    if not reasons or None in reasons:
        return None
    return (
        f"none of the {counted(len(reasons), 'image')} of this sample could be drawn "
        f"({', '.join(sorted({str(reason) for reason in reasons}))}): what needs them is left out; "
        "see that the files are where they were, and that their pixels can be decoded"
    )
