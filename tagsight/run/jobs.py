"""What every job of the workflow does around its own work: log, resume, progress."""

import errno
import hashlib
import json
import logging
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tagsight.errors import UserError

LOG = logging.getLogger("tagsight")


@contextmanager
def logged(job: Any) -> Iterator[None]:
    """Run the body of a script with its log and its errors in order; `job` is `snakemake`.

    All messages go to the job's log file; warnings, errors and progress to the terminal too. A
    UserError ends the job with one line on the terminal. Anything else leaves its traceback in
    the log, and on the terminal a line that names the log. What a library says in its errors and
    warnings may quote the archive (a value, a file's name): their kind and place are logged alone.
    """
    Path(job.log[0]).unlink(missing_ok=True)
    to_file = logging.FileHandler(job.log[0])
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setFormatter(logging.Formatter(f"{_name(job)}: %(message)s"))
    to_terminal.addFilter(lambda record: record.levelno > logging.INFO or is_progress(record))
    LOG.handlers, LOG.propagate = [to_file, to_terminal], False
    LOG.setLevel(logging.INFO)
    warnings.showwarning = _log_warning  # type: ignore[assignment]
    try:
        _require_own_library(Path(job.scriptdir).parent)
        yield
    except UserError as error:
        LOG.error("%s", error)
        sys.exit(1)
    except Exception as error:
        LOG.info("%s", traceback_of(error))
        LOG.error("unexpected %s; the traceback is in %s", type(error).__name__, job.log[0])
        sys.exit(1)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error and of those that led to it, without what they say.

    Of an error of the operating system its number is kept: it tells a full disk from a lost one.
    """
    before = error.__cause__ or error.__context__
    told = [traceback_of(before), ""] if before else []
    kind = type(error)
    number = f" {errno.errorcode.get(error.errno or 0, '')}" if isinstance(error, OSError) else ""
    lines = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    said = f"{kind.__module__}.{kind.__qualname__}{number} (message left out)"
    return "\n".join([*told, "Traceback (most recent call last):", lines, said])


def _log_warning(_: object, kind: type[Warning], file: str, line: int, *_more: object) -> None:
    """Stands in for warnings.showwarning."""
    LOG.info("%s at %s:%d (message left out)", kind.__name__, file, line)


def is_progress(record: logging.LogRecord) -> bool:
    """Whether a message is a line of progress."""
    return bool(getattr(record, "progress", False))


def results_folder(job: Any) -> Path:
    """Return the folder of the run's results: `results`, or that under the prefix of a module."""
    return next(folder for folder in Path(job.output[0]).parents if folder.name == "results")


def resume_folder(job: Any, store: str | None = None) -> Path:
    """Return the job's folder for work in progress, made if it is not there.

    Its name ends in `work` under the job's recipe, so that work under another config, by other code
    or on other data is never taken up; what such work left behind is removed. Or in `store`, 16
    letters, where less than that tells whether work can be taken up.
    """
    stem = "-".join([job.rule, *map(str, job.wildcards)])
    folder = results_folder(job) / "resume" / f"{stem}-{store or work(job, job.params.recipe)}"
    for other in folder.parent.glob(f"{stem}-????????????????"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def work(job: Any, recipe: str) -> str:
    """Return a recipe and the state of the job's inputs (path, size, time) in 16 letters."""
    stats = [(str(path), Path(path).stat()) for path in job.input]
    inputs = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    told = json.dumps([recipe, inputs])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _name(job: Any) -> str:
    return "/".join([job.rule, *map(str, job.wildcards)])


def _require_own_library(clone: Path) -> None:
    """Refuse a tagsight that is not the clone's: the recipes were made from the clone's code."""
    used = Path(__file__).resolve().parents[2]
    if used != clone.resolve():
        raise UserError(
            f"the library in use is {used}, not this clone's; run `pip install -e {clone}`"
        )


class Progress:
    """Lines of progress with the time left, if the `total` is known; at most one in `every` s.

    >>> Progress(total=3, unit="files").add(3)
    """

    def __init__(self, total: int | None, unit: str, every: float = 10.0) -> None:
        self.total, self.unit, self.every = total, unit, every
        self.done = self.before = 0
        self.started = self.said = time.monotonic()

    def resume(self, count: int) -> None:
        """Note that `count` units were done by an earlier job: they say nothing of the speed."""
        self.done += count
        self.before += count

    def add(self, count: int, note: str = "") -> None:
        """Note that `count` more units are done; `note` says what was reached."""
        self.done += count
        now = time.monotonic()
        if now - self.said >= self.every:
            self.said = now
            said = "; ".join([self.line(now), *([note] if note else [])])
            LOG.info(said, extra={"progress": True})

    def line(self, now: float) -> str:
        """Return, say, `1,200 of 5,000 files (24%), 310 a second, 12 s left`."""
        rate = (self.done - self.before) / max(now - self.started, 1e-9)
        if self.total is None:
            return f"{self.done:,} {self.unit}, {rate:,.3g} a second"
        left = (self.total - self.done) / rate if rate else 0.0
        return (
            f"{self.done:,} of {self.total:,} {self.unit} ({self.done / max(self.total, 1):.0%}), "
            f"{rate:,.3g} a second, {_duration(left)} left"
        )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
