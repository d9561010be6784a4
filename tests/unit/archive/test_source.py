import os
import socket

import pytest

from tagsight.archive.source import open_regular
from tagsight.rejections import Rejection

DATA = bytes(range(256)) * 300


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return str(path)


def refused(path):
    with pytest.raises(Rejection) as caught:
        open_regular(path)
    return caught.value.reason, caught.value.detail


def test_any_stretch_is_read(path):
    with open_regular(path) as source:
        assert source.size == len(DATA)
        assert source.mtime_ns == os.stat(path).st_mtime_ns
        for size, place in [(10, 0), (100, 300), (2**40, 5), (7, len(DATA) - 3)]:
            assert source.pread(size, place) == DATA[place : place + size]
            buffer = memoryview(bytearray(min(size, 10**6)))
            count = source.readinto(buffer, place)
            assert bytes(buffer[:count]) == DATA[place : place + size]


@pytest.mark.parametrize(("size", "place"), [(1, len(DATA)), (1, 2**70), (0, 0), (-1, 0), (1, -1)])
def test_beyond_the_file_there_is_nothing(path, size, place):
    with open_regular(path) as source:
        assert source.pread(size, place) == b""
        assert source.readinto(memoryview(bytearray(max(size, 0))), place) == 0


def test_a_part_is_a_source_of_its_own(path):
    with open_regular(path) as source:
        part = source.part(50, 20, source).part(30, 10, source)
        assert part.pread(1000, 0) == DATA[30:60]
        assert part.pread(5, 28) == DATA[58:60]
        part.close()
        assert source.pread(3, 0) == DATA[:3]


def test_a_file_over_a_source(path):
    with open_regular(path) as source, open(path, "rb") as plain, source.file() as file:
        for step, whence in [(0, 0), (1000, 0), (-70_000, 2), (-12, 1), (3, 2)]:
            assert file.seek(step, whence) == plain.seek(step, whence)
            assert file.read(9000) == plain.read(9000)
            assert file.tell() == plain.tell()
        file.close()
        assert source.pread(3, 0) == DATA[:3]


def test_descriptors_are_given_back(path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        open_regular(path).close()
        refused(os.path.dirname(path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for name in ("pipe", "socket", "."):
        assert refused(str(tmp_path / name)) == ("not_a_regular_file", "")
    assert refused("/dev/null") == ("not_a_regular_file", "")
    assert refused(str(tmp_path / "empty")) == ("empty_file", "")
    assert refused(str(tmp_path / "no")) == ("vanished", "")
    assert refused("a\0b") == ("vanished", "impossible name")
    assert refused(str(tmp_path / "empty/x")) == ("unreadable", "Not a directory")
    assert refused(str(tmp_path / "loop")) == ("unreadable", "Too many levels of symbolic links")


def test_a_failing_disk_is_a_reason(path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    with open_regular(path) as source:
        monkeypatch.setattr(os, "pread", fail)
        monkeypatch.setattr(os, "preadv", fail)
        for read in (lambda: source.pread(1, 0), lambda: source.readinto(memoryview(b"1"), 0)):
            with pytest.raises(Rejection, match="Input/output error"):
                read()
