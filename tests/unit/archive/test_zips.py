import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tagsight.archive.paths import to_text
from tagsight.archive.source import open_file
from tagsight.archive.zips import data_place, inflated, zip_members
from tagsight.rejections import Rejection

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
NAME = st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs"]), min_size=1)
CONTENT = st.binary(max_size=400) | st.integers(0, 10**6).map(bytes)
COMMENT = st.binary(max_size=30).filter(lambda comment: b"PK" not in comment)
FILES = st.lists(
    st.tuples(NAME, CONTENT, st.sampled_from([STORED, DEFLATED])),
    max_size=6,
    unique_by=lambda file: file[0],
)


def zipped(files, mode="w", before=b"", **how):
    """The bytes of a zip; `before` are put in front of it."""
    made = io.BytesIO()
    made.write(before)
    with zipfile.ZipFile(made, "a" if before else mode, **how) as archive:
        for name, content, method in files:
            archive.writestr(name, content, method)
    return made.getvalue()


def read(source, member):
    if member.defect:
        return member.defect
    try:
        if member.packed_size is None:
            return source.pread(member.size, data_place(source, member))
        return b"".join(inflated(source, member))
    except Rejection as rejection:
        return rejection.detail


def walked(path, data=None):
    if data is not None:
        path.write_bytes(data)
    with open_file(str(path)) as source:
        return {member.name: read(source, member) for member in zip_members(source)}


def by_zipfile(path):
    with zipfile.ZipFile(path) as archive:
        files = (info for info in archive.infolist() if not info.is_dir())
        return {to_text(info.filename): archive.read(info) for info in files}


@settings(max_examples=150)
@given(FILES, st.sampled_from([b"", b"#!/bin/sh\n"]), st.booleans(), COMMENT)
def test_zipfile_agrees(tmp_path_factory, files, before, long, comment):
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    with mock.patch("zipfile.ZIP64_LIMIT", 40 if long else 2**31 - 1):
        try:
            path.write_bytes(zipped(files, before=before))
        except RuntimeError:  # deflated it is longer than zipfile had foreseen
            assume(False)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    assert walked(path) == by_zipfile(path)


def test_sizes_that_follow_the_data(tmp_path):
    """What is written into a pipe has them there (APPNOTE 4.3.9)."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

        tell = seek

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a", b"1" * 900, DEFLATED)
        archive.writestr("b", b"2" * 900)
    assert walked(tmp_path / "a.zip", pipe.getvalue()) == {"a": b"1" * 900, "b": b"2" * 900}


@pytest.mark.skipif(not shutil.which("zip"), reason="no zip here")
@pytest.mark.parametrize("options", ["-q", "-q0", "-qfd", "-qfz", "-qy", "-qX"])
def test_what_the_program_wrote(tmp_path, options):
    (tmp_path / "in/f").mkdir(parents=True)
    for number, name in enumerate(["a", "f/b c", "f/e!"]):
        (tmp_path / "in" / name).write_bytes(bytes([number]) * 70_000 * number)
    (tmp_path / "in/link").symlink_to("f/b c")
    command = ["zip", "-r", options, "../a.zip", "."]
    subprocess.run(command, cwd=tmp_path / "in", check=True)
    found = walked(tmp_path / "a.zip")
    expected = by_zipfile(tmp_path / "a.zip")
    if options == "-qy":
        del expected["link"]  # kept as a link
    assert found == expected
    assert found["f/e\\x21"] == b"\2" * 140_000


def test_names(tmp_path):
    data = zipped([("aaa", b"1", STORED), ("bbb", b"2", STORED)])
    data = data.replace(b"aaa", b"\x81\x99!").replace(b"bbb", b"b\0b")
    assert walked(tmp_path / "a.zip", data) == {"üÖ\\x21": b"1", "b": b"2"}
    data = zipped([("ü", b"1", STORED)]).replace("ü".encode(), b"\xfc!")
    assert walked(tmp_path / "a.zip", data) == {"\\xfc\\x21": b"1"}


def patched(data, mark, place, form, *values):
    """The zip with numbers at `place` after the last `mark` changed."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.rindex(mark) + place, *values)
    return bytes(changed)


