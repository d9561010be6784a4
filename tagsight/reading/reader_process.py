"""Reading in a supervised process, where each file has limits of time and memory."""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from tagsight.archive.source import REASONS
from tagsight.dicom.headers import ReaderOptions, RejectedFile
from tagsight.reading import fast_tokenizer
from tagsight.reading.batch_reader import Batch, PlainReader, Reader
from tagsight.run.processes import CallLimits, Failure, Marker, Worker

SECONDS = 20.0  # for one file
MEMORY = 2 * 2**30  # bytes, beyond what a reader has at its start
WANT = "memory"  # detail of a file for which there was not enough
_DETAIL: dict[Failure, str] = {"crashed": "", "too_slow": "", "out_of_memory": WANT}
_GENERATIONS = 2**32  # more than one process can have


class ReaderProcess:
    """A reader in a supervised process: `read` always returns.

    The reader marks the file that it reads. When the mark stays the same for `seconds`, or the
    process dies, it is replaced, and the files of its batch are read one by one.
    plain: read with PlainReader.
    """

    def __init__(
        self, key: bytes, options: ReaderOptions, seconds: float = SECONDS, *, plain: bool = False
    ) -> None:
        kind = PlainReader if plain else Reader
        if not plain:
            fast_tokenizer.load()  # before the fork, so that every process has it

        def make(marker: Marker) -> Callable[[list[str]], Batch]:
            reader = kind(key, options)
            return lambda paths: reader.read(paths, marker)

        self._worker = Worker(make, CallLimits(seconds, MEMORY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.end()

    def read(self, paths: Sequence[str]) -> list[tuple[Sequence[str], Batch]]:
        """Read at most `batch_reader.BATCH` files.

        Returns batches, one or several, with the paths of each.
        """
        answer = self._worker.call(list(paths))
        generation = (self._worker.starts - 1) * _GENERATIONS
        if isinstance(answer, Batch):
            return [(paths, answer._replace(generation=answer.generation + generation))]
        if len(paths) > 1:
            return [batch for path in paths for batch in self.read([path])]
        codes, rejected = np.zeros((0, 0), np.int32), RejectedFile(REASONS[answer], _DETAIL[answer])
        return [(paths, Batch([], codes, [], [], generation, [(0, rejected)]))]
