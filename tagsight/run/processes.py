"""Functions called in supervised processes: one that hangs, dies or grows affects no other."""

import ctypes
import os
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pickle import UnpicklingError
from threading import Thread
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar, get_args

from tagsight.errors import UserError
from tagsight.run.progress import LOG

T = TypeVar("T")
Q = TypeVar("Q")
Failure = Literal["crashed", "too_slow", "out_of_memory"]
FAILURES = frozenset(get_args(Failure))

_BATCH = 16
_OUT_OF_MEMORY, _NOT_MADE = 3, 4  # exit codes: in a call; before the first call
_HANDLES = 2**16  # open files that a process asks for
_FROM_OUTSIDE = (
    -signal.SIGKILL,
    -signal.SIGTERM,
)  # exit codes; the first by a machine out of memory
_MOST_KILLS = 2  # of a process at one request, before the request is to blame
_FORK = get_context("fork")  # a child process cannot import a script of the workflow
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of unshare(2)
_pulse: "Marker | None" = None  # of this process, where it is supervised


class Marker(Protocol):
    """A number that a process writes to show its progress, and its parent reads."""

    def __setitem__(self, place: int, value: int, /) -> None: ...


def more_handles() -> int:
    """Raise the number of files that this process may have open, as far as it is allowed to.

    Returns that number. macOS begins with 256, of which a batch of files takes all.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HANDLES if hard == resource.RLIM_INFINITY else min(_HANDLES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _HANDLES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has a lower limit of its own
        return soft
    return wanted


def alive() -> None:
    """Say that this process gets on, if it is a supervised one: its time begins anew.

    For work of many small steps whose number has a limit of its own, such as unpacking.
    """
    if _pulse is not None:
        _pulse[1] = time.monotonic_ns()


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
        self._marker = _FORK.RawArray("q", 2)  # written by the function, and by `alive`
        self._last, self._since = [0, 0], 0.0
        self._kills = 0  # of the process at the request that it has in hand

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
        self._kills = 0
        self._hand_over()

    def _hand_over(self) -> None:
        """Send all that is pending. Where the process died idle, no request is to blame."""
        for _ in range(_MOST_KILLS):
            try:
                self._connection().send(list(self.pending))
                break
            except OSError:
                self.end()
        self._since = time.monotonic()

    def answers(self) -> Iterator[tuple[Q, T | Failure]]:
        """Yield requests and their answers; a Failure for the request at which the process failed.

        A new process takes the requests after it. Where the process was killed from outside, the
        request is tried once more.
        """
        try:
            while self.pending and self._connection().poll():
                answer = self._connection().recv()
                self._since = time.monotonic()
                self._kills = 0
                yield self.pending.popleft(), answer
        except (EOFError, OSError, UnpicklingError):
            yield from self._after_death()
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
            try:
                self._process.start()
            except OSError as error:
                self.pipe.close()
                self.pipe = None
                raise UserError(
                    f"no further process can be started ({error.strerror}): fewer cores, or more "
                    "memory and processes for the job (ulimit -u, -v)"
                ) from error
            finally:
                childs_end.close()
            self.starts += 1
            _tell_of_little_memory(self._limits.memory)
        return self.pipe

    def _after_death(self) -> Iterator[tuple[Q, T | Failure]]:
        cause, code = self._cause_of_death()
        self._kills += 1
        if code in _FROM_OUTSIDE and self._kills < _MOST_KILLS:
            self.end()
            self._hand_over()
        else:
            yield self._failure(cause)

    def _is_silent(self) -> bool:
        """Whether there was neither an answer nor a new marker for too long."""
        if (marks := self._marker[:]) != self._last:
            self._last, self._since = marks, time.monotonic()
        return time.monotonic() - self._since > self._limits.seconds

    def _cause_of_death(self) -> tuple[Failure, int | None]:
        """Why the process failed, and its exit code.

        Libraries in C often end by a signal where they get no memory: where the job was granted
        less than a call may take, that is the likely cause.
        """
        self._process.join(1)
        code = self._process.exitcode
        if code == _NOT_MADE:
            raise UserError(
                "there is not enough memory to begin with: give the job more (ulimit -v, mem_mb)"
            )
        starved = code is not None and code < 0 and granted(self._limits.memory) is not None
        return "out_of_memory" if code == _OUT_OF_MEMORY or starved else "crashed", code

    def _failure(self, cause: Failure) -> tuple[Q, Failure]:
        self.end()
        request = self.pending.popleft()
        self._kills = 0
        if self.pending:
            self._hand_over()
        return request, cause


def wait_for(workers: Sequence[Worker[Q, T]], limits: CallLimits) -> None:
    """Wait until a worker has an answer or is dead, or it is time to look at the clock."""
    pipes = [worker.pipe for worker in workers if worker.pending and worker.pipe is not None]
    wait(pipes, min(1.0, limits.seconds / 4))


def granted(memory: int) -> int | None:
    """Return the bytes that a process of the job may have in all, by `ulimit -v` or the like.

    memory: bytes that a call may take. None where these can be had.
    """
    if sys.platform != "linux":
        return None
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    return None if most == resource.RLIM_INFINITY or _in_use() + memory <= most else most


@cache
def _tell_of_little_memory(memory: int) -> None:
    """Say once that a call cannot have what it may take."""
    if (most := granted(memory)) is not None:
        LOG.warning(
            "the job may have %.1f GiB of memory in all (ulimit -v), and one file may take %.1f "
            "beside what is in use: files that need more than is there are left out for want of "
            "memory, not for what they hold",
            most / 2**30,
            memory / 2**30,
        )


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
    global _pulse  # noqa: PLW0603 - one process has one
    _pulse = marker
    for other in parents:  # or this process would keep them open when the parent is gone
        other.close()
    _silence()
    try:
        try:
            function = make(marker)
        except MemoryError:
            os._exit(_NOT_MADE)
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
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = _in_use() + memory
        limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _in_use() -> int:
    """The address space of this process, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