ONE = zipped([("a", b"1" * 100, STORED)])
PACKED = zipped([("a", b"1" * 100, DEFLATED)])
LOCAL, ENTRY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (patched(ONE, ENTRY, 8, "<H", 1), "encrypted"),
        (patched(ONE, LOCAL, 6, "<H", 1), "local header differs"),
        (patched(ONE, ENTRY, 10, "<H", 14), "method 14"),
        (patched(ONE, ENTRY, 10, "<H", 8), "local header differs"),
        (patched(ONE, LOCAL, 8, "<H", 8), "local header differs"),
        (patched(ONE, LOCAL, 30, "<B", 98), "local header differs"),
        (patched(ONE, LOCAL, 14, "<I", 98), "local header differs"),
        (patched(ONE, LOCAL, 18, "<I", 98), "local header differs"),
        (patched(ONE, LOCAL, 22, "<I", 98), "local header differs"),
        (patched(ONE, LOCAL, 0, "<I", 98), "no local header"),
        (patched(ONE, LOCAL, 28, "<H", 999), "cut off"),
        (patched(ONE, ENTRY, 34, "<H", 1), "multi-disk"),
        (patched(ONE, ENTRY, 20, "<I", 99), "damaged"),
        (patched(ONE, ENTRY, 20, "<II", 101, 101), "overlapping"),
        (patched(ONE, ENTRY, 20, "<II", *2 * [2**32 - 1]), "overlapping"),
        (patched(PACKED, LOCAL, 31, "<B", 7), "damaged"),
        (patched(patched(PACKED, ENTRY, 16, "<I", 9), LOCAL, 14, "<I", 9), "checksum"),
        (patched(patched(PACKED, ENTRY, 24, "<I", 101), LOCAL, 22, "<I", 101), "cut off"),
    ],
)
def test_a_damaged_member_is_rejected(tmp_path, data, detail):
    assert walked(tmp_path / "a.zip", data) == {"a": detail}


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"PK", "no zip, or cut off"),
        (ONE[:-1], "no zip, or cut off"),
        (patched(ONE, ENTRY, 0, "<I", 0), "damaged"),
        (patched(ONE, ENTRY, 28, "<H", 20), "damaged"),
        (patched(ONE, END, 4, "<HH", 1, 1), "multi-disk"),
        (patched(ONE, END, 8, "<H", 2), "multi-disk"),
        (patched(ONE, END, 12, "<I", 2**31), "damaged"),
        (patched(ONE, END, 16, "<I", 2**31), "damaged"),
        (patched(ONE, END, 8, "<HH", 9, 9), "damaged"),
        (ONE.replace(END, b"PK\6\7" + bytes(16) + END), "damaged"),
        (ONE.replace(END, b"PK\6\7" + bytes(12) + b"\2\0\0\0" + END), "multi-disk"),
    ],
)
def test_a_damaged_directory_is_a_reason(tmp_path, data, detail):
    with pytest.raises(Rejection) as rejection:
        walked(tmp_path / "a.zip", data)
    assert (rejection.value.reason, rejection.value.detail) == ("bad_container", detail)


def test_a_bomb_of_overlapping_members_is_rejected(tmp_path):
    """Many entries of one kernel, or each of all that follow (David Fifield, 2019)."""
    files = [(name, b"1" * 50, STORED) for name in "abcd"]
    data = zipped(files)
    same = bytearray(data)
    nested = bytearray(data)
    for number in range(4):
        at = data.index(ENTRY, data.index(ENTRY) + number * 47)
        struct.pack_into("<I", same, at + 42, 0)
        struct.pack_into("<II", nested, at + 20, *2 * [50 + (3 - number) * 81])
    for bomb in (same, nested):
        assert set(walked(tmp_path / "a.zip", bytes(bomb)).values()) == {"overlapping"}


def test_a_directory_that_is_absurdly_long(tmp_path):
    (tmp_path / "a.zip").touch()
    end = struct.pack("<4s4xHHIIH", END, 0, 0, 2**28 + 1, 0, 0)
    with (tmp_path / "a.zip").open("r+b") as file:
        file.seek(2**28 + 1)
        file.write(end)
    with pytest.raises(Rejection) as rejection:
        walked(tmp_path / "a.zip")
    assert (rejection.value.reason, rejection.value.detail) == ("too_large", "members")


def test_a_bomb_is_unpacked_no_further_than_asked(tmp_path):
    """64 MiB of zeros in 64 KiB, which claim to be 100 bytes."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    data = zipped([("a", packed, STORED)])
    at, entry = data.index(LOCAL), data.rindex(ENTRY)
    changed = bytearray(data)
    for place in (at + 8, entry + 10):
        struct.pack_into("<H", changed, place, 8)
    for place in (at + 22, entry + 24):
        struct.pack_into("<I", changed, place, 100)
    (tmp_path / "a.zip").write_bytes(changed)
    with open_file(str(tmp_path / "a.zip")) as source:
        (member,) = zip_members(source)
        with pytest.raises(Rejection, match="checksum"):
            next(inflated(source, member))
