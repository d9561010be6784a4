"""Reads in a process of its own, so that no file takes more than its share of time and memory."""

import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Self

import numpy as np

from tagsight.dicom.headers import Rejected, Wanted
from tagsight.reading import fast_tokenizer
from tagsight.reading.batch_reader import Batch, Marker, PlainReader, Reader
from tagsight.rejections import Reason
from tagsight.run.processes import FORK, limit_memory

SECONDS = 20.0  # for one file
MEMORY = 2 * 2**30  # bytes, beyond what a reader takes at its start
_OUT_OF_MEMORY = 3  # exit code


class ReaderProcess:
    """A reader behind a fence: `read` always comes back.

    The process that reads says which file it has in hand. When that has been the same for
    `seconds`, or the process dies, it is replaced, and the files of its batch are read one by one,
    so that the one to blame is known.
    """

    def __init__(
        self, key: bytes, wanted: Wanted, seconds: float = SECONDS, *, few: bool = False
    ) -> None:
        self._key, self._wanted, self._seconds = key, wanted, seconds
        self._kind = PlainReader if few else Reader
        self._generations = 0
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def read(self, paths: Sequence[str]) -> list[tuple[Sequence[str], Batch]]:
        """What was read of at most `batches.BATCH` files, in one batch or several with the paths
        of each."""
        batch = self._attempt(paths)
        if isinstance(batch, Batch):
            return [(paths, batch)]
        if len(paths) == 1:
            none = np.zeros((0, 0), np.int32)
            return [(paths, Batch([], none, [], [], self._generations, [(0, batch)]))]
        return [part for path in paths for part in self.read([path])]

    def _start(self) -> None:
        if self._kind is Reader:
            fast_tokenizer.load()  # here, so that a process that replaces another has it
        self._marker = FORK.RawArray("q", 1)
        self._pipe, theirs = FORK.Pipe()
        arguments = (theirs, self._pipe, self._marker, self._kind, self._key, self._wanted)
        self._process = FORK.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def _stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _attempt(self, paths: Sequence[str]) -> Batch | Rejected:
        self._pipe.send(list(paths))
        reason = self._wait()
        if reason is None:
            try:
                batch = self._pipe.recv()
                return batch._replace(generation=batch.generation + self._generations)
            except EOFError:
                self._process.join()
                out = self._process.exitcode == _OUT_OF_MEMORY
                reason = "too_large" if out else "reader_crashed"
        self._stop()
        self._generations += 2**32
        self._start()
        return Rejected(reason)

    def _wait(self) -> Reason | None:
        """None when there is an answer or the end of the process; else it is too slow."""
        since, last = time.monotonic(), -1
        while not self._pipe.poll(min(1.0, self._seconds / 4)):
            if self._marker[0] != last:
                since, last = time.monotonic(), self._marker[0]
            elif time.monotonic() - since > self._seconds:
                return "too_slow"
        return None


def _serve(
    pipe: Connection,
    parents: Connection,
    marker: Marker,
    kind: type[Reader | PlainReader],
    key: bytes,
    wanted: Wanted,
) -> None:
    """Answers lists of paths until nobody asks any more. No message of its own: it might quote."""
    parents.close()
    reader = kind(key, wanted)
    limit_memory(MEMORY)
    try:
        while True:
            pipe.send(reader.read(pipe.recv(), marker))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    except BaseException:  # the fence counts it
        os._exit(1)
