import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from tagsight.run.processes import CallLimits, Worker, alive, map_supervised

MB = 2**20


def misbehave(what):
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        time.sleep(60)
    if what == "raise":
        raise ValueError(what)
    if what == "swell":
        try:
            return str(len(bytearray(2**33)))
        except MemoryError:
            return "no memory"
    if what == "speak":
        os.write(1, b"SECRET")
        os.write(2, b"SECRET")
    return os.getpid() if what == "pid" else what.upper()


def called(arguments, processes=2, seconds=3.0):
    found = list(map_supervised(misbehave, arguments, processes, seconds, 256 * MB))
    assert sorted(place for place, _ in found) == list(range(len(arguments)))
    return [answer for _, answer in sorted(found)]


@pytest.mark.parametrize("processes", [1, 3])
def test_every_argument_has_its_answer(processes):
    arguments = [f"a{n}" for n in range(50)]
    assert called(arguments, processes) == [argument.upper() for argument in arguments]
    assert called([], processes) == []


def test_what_goes_wrong_takes_nothing_with_it():
    arguments = ["a", "die", "b", "hang", "c", "die", "hang", "raise", "d"] * 2
    expected = ["A", "crashed", "B", "too_slow", "C", "crashed", "too_slow", "crashed", "D"] * 2
    assert called(arguments) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_has_an_end():
    assert called(["a", "swell", "b"], seconds=20) == ["A", "no memory", "B"]


def test_what_a_call_writes_goes_nowhere(capfd):
    assert called(["speak", "a"]) == ["SPEAK", "A"]
    assert "SECRET" not in "".join(capfd.readouterr())


def test_whoever_stops_listening_leaves_no_process():
    calls = map_supervised(misbehave, ["a"] * 100 + ["hang"] * 4, 2, 60, 256 * MB)
    next(calls)
    calls.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def worker():
    one = Worker(lambda _: misbehave, CallLimits(3.0, 256 * MB))
    yield one
    one.end()


def test_a_worker_is_replaced_only_after_a_loss(worker):
    assert [worker.call("a"), worker.call("b"), worker.starts] == ["A", "B", 1]
    assert [worker.call("raise"), worker.call("c"), worker.starts] == ["crashed", "C", 2]
    assert [worker.call("hang"), worker.call("d"), worker.starts] == ["too_slow", "D", 3]


def test_a_request_is_tried_once_more_where_its_process_was_killed_from_outside(worker, tmp_path):
    """By a machine that is out of memory, say; the second time the request is named."""
    assert [worker.call("die"), worker.call("a"), worker.starts] == ["crashed", "A", 3]

    def die_once(path):
        if not os.path.exists(path):
            open(path, "w", encoding="utf-8").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"

    other = Worker(lambda _: die_once, CallLimits(20.0, 256 * MB))
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    other.send(paths)
    answers = []
    while other.pending:
        answers += other.answers()
    other.end()
    assert answers == [(path, "alive") for path in paths]
    assert other.starts == 3


def test_a_process_killed_while_it_answers_is_one_that_died(tmp_path):
    """Half of an answer is none."""

    def half(path):
        if not os.path.exists(path):
            open(path, "w", encoding="utf-8").close()
            pid = os.getpid()
            Thread(target=lambda: (time.sleep(0.5), os.kill(pid, signal.SIGKILL))).start()
            return bytes(2**26)  # more than a pipe holds: the parent is not reading yet
        return b"whole"

    one = Worker(lambda _: half, CallLimits(20.0, 256 * MB))
    one.send([str(tmp_path / "a")])
    time.sleep(1)
    answers = []
    while one.pending:
        answers += one.answers()
    one.end()
    assert answers == [(str(tmp_path / "a"), b"whole")]


def test_no_request_is_blamed_for_a_worker_that_died_idle(worker):
    pid = worker.call("pid")
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert worker.call("a") == "A"
    assert worker.starts == 2


def test_requests_behind_a_lost_one_are_answered_by_the_next_process(worker):
    losses = {"die": "crashed", "raise": "crashed"}
    requests = ["a", "die", "b", "raise", "c"]
    worker.send(requests)
    answers = []
    while worker.pending:
        answers += worker.answers()
    assert answers == [(what, losses.get(what, what.upper())) for what in requests]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_that_a_call_does_not_catch():
    worker = Worker(lambda _: lambda size: len(bytearray(size)), CallLimits(20, 256 * MB))
    assert [worker.call(2**33), worker.call(1)] == ["out_of_memory", 1]
    worker.end()


def test_a_marker_that_moves_keeps_a_long_call_alive():
    def make(marker):
        def call(steps):
            for step in range(steps):
                marker[0] = step
                time.sleep(0.5)
            return steps

        return call

    worker = Worker(make, CallLimits(3.0, 256 * MB))
    assert worker.call(8) == 8  # longer than the limit
    worker.end()


def test_work_of_many_steps_says_that_it_gets_on():
    def steps(count):
        for _ in range(count):
            alive()
            time.sleep(0.5)
        return count

    worker = Worker(lambda _: steps, CallLimits(3.0, 256 * MB))
    assert worker.call(8) == 8  # longer than the limit
    worker.end()


STARVED = """
import resource
from tagsight.run.processes import CallLimits, Worker, granted
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
assert granted(2**31) is None
resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, now + 2**28))
assert granted(2**31) == now + 2**28
worker = Worker(lambda _: lambda size: len(bytearray(size)), CallLimits(20, 2**31))
print(worker.call(5), worker.call(2**30), worker.call(7))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_job_of_little_memory_has_processes_of_little_memory():
    """`ulimit -v` below what a call may take: what fits is done, the rest wants memory."""
    done = subprocess.run(
        [sys.executable, "-c", STARVED], capture_output=True, check=False, encoding="utf-8"
    )
    assert done.stdout.split() == ["5", "out_of_memory", "7"], done.stderr


ORPHANS = """
import os, signal
from tagsight.run.processes import CallLimits, Worker
workers = []
def work(busy):
    while busy:
        pass
    return os.getpid()
for _ in range(3):
    workers.append(Worker(lambda _: work, CallLimits(60, 2**28), workers))
print(*[worker.call(False) for worker in workers], flush=True)
if {busy}:
    for worker in workers:
        worker.send([True])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("busy", [False, True])
def test_no_worker_outlives_a_parent_that_is_killed(busy):
    """Neither one that waits, for the other end of its pipe, nor one that never looks there."""
    code = ORPHANS.replace("{busy}", str(busy))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    pids = done.stdout.split()
    assert len(pids) == 3
    end = time.monotonic() + 60
    while (
        running := [int(pid) for pid in pids if is_running(int(pid))]
    ) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    assert running == []


def test_a_worker_leaves_no_core_dump():
    worker = Worker(lambda _: resource.getrlimit, CallLimits(20, 256 * MB))
    assert worker.call(resource.RLIMIT_CORE) == (0, 0)
    worker.end()


def may_have_a_network_of_its_own():
    flags = 0x40000000 | (0x10000000 if os.geteuid() else 0)  # CLONE_NEWNET, CLONE_NEWUSER
    code = f"import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare({flags}) != 0)"
    return sys.platform == "linux" and not subprocess.call([sys.executable, "-c", code])


@pytest.mark.skipif(not may_have_a_network_of_its_own(), reason="the kernel lets us make none")
def test_a_worker_reaches_no_network():
    def reach(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return "nothing"
        return "us"

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reach(port) == "us"
        worker = Worker(lambda _: reach, CallLimits(20, 256 * MB))
        assert worker.call(port) == "nothing"
        worker.end()


def is_running(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False
