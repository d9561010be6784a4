"""Why a file is rejected: the closed list of reasons.

`container` is none that a user sees: a container's members are read in its place.
"""

from typing import Literal

Reason = Literal[
    "unreadable",
    "vanished",
    "not_a_regular_file",
    "empty_file",
    "not_dicom",
    "truncated",
    "bad_header",
    "bad_container",
    "container",
    "system_file",
    "too_deep",
    "too_large",
    "too_slow",
    "reader_crashed",
    "dicomdir",
    "no_pixels",
    "pixels_incomplete",
    "unsupported_pixels",
    "no_decoder",
    "whole_slide",
    "duplicate",
]


# May succeed next time, and are tried again: whatever a file holds, a machine can fail at it.
MACHINES: tuple[Reason, ...] = ("unreadable", "vanished", "too_slow", "reader_crashed")
# Of files that are in order and no images, which say nothing of an archive.
HARMLESS: tuple[Reason, ...] = ("dicomdir", "system_file")


class Rejection(Exception):
    """A file that is rejected.

    reason: of the closed list; detail: more about it, without patient data.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
