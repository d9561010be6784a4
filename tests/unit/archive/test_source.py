import os
import socket

import pytest

from tagsight.archive.source import open_file
from tagsight.rejections import Rejection

DATA = bytes(range(256)) * 300


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return str(path)


def rejected(path):
    with pytest.raises(Rejection) as caught:
        open_file(path)
    return caught.value.reason, caught.value.detail


def test_size_and_time_are_the_files(path):
    with open_file(path) as source:
        assert (source.size, source.mtime_ns) == (len(DATA), os.stat(path).st_mtime_ns)


def test_a_part_is_a_source_of_its_own(path):
    with open_file(path) as source:
        part = source.part(50, 20, source).part(30, 10, source)
        assert part.pread(1000, 0) == DATA[30:60]
        assert part.pread(5, 28) == DATA[58:60]
        part.close()
        assert source.pread(3, 0) == DATA[:3]


def test_descriptors_are_given_back(path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        open_file(path).close()
        rejected(os.path.dirname(path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_regular_file_is_rejected_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for name in ("pipe", "socket", "."):
        assert rejected(str(tmp_path / name)) == ("not_a_regular_file", "")
    assert rejected("/dev/null") == ("not_a_regular_file", "")
    assert rejected(str(tmp_path / "empty")) == ("empty_file", "")
    assert rejected(str(tmp_path / "no")) == ("vanished", "")
    assert rejected("a\0b") == ("vanished", "impossible name")
    assert rejected(str(tmp_path / "empty/x")) == ("unreadable", "Not a directory")
    assert rejected(str(tmp_path / "loop")) == ("unreadable", "Too many levels of symbolic links")


def test_a_failing_disk_is_a_reason(path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    with open_file(path) as source:
        monkeypatch.setattr(os, "pread", fail)
        monkeypatch.setattr(os, "preadv", fail)
        for read in (lambda: source.pread(1, 0), lambda: source.readinto(memoryview(b"1"), 0)):
            with pytest.raises(Rejection, match="Input/output error"):
                read()


def test_calls_that_give_less_than_there_is_are_repeated(path, monkeypatch):
    """A network's file system may answer with some bytes of those asked for (read(2))."""
    pread, preadv = os.pread, os.preadv
    monkeypatch.setattr(os, "pread", lambda file, size, place: pread(file, min(size, 3), place))
    monkeypatch.setattr(os, "preadv", lambda file, to, place: preadv(file, [to[0][:3]], place))
    with open_file(path) as source:
        assert source.pread(10**6, 1) == DATA[1:]
        buffer = bytearray(len(DATA))
        assert source.readinto(memoryview(buffer), 0) == len(DATA)
        assert buffer == DATA
