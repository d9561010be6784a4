"""What every job of the workflow does around its work: log, errors, resumption."""

import errno
import hashlib
import json
import logging
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tagsight.errors import DataError, UserError
from tagsight.run.atomic import is_damaged, is_sealed
from tagsight.run.cluster.usage import Stopwatch
from tagsight.run.plain_text import plain
from tagsight.run.processes import more_handles
from tagsight.run.progress import LOG, is_progress
from tagsight.run.sharing import dump_no_core


@contextmanager
def logged(job: Any) -> Iterator[None]:
    """Run the body of a script with a log and with errors that a user can read.

    job: the script's `snakemake`.
    All messages go to the job's log file; warnings, errors and progress to the terminal too. A
    UserError ends the job with one line on the terminal. Any other error leaves its traceback in
    the log, and on the terminal a line that names the log. The log of a job that is done ends in
    what it used (`usage`). Messages of libraries' errors and
    warnings may quote the archive (a value, a file's name), so only their kind and place are
    logged.
    """
    dump_no_core()
    Path(job.log[0]).unlink(missing_ok=True)
    stopwatch = Stopwatch()
    to_file = logging.FileHandler(job.log[0], encoding="utf-8")
    to_file.setFormatter(_Plain("%(asctime)s %(levelname)s %(message)s"))
    terminal = _terminal()
    to_terminal = logging.StreamHandler(terminal)
    to_terminal.setFormatter(_Plain(f"{_name(job)}: %(message)s"))
    to_terminal.addFilter(lambda record: record.levelno > logging.INFO or is_progress(record))
    LOG.handlers, LOG.propagate = [to_file, to_terminal], False
    LOG.setLevel(logging.INFO)
    more_handles()
    warnings.showwarning = _log_warning  # type: ignore[assignment]
    try:
        _require_own_library(Path(job.scriptdir).parent)
        _require_whole(job)
        yield
        LOG.info("%s", stopwatch.usage(job))
    except UserError as error:
        LOG.error("%s", error)
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # the panic of a library in Rust is no Exception
        LOG.info("%s", traceback_of(error), extra={"lines": True})
        LOG.error("unexpected %s; the traceback is in %s", type(error).__name__, job.log[0])
        sys.exit(1)


def _terminal() -> TextIO:
    """The terminal, for our own lines alone.

    What libraries in C and Rust write there on their own, a panic with the value that caused it,
    goes nowhere.
    """
    if sys.stderr is not sys.__stderr__ or sys.stderr is None:  # somebody listens to it already
        return sys.stderr
    encoding = sys.stderr.encoding
    terminal = os.fdopen(os.dup(2), "w", 1, encoding=encoding, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return terminal


class _Plain(logging.Formatter):
    """Messages of one line, without what a terminal obeys; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a message."""
        return plain(super().format(record), keep="\n" if hasattr(record, "lines") else "")


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error and of its causes, without their messages.

    Errors of the operating system keep their number: it distinguishes a full disk from a lost one.
    """
    cause = error.__cause__ or error.__context__
    causes = [traceback_of(cause), ""] if cause else []
    kind = type(error)
    number = f" {errno.errorcode.get(error.errno or 0, '')}" if isinstance(error, OSError) else ""
    lines = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    summary = f"{kind.__module__}.{kind.__qualname__}{number} (message left out)"
    return "\n".join([*causes, "Traceback (most recent call last):", lines, summary])


def _log_warning(_: object, kind: type[Warning], file: str, line: int, *_more: object) -> None:
    """Stand-in for warnings.showwarning."""
    LOG.info("%s at %s:%d (message left out)", kind.__name__, file, line)


def results_folder(job: Any) -> Path:
    """Return the folder of the run's results: `results`, in a module under its prefix."""
    return next(folder for folder in Path(job.output[0]).parents if folder.name == "results")


def resume_folder(job: Any, store: str | None = None) -> Path:
    """Return the job's folder for work in progress, created if needed.

    store: 16 letters, for a job whose work can be resumed under another recipe or other inputs.
    Returns a folder whose name ends in `store`, else in `work_id` of the job's recipe, so that work
    under another config, by other code or on other data is never resumed. Other folders of the job
    are removed.
    """
    stem = "-".join([job.rule, *map(str, job.wildcards)])
    name = f"{stem}-{store or work_id(job, job.params.recipe)}"
    folder = results_folder(job) / "resume" / name
    for other in folder.parent.glob(f"{stem}-????????????????"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def work_id(job: Any, recipe: str) -> str:
    """Return a hash of a recipe and of the job's inputs (path, size, time), in 16 letters."""
    stats = [(str(path), Path(path).stat()) for path in job.input]
    inputs = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    text = json.dumps([recipe, inputs])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _name(job: Any) -> str:
    return "/".join([job.rule, *map(str, job.wildcards)])


def _require_whole(job: Any) -> None:
    """Raise DataError where a result that the job reads is not as it was written.

    It is removed where it has our checksum, so that the next run makes it anew.
    """
    ours = [Path(path) for path in job.input if results_folder(job) in Path(path).parents]
    for path in filter(is_damaged, ours):
        removed = is_sealed(path)
        if removed:
            path.unlink()
        remedy = "it was removed: run again" if removed else "delete it and run again"
        raise DataError(f"{path}: not as it was written, cut or changed since; {remedy}")


def _require_own_library(clone: Path) -> None:
    """Raise UserError if tagsight is not the clone's: recipes cover the clone's code."""
    used = Path(__file__).resolve().parents[2]
    if used != clone.resolve():
        raise UserError(
            f"the library in use is {used}, not this clone's; run `pip install -e {clone}`"
        )
