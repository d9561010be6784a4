import io
import tarfile
import zipfile

import pytest

from tagsight.archive import opening
from tagsight.archive.listing import find
from tagsight.archive.opening import open_source
from tagsight.archive.source import BytesSource
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


def rejected(path):
    with pytest.raises(Rejection) as caught, open_source(path) as source:
        source.pread(source.size, 0)
    return caught.value.reason, caught.value.detail


def test_what_is_not_there(paths):
    tar = paths[1].partition("!")[0]
    assert rejected(f"{tar}!other") == ("vanished", "")
    assert rejected(f"{tar}!empty") == ("empty_file", "")
    assert rejected(f"{tar}x!member") == ("vanished", "")
    assert rejected("a\0b.tar!member") == ("vanished", "impossible name")
    assert rejected(f"{paths[0]}!member") == ("bad_container", "no container")


def test_a_packed_member_is_held_within_bounds(paths, monkeypatch):
    monkeypatch.setattr(opening, "MAX_UNPACKED", 100_000)
    for path in (paths[2], paths[6]):
        with open_source(path) as source:
            assert source.pread(100, 99_900) == DATA[99_900:100_000]
        assert rejected(path) == ("too_large", "packed member")


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


@pytest.mark.parametrize(
    ("mark", "name"),
    [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\1", "rar"), (b"\x1f\x9d", "compress")],
)
def test_a_container_that_cannot_be_read_is_said_to_be_one(tmp_path, mark, name):
    """And not that it is no DICOM; an image with such a preamble is an image (PS3.10 7.1)."""
    (tmp_path / "a.dcm").write_bytes(mark + bytes(600))
    assert rejected(f"{tmp_path}/a.dcm") == ("bad_container", f"{name}, which is not read")
    for preamble in (mark, b"PK\3\4", b"\x1f\x8b\x08", b"BZh9"):
        content = preamble + bytes(128 - len(preamble)) + b"DICM and more"
        (tmp_path / "b.dcm").write_bytes(content)
        assert open_source(f"{tmp_path}/b.dcm").pread(200, 0) == content


def test_another_kind_of_input_is_one_entry(tmp_path, monkeypatch):
    """A path with `://` stays as a list has it, and reaches the opener of its mark."""
    entry = ("memory://", lambda path: BytesSource(path.encode(), mtime_ns=7))
    monkeypatch.setattr(opening, "OPENERS", [entry, *opening.OPENERS])
    (tmp_path / "list.csv").write_text(
        "path,size,mtime_ns\nmemory://a,10,7\nplain,,\n", encoding="utf-8"
    )
    (tmp_path / "plain").write_bytes(b"bytes")
    files = list(find([tmp_path / "list.csv"]))
    assert [file.path for file in files] == ["memory://a", f"{tmp_path}/plain"]
    contents = [open_source(file.path).pread(100, 0) for file in files]
    assert contents == [b"memory://a", b"bytes"]
