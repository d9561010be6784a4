"""Which colours three samples are, where header and codestream may disagree; YBR to RGB.

Sources: PS3.3 C.7.6.3.1.2 (Photometric Interpretation), PS3.5 8.2 (which of them a compressed frame
may have).
"""

import numpy as np

from tagsight.looks.frames.codestreams import Colours

GREY = "MONOCHROME2"
_GREYS = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_TRANSFORMED = frozenset({"YBR_RCT", "YBR_ICT"})  # of JPEG 2000, whose decoder undoes it


def photometric_of(
    said: str, samples: int, own: Colours | None, *, lossy_jpeg: bool = False
) -> tuple[str, bool]:
    """Return the photometric interpretation of decoded samples, and whether the header gives it.

    said: the header's, upper case; own: what a frame says of itself, which comes first.
    YBR_ICT and YBR_RCT are of JPEG 2000 alone (PS3.5 8.2.4): elsewhere they stand in headers of
    frames that somebody has decoded, so the samples are RGB, but for those of lossy JPEG, which
    come out as YBR. Three samples of which neither the frame nor the header tells the colours are
    RGB, of JPEG YBR, as T.871 has it.
    """
    if samples == 1:
        return (said, True) if said in _GREYS else (GREY, not said)
    if own is not None:
        agreed = said.startswith("YBR") if own == "YBR_FULL" else said in {"RGB", *_TRANSFORMED}
        return own, agreed
    if said == "RGB" or (said.startswith("YBR") and said not in _TRANSFORMED):
        return said, True
    return ("YBR_FULL" if lossy_jpeg else "RGB"), False


def rgb_of(ybr: np.ndarray) -> np.ndarray:
    """Return RGB of YBR_FULL: uint8 (rows, columns, 3), both (PS3.3 C.7.6.3.1.2)."""
    luma = ybr[..., 0].astype(np.float32)
    blue, red = (ybr[..., n].astype(np.float32) - 128 for n in (1, 2))
    rgb = np.empty(ybr.shape, np.uint8)
    rgb[..., 0] = _levels(luma + np.float32(1.402) * red)
    rgb[..., 1] = _levels(luma - np.float32(0.344136) * blue - np.float32(0.714136) * red)
    rgb[..., 2] = _levels(luma + np.float32(1.772) * blue)
    return rgb


def _levels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255)
