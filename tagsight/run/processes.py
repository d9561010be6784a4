"""Calls a function in processes of their own: none that hangs, dies or swells stops the others."""

import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
Lost = Literal["crashed", "too_slow"]
_BATCH = 16
FORK = get_context("fork")  # a script of the workflow cannot be imported anew by a child


def each(
    function: Callable[[str], T],
    arguments: Sequence[str],
    processes: int,
    seconds: float,
    memory: int,
) -> Iterator[tuple[int, T | Lost]]:
    """`function` of each argument with the argument's place, in no order, by so many processes.

    A call that takes longer than `seconds`, or kills its process, comes back as lost, and nothing
    else with it. Beyond `memory` bytes, on Linux, a call gets a MemoryError. What a call writes to
    the terminal is dropped: libraries quote what they read.
    """
    starts = range(0, len(arguments), _BATCH)
    left = deque(list(range(len(arguments)))[start : start + _BATCH] for start in starts)
    workers: list[_Worker[T]] = []
    try:
        while left or any(worker.places for worker in workers):
            workers = [worker for worker in workers if worker.is_alive]
            while left and len(workers) < processes:
                workers.append(_Worker(function, arguments, memory, workers))
            for worker in workers:
                if left and not worker.places:
                    worker.give(left.popleft())
            wait([worker.pipe for worker in workers if worker.places], min(1.0, seconds / 4))
            for worker in workers:
                yield from worker.taken(seconds)
                if not worker.is_alive and worker.places:
                    left.appendleft(worker.places)
    finally:
        for worker in workers:
            worker.end()


class _Worker(Generic[T]):
    """A process, and the places of the arguments that it was given and has not answered."""

    def __init__(
        self,
        function: Callable[[str], T],
        arguments: Sequence[str],
        memory: int,
        others: Sequence["_Worker[T]"],
    ) -> None:
        self.places: list[int] = []
        self.is_alive = True
        self._since = 0.0
        self.pipe, theirs = FORK.Pipe()
        ours = [self.pipe, *(other.pipe for other in others if other.is_alive)]
        work = (function, arguments, theirs, ours, memory)
        self._process = FORK.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        theirs.close()

    def give(self, places: list[int]) -> None:
        """Hands out work, and starts the clock."""
        self.places, self._since = places, time.monotonic()
        try:
            self.pipe.send(places)
        except OSError:  # it died idle: nothing is to blame, and its work is another's
            self.end()

    def taken(self, seconds: float) -> Iterator[tuple[int, T | Lost]]:
        """The answers that are there; the argument in hand as lost where none can come."""
        if not self.is_alive or not self.places:
            return
        try:
            while self.places and self.pipe.poll():
                answer = self.pipe.recv()
                self._since = time.monotonic()
                yield self.places.pop(0), answer
        except (EOFError, OSError):
            yield self._lost("crashed")
        if self.places and time.monotonic() - self._since > seconds:
            yield self._lost("too_slow")

    def _lost(self, how: Lost) -> tuple[int, T | Lost]:
        self.end()
        return self.places.pop(0), how

    def end(self) -> None:
        """Kills the process; what it was given stays in `places`."""
        if self.is_alive:
            self.is_alive = False
            self._process.kill()
            self._process.join()
            self.pipe.close()


def _serve(
    function: Callable[[str], T],
    arguments: Sequence[str],
    pipe: Connection,
    parents: Sequence[Connection],
    memory: int,
) -> None:
    """Answers lists of places, one by one, until nobody asks any more."""
    for other in parents:  # else this process would hold them open when the parent is gone
        other.close()
    _silence()
    limit_memory(memory)
    try:
        while True:
            for place in pipe.recv():
                pipe.send(function(arguments[place]))
    except BaseException:  # the parent counts it, and a message might quote a file
        os._exit(1)


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def limit_memory(memory: int) -> None:
    """Has this process get a MemoryError beyond `memory` bytes more than it has now (on Linux),
    rather than the machine kill something."""
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
