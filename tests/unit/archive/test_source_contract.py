"""What every kind of source keeps to: bytes in memory are the reference."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.archive.decompression import Decompressed
from tagsight.archive.opening import open_source
from tagsight.archive.source import BytesSource, open_file

DATA = b"".join(i.to_bytes(4, "big") for i in range(60_000))
PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def file_source(folder):
    (folder / "plain").write_bytes(DATA)
    return open_source(f"{folder}/plain")


def part(folder):
    (folder / "plain").write_bytes(b"before" + DATA + b"after")
    whole = open_file(str(folder / "plain"))
    return whole.part(len(DATA), 6, whole)


def decompressed(suffix):
    def open_it(folder):
        (folder / "packed").write_bytes(PACK[suffix](DATA))
        return Decompressed(open_file(str(folder / "packed")), suffix)

    return open_it


def tar_member(suffix):
    def open_it(folder):
        with tarfile.open(folder / f"a.tar{suffix and '.'}{suffix}", f"w:{suffix}") as archive:
            for name, content in [("before", b"12345"), ("member", DATA), ("after", b"12345")]:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return open_source(f"{archive.name}!member")

    return open_it


def zip_member(method):
    def open_it(folder):
        with zipfile.ZipFile(folder / "a.zip", "w", method) as archive:
            archive.writestr("before", b"12345")
            archive.writestr("member", DATA)
        return open_source(f"{folder}/a.zip!member")

    return open_it


def compressed_file(suffix):
    def open_it(folder):
        (folder / "packed.dcm").write_bytes(PACK[suffix](DATA))
        return open_source(f"{folder}/packed.dcm")

    return open_it


def nested(folder):
    """A compressed file in a tar in a zip."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        content = gzip.compress(DATA)
        info = tarfile.TarInfo("member")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    with zipfile.ZipFile(folder / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", held.getvalue())
    return open_source(f"{folder}/a!inner!member")


KINDS = {
    "nested": nested,
    **{f"file compressed by {suffix}": compressed_file(suffix) for suffix in PACK},
    "file": file_source,
    "part of a file": part,
    "bytes": lambda _: BytesSource(DATA),
    "member of a tar": tar_member(""),
    **{f"member of a tar.{suffix}": tar_member(suffix) for suffix in PACK},
    "stored member of a zip": zip_member(zipfile.ZIP_STORED),
    "deflated member of a zip": zip_member(zipfile.ZIP_DEFLATED),
    **{f"decompressed {suffix}": decompressed(suffix) for suffix in PACK},
}


@pytest.fixture(scope="module", params=KINDS)
def source(request, tmp_path_factory):
    with KINDS[request.param](tmp_path_factory.mktemp("source")) as source:
        yield source


@settings(max_examples=30)
@given(st.integers(0, len(DATA) + 9), st.integers(0, 90_000))
def test_bytes_are_read_from_any_place(source, place, size):
    expected = DATA[place : place + size]
    buffer = bytearray(b"?" * size)
    assert source.pread(size, place) == expected
    assert source.readinto(memoryview(buffer), place) == len(expected)
    assert buffer == expected + b"?" * (size - len(expected))


@pytest.mark.parametrize(
    ("size", "place"),
    [(1, len(DATA)), (1, len(DATA) + 1), (1, 2**70), (9, -1), (9, -9), (9, -(2**70))],
)
def test_there_is_nothing_outside(source, size, place):
    assert source.pread(size, place) == b""
    assert source.readinto(memoryview(bytearray(size)), place) == 0


@pytest.mark.parametrize("size", [0, -1, -(2**70)])
def test_nothing_is_read_where_nothing_is_asked(source, size):
    assert source.pread(size, 0) == source.pread(size, 5) == b""
    assert source.readinto(memoryview(bytearray()), 0) == 0


def test_a_size_that_is_too_large_costs_nothing(source):
    assert source.pread(2**62, len(DATA) - 3) == DATA[-3:]


def test_its_size_is_known_and_how_far_it_reaches(source):
    assert source.size == len(DATA)
    assert all(source.reaches(place) for place in (-1, 0, 1, len(DATA)))
    assert not source.reaches(len(DATA) + 1)
    assert not source.reaches(2**40)


def test_its_time_is_a_number(source):
    assert isinstance(source.mtime_ns, int)


STEP = st.tuples(
    st.one_of(
        st.tuples(st.integers(0, len(DATA) + 9), st.just(io.SEEK_SET)),
        st.tuples(st.integers(-len(DATA), 9), st.just(io.SEEK_END)),
        st.tuples(st.integers(-9000, 9000), st.just(io.SEEK_CUR)),
    ),
    st.integers(-1, 20_000),
)


@settings(max_examples=30)
@given(st.lists(STEP, min_size=1, max_size=5))
def test_its_file_moves_as_any_file(source, steps):
    reference = io.BytesIO(DATA)
    with source.file() as file:
        for (offset, whence), size in steps:
            if whence != io.SEEK_CUR or file.tell() + offset >= 0:
                assert file.seek(offset, whence) == reference.seek(offset, whence)
            assert file.read(size) == reference.read(size)
            assert file.tell() == reference.tell()
    assert source.pread(3, 0) == DATA[:3]  # closing the file left the source open
