import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tagsight.run.processes import CallLimits, Worker, map_supervised

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
    assert [worker.call("die"), worker.call("c"), worker.starts] == ["crashed", "C", 2]
    assert [worker.call("hang"), worker.call("d"), worker.starts] == ["too_slow", "D", 3]


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
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
