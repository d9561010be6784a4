"""Functions called in supervised processes: one that hangs, dies or grows affects no other."""

import ctypes
import os
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Q = TypeVar("Q")
Failure = Literal["crashed", "too_slow", "out_of_memory"]

_BATCH = 16
_OUT_OF_MEMORY = 3  # exit code
_FORK = get_context("fork")  # a child process cannot import a script of the workflow
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of unshare(2)


class Marker(Protocol):
    """A number that a process writes to show its progress, and its parent reads."""

    def __setitem__(self, place: int, value: int, /) -> None: ...


class CallLimits(NamedTuple):
    """Limits of a call: `seconds` without answer or new marker; `memory` in bytes (Linux only)."""

    seconds: float
    memory: int


def map_supervised(
    function: Callable[[str], T],
    arguments: Sequence[str],
    processes: int,
    seconds: float,
    memory: int,
) -> Iterator[tuple[int, T | Failure]]:
    """Yield the index of each argument and what the function returns for it, in any order.

    processes: how many run at a time; seconds, memory: of a call, see CallLimits.
    A call that takes too long, or kills its process, yields a Failure and affects no other. A
    call that asks for more memory than `memory` gets a MemoryError.
    """
    limits = CallLimits(seconds, memory)
    starts = range(0, len(arguments), _BATCH)
    batches = deque(list(range(len(arguments)))[start : start + _BATCH] for start in starts)
    workers: list[Worker[int, T]] = []
    for _ in range(min(processes, len(batches))):
        workers.append(Worker(lambda _: lambda n: function(arguments[n]), limits, workers))
    try:
        while batches or any(worker.pending for worker in workers):
            for worker in workers:
                if batches and not worker.pending:
                    worker.send(batches.popleft())
            wait_for(workers, limits)
            for worker in workers:
                yield from worker.answers()
    finally:
        for worker in workers:
            worker.end()


class Worker(Generic[Q, T]):
    """A supervised process that answers requests in their order, replaced when it fails.

    It runs the function that `make` returns inside it, under `limits`. What it writes to the
    terminal is dropped, and an exception ends it without a message: libraries quote what they read.
    `pending`: requests that are sent and not answered. `starts`: how many processes it has had.
    """

    def __init__(
        self,
        make: Callable[[Marker], Callable[[Q], T]],
        limits: CallLimits,
        siblings: Sequence["Worker[Q, T]"] = (),
    ) -> None:
        self.pending: deque[Q] = deque()
        self.pipe: Connection | None = None  # None while there is no process
        self.starts = 0
        self._make, self._limits, self._siblings = make, limits, siblings
        self._marker = _FORK.RawArray("q", 1)
        self._last, self._since = 0, 0.0

    def call(self, request: Q) -> T | Failure:
        """Return the answer to one request; for a worker that has nothing else pending."""
        self.send([request])
        while True:
            wait_for([self], self._limits)
            for _, answer in self.answers():
                return answer

    def send(self, requests: Sequence[Q]) -> None:
        """Send requests to the process, which is started if needed; start the clock."""
        self.pending = deque(requests)
        try:
            self._connection().send(list(requests))
        except OSError:  # it died while it was idle: no request is to blame
            self.end()
            self._connection().send(list(requests))
        self._since = time.monotonic()

    def answers(self) -> Iterator[tuple[Q, T | Failure]]:
        """Yield requests and their answers; a Failure for the request at which the process failed.

        A new process takes the requests after it.
        """
        try:
            while self.pending and self._connection().poll():
                answer = self._connection().recv()
                self._since = time.monotonic()
                yield self.pending.popleft(), answer
        except (EOFError, OSError):
            yield self._failure(self._cause_of_death())
        if self.pending and self._is_silent():
            yield self._failure("too_slow")

    def end(self) -> None:
        """Kill the process, if there is one."""
        if self.pipe is not None:
            self._process.kill()
            self._process.join()
            self.pipe.close()
            self.pipe = None

    def _connection(self) -> Connection:
        if self.pipe is None:
            self.pipe, childs_end = _FORK.Pipe()
            parents_ends = [
                worker.pipe for worker in (self, *self._siblings) if worker.pipe is not None
            ]
            work = (self._make, self._marker, childs_end, parents_ends, self._limits.memory)
            self._process = _FORK.Process(target=_serve, args=(os.getpid(), *work), daemon=True)
            self._process.start()
            childs_end.close()
            self.starts += 1
        return self.pipe

    def _is_silent(self) -> bool:
        """Whether there was neither an answer nor a new marker for too long."""
        if self._marker[0] != self._last:
            self._last, self._since = self._marker[0], time.monotonic()
        return time.monotonic() - self._since > self._limits.seconds

    def _cause_of_death(self) -> Failure:
        self._process.join(1)
        return "out_of_memory" if self._process.exitcode == _OUT_OF_MEMORY else "crashed"

    def _failure(self, cause: Failure) -> tuple[Q, Failure]:
        self.end()
        request = self.pending.popleft()
        if self.pending:
            self.send(self.pending)
        return request, cause


def wait_for(workers: Sequence[Worker[Q, T]], limits: CallLimits) -> None:
    """Wait until a worker has an answer or is dead, or it is time to look at the clock."""
    pipes = [worker.pipe for worker in workers if worker.pending and worker.pipe is not None]
    wait(pipes, min(1.0, limits.seconds / 4))


def _serve(
    parent: int,
    make: Callable[[Marker], Callable[[Q], T]],
    marker: Marker,
    pipe: Connection,
    parents: Sequence[Connection],
    memory: int,
) -> None:
    """Answer lists of requests, one request at a time, until the parent is gone."""
    _confine()
    _end_with(parent)
    for other in parents:  # or this process would keep them open when the parent is gone
        other.close()
    _silence()
    try:
        function = make(marker)
        _limit_memory(memory)
        while True:
            for request in pipe.recv():
                pipe.send(function(request))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    except BaseException:  # the parent sees it; a message might quote a file
        os._exit(1)


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _confine() -> None:
    """Have this process leave no core dump, which would hold what it read, and reach no network.

    A network of its own, an empty one, takes Linux and a kernel that lets users make one; elsewhere
    this process has the job's. Whoever is not root may leave a network only together with its
    users. It comes before `_end_with`, since other rights undo that.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_NEW_NETWORK | (_NEW_USER if os.geteuid() else 0))


def _end_with(parent: int) -> None:
    """Have this process killed when its parent is: a decoder that spins looks at no pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    else:
        Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _limit_memory(memory: int) -> None:
    """Have this process get a MemoryError beyond `memory` bytes more than now (on Linux).

    Otherwise the machine would kill some process.
    """
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
