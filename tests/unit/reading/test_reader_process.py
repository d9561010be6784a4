import faulthandler
import os
import shutil
import signal
import time

import pytest
from pydicom.data import get_testdata_file

from tagsight.dicom import headers
from tagsight.dicom.headers import ReaderOptions, RejectedFile
from tagsight.reading import batch_reader
from tagsight.reading.reader_process import ReaderProcess

KEY = bytes(range(32))


@pytest.fixture
def paths(tmp_path):
    for i in range(5):
        shutil.copy(get_testdata_file("CT_small.dcm", download=False), tmp_path / f"{i}.dcm")
    return [str(tmp_path / f"{i}.dcm") for i in range(5)]


def told(reader, paths):
    """Place → what became of each file."""
    found = {}
    for some, batch in reader.read(paths):
        found |= {some[place]: "image" for place, _ in batch.rows}
        for place, other in batch.others:
            found[some[place]] = other.reason if isinstance(other, RejectedFile) else "image"
    return [found[path] for path in paths]


def wicked(monkeypatch, deed):
    """A reader to which `deed` happens at file 2."""
    real = batch_reader.open_source

    def opening(path):
        if path.endswith("2.dcm"):
            deed()
        return real(path)

    monkeypatch.setattr(batch_reader, "open_source", opening)


def crash():
    faulthandler.disable()  # pytest's, which would print a traceback of it
    os.kill(os.getpid(), signal.SIGSEGV)


def allocate():
    return bytearray(8 * 2**30)


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (lambda: time.sleep(60), "too_slow"),
        (crash, "reader_crashed"),
        (lambda: 1 // 0, "reader_crashed"),
        (allocate, "too_large"),
    ],
    ids=["hangs", "segfault", "exception", "memory"],
)
def test_a_file_that_ends_its_reader_costs_itself_alone(paths, monkeypatch, deed, reason):
    wicked(monkeypatch, deed)
    with ReaderProcess(KEY, ReaderOptions(), seconds=3.0) as reader:
        assert told(reader, paths) == ["image", "image", reason, "image", "image"]
        assert told(reader, paths[3:]) == ["image", "image"]


def test_no_word_of_it_reaches_the_terminal(paths, monkeypatch, capfd):
    wicked(monkeypatch, lambda: int("Muster^Erika"))
    with ReaderProcess(KEY, ReaderOptions()) as reader:
        told(reader, paths)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_a_reader_that_is_killed_from_outside_loses_nothing(paths, monkeypatch, tmp_path, plain):
    """Idle, and with a file in hand: by a machine that is out of memory, say."""
    once = tmp_path / "once"

    def killed_once():
        if not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    wicked(monkeypatch, killed_once)
    real = headers.open_header
    monkeypatch.setattr(
        headers,
        "open_header",
        lambda path: (path.endswith("2.dcm") and killed_once(), real(path))[1],
    )
    with ReaderProcess(KEY, ReaderOptions(), plain=plain) as reader:
        assert told(reader, paths) == ["image"] * 5
        os.kill(reader._worker._process.pid, signal.SIGKILL)
        assert told(reader, paths) == ["image"] * 5
        assert reader._worker.starts == 3
