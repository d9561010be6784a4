"""The middle frame of a file as a small grey picture."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from tagsight.arrays import Floats, UInt8s
from tagsight.dicom.drawable import check_drawable, frame_count
from tagsight.dicom.header_texts import gather
from tagsight.dicom.numerals import numbers
from tagsight.dicom.part10 import open_header
from tagsight.looks.frames.decoding import middle_frame
from tagsight.looks.frames.remarks import joined
from tagsight.looks.greyscale import grey_levels, header_remarks
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


class Picture(NamedTuple):
    """A picture: uint8 (size, size), and remarks of `frames.remarks` on it, None without any."""

    levels: UInt8s
    remark: str | None


class Pictures(NamedTuple):
    """Pictures of many files, in their order.

    images: uint8 (n, size, size), zeros where there is none; reasons: why there is none, None
    where there is one; remarks: on those that there are, see Picture.
    """

    images: UInt8s
    reasons: list[str | None]
    remarks: list[str | None]


def render(path: str, aspect: Aspect = "pad", size: int = 128) -> UInt8s:
    """Return the middle frame of a file as grey levels: see `draw`.

    Returns uint8 (size, size).
    Raises PixelError as `draw`.
    """
    return draw(path, aspect, size).levels


def draw(path: str, aspect: Aspect = "pad", size: int = 128) -> Picture:
    """Draw the middle frame of a file as grey levels: modality table, window, resizing.

    path: in text form; aspect: `pad` keeps the proportions of what was imaged (pixels need not be
    square) and fills with black, `stretch` fills the square; size: pixels a side.

    PS3.3 C.11.1 and C.11.2 are applied in this order, with the first of several windows. Without a
    window, or if it would show nothing, the range of the pixels without padding is used.
    MONOCHROME1 is inverted, colour becomes luma, header values are those of the frame;
    overlays are not drawn, mosaics are not split.
    Returns a Picture, all equal only where all pixels are equal.
    Raises PixelError where the file cannot be drawn.
    """
    try:
        with open_header(path) as parsed:
            values = gather(parsed, frozenset()).values
            check_drawable(parsed, values)
            assert parsed.pixels is not None  # check_drawable makes sure
            if (frame := frame_count(values) // 2) > 0:
                values = gather(parsed, frozenset(), frame).values
            stored = middle_frame(parsed, parsed.pixels, values)
            grey = grey_levels(stored.array, stored.photometric, parsed, values)
        remark = joined((*stored.remarks, *header_remarks(values)))
        return Picture(_fitted(grey, aspect, size, _height(values)), remark)
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
        height, width = [*numbers(values, keyword), None, None][:2]
        if height and width and min(height, width) > 0 and 1 / 16 <= height / width <= 16:
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
) -> Pictures:
    """Return the pictures of many files, drawn in `threads` processes.

    paths, aspect, size: see draw; progress: counts files; seconds: allowed for one picture.
    A decoder that crashes, or needs more than `seconds` or 4 GiB, loses only its own picture.
    """
    images = np.zeros((len(paths), size, size), np.uint8)
    reasons: list[str | None] = [None] * len(paths)
    remarks = reasons.copy()
    attempt = partial(_attempt, aspect=aspect, size=size)
    order = sorted(range(len(paths)), key=paths.__getitem__)  # members of a container in one go
    ordered = [paths[place] for place in order]
    for number, picture in map_supervised(attempt, ordered, threads, seconds, MEMORY):
        place = order[number]
        if isinstance(picture, str):
            reasons[place] = "decoder_crashed" if picture == "crashed" else picture
        else:
            images[place], remarks[place] = picture
        progress.add(1)
    return Pictures(images, reasons, remarks)


def _attempt(path: str, aspect: Aspect, size: int) -> Picture | str:
    try:
        return draw(path, aspect, size)
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
