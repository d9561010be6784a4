import io
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.archive import opening
from tagsight.archive.opening import open_source
from tagsight.rejections import Rejection

DATA = b"".join(i.to_bytes(4, "big") for i in range(60_000))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """The same bytes as a file, and as a member of each kind of container."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "plain").write_bytes(DATA)
    for kind in ("", "gz", "bz2", "xz"):
        with tarfile.open(folder / f"a.tar{kind and '.'}{kind}", f"w:{kind}") as archive:
            for name in ("before", "member", "after"):
                info = tarfile.TarInfo(name)
                info.size = len(DATA) if name == "member" else 5
                archive.addfile(info, io.BytesIO(DATA))
            archive.addfile(tarfile.TarInfo("empty"))
    for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", method) as archive:
            archive.writestr("before", b"12345")
            archive.writestr("member", DATA)
    names = ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "stored.zip", "deflated.zip"]
    return [f"{folder}/plain", *(f"{folder}/{name}!member" for name in names)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(DATA) + 9), st.integers(0, 90_000)), min_size=1, max_size=4
    )
)
def test_all_sources_are_read_alike(paths, asked):
    for path in paths:
        with open_source(path) as source:
            assert source.size == len(DATA)
            for place, size in asked:
                expected = DATA[place : place + size]
                assert source.pread(size, place) == expected
                buffer = memoryview(bytearray(size))
                assert source.readinto(buffer, place) == len(expected)
                assert buffer[: len(expected)] == expected


def test_all_files_over_them_are_alike(paths):
    for path in paths:
        with open_source(path) as source, source.file() as file:
            assert file.seek(-8, io.SEEK_END) == len(DATA) - 8
            assert file.read() == DATA[-8:]
            assert file.seek(4000) == 4000
            assert file.read(8000) == DATA[4000:12000]


def refused(path):
    with pytest.raises(Rejection) as caught, open_source(path) as source:
        source.pread(source.size, 0)
    return caught.value.reason, caught.value.detail


def test_what_is_not_there(paths):
    tar = paths[1].partition("!")[0]
    assert refused(f"{tar}!other") == ("vanished", "")
    assert refused(f"{tar}!empty") == ("empty_file", "")
    assert refused(f"{tar}x!member") == ("vanished", "")
    assert refused("a\0b.tar!member") == ("vanished", "impossible name")
    assert refused(f"{paths[0]}!member") == ("bad_container", "damaged")


def test_a_packed_member_is_held_within_bounds(paths, monkeypatch):
    monkeypatch.setattr(opening, "MAX_HELD", 100_000)
    for path in (paths[2], paths[6]):
        with open_source(path) as source:
            assert source.pread(100, 99_900) == DATA[99_900:100_000]
        assert refused(path) == ("too_large", "packed member")


def test_a_member_that_fails_fails_again(paths):
    path = paths[6].partition("!")[0]
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 255
    with open(f"{path}.broken.zip", "wb") as file:
        file.write(data)
    with open_source(f"{path}.broken.zip!member") as source:
        assert source.pread(100, 0) == DATA[:100]
        for _ in range(2):
            with pytest.raises(Rejection):
                source.pread(1, len(DATA) - 1)
