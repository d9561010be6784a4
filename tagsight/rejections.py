"""Why a file is not taken: the closed list of reasons."""

from typing import Literal, get_args

Reason = Literal[
    "unreadable",
    "vanished",
    "not_a_regular_file",
    "empty_file",
    "not_dicom",
    "truncated",
    "bad_header",
    "bad_container",
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
REASONS: tuple[str, ...] = get_args(Reason)


class Rejection(Exception):
    """A file that is not taken: a reason of `REASONS`, a detail without patient data."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
