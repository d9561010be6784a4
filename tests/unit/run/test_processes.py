import os
import signal
import sys
import time

import pytest

from tagsight.run.processes import each

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
    return what.upper()


def called(arguments, processes=2, seconds=0.5):
    found = list(each(misbehave, arguments, processes, seconds, 256 * MB))
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
    started = time.monotonic()
    assert called(arguments) == expected
    assert time.monotonic() - started < 10


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_has_an_end():
    assert called(["a", "swell", "b"], seconds=20) == ["A", "no memory", "B"]


def test_what_a_call_writes_goes_nowhere(capfd):
    assert called(["speak", "a"]) == ["SPEAK", "A"]
    assert "SECRET" not in "".join(capfd.readouterr())


def test_whoever_stops_listening_leaves_no_process():
    calls = each(misbehave, ["a"] * 100 + ["hang"] * 4, 2, 60, 256 * MB)
    next(calls)
    before = time.monotonic()
    calls.close()
    assert time.monotonic() - before < 5
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
