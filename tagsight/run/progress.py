"""The log of a job, and its lines of progress with the time left."""

import logging
import time
from typing import Protocol

LOG = logging.getLogger("tagsight")


class ProgressCounter(Protocol):
    """A counter of the units of long work: images, epochs, candidates."""

    def resume(self, count: int, /) -> object:
        """Count `count` units that an earlier job did."""

    def add(self, count: int, /, note: str = "") -> object:
        """Count `count` more units as done; `note` says what was reached."""


class Progress:
    """Lines of progress, with the time left if `total` is given; at most one in `every` s.

    >>> Progress(total=3, unit="files").add(3)
    """

    def __init__(self, total: int | None, unit: str, every: float = 10.0) -> None:
        self.total, self.unit, self.every = total, unit, every
        self.done = self.resumed = 0
        self.started = self.last_line = time.monotonic()

    def resume(self, count: int) -> None:
        """Count `count` units that an earlier job did: they do not count for the speed."""
        self.done += count
        self.resumed += count

    def add(self, count: int, note: str = "") -> None:
        """Count `count` more units as done; `note` says what was reached."""
        self.done += count
        now = time.monotonic()
        if now - self.last_line >= self.every:
            self.last_line = now
            line = "; ".join([self.line(now), *([note] if note else [])])
            LOG.info(line, extra={"progress": True})

    def line(self, now: float) -> str:
        """Return, say, `1,200 of 5,000 files (24%), 310 a second, 12 s left`."""
        rate = (self.done - self.resumed) / max(now - self.started, 1e-9)
        if self.total is None:
            return f"{self.done:,} {self.unit}, {rate:,.3g} a second"
        seconds = (self.total - self.done) / rate if rate else 0.0
        return (
            f"{self.done:,} of {self.total:,} {self.unit} ({self.done / max(self.total, 1):.0%}), "
            f"{rate:,.3g} a second, {_duration(seconds)} left"
        )


def is_progress(record: logging.LogRecord) -> bool:
    """Return whether a message of the log is a line of progress."""
    return bool(getattr(record, "progress", False))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
