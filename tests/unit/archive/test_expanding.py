"""Containers that were made to do harm, or that hold what is no file: each costs little."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import polars as pl
import pytest

from tagsight.archive import decompression, expanding, tars
from tagsight.archive.expanding import expand
from tagsight.archive.opening import open_source
from tagsight.rejections import Rejection

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def expanded(path):
    """Members of a container, and what is rejected: name in it, reason, detail."""
    rows = pl.DataFrame({"path": [str(path)], "size": [5], "mtime_ns": [6]})
    files, rejected = expand(rows)
    short = [(name.removeprefix(f"{path}"), *why) for name, *why in rejected.rows()]
    return [name.removeprefix(f"{path}") for name in files["path"]], short


def header(name, size=0, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def member(name, content):
    return header(name, len(content)) + content + bytes(-len(content) % 512)


END = bytes(1024)


def test_names_as_long_as_books(tmp_path):
    """308 KB of names of 1 MB each took 2.4 GB in the job."""
    names = b"".join(member(f"{i}" + "n" * 100_000, b"x") for i in range(20))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(names + member("b", b"hello") + END))
    files, rejected = expanded(tmp_path / "a.tar.gz")
    assert files == ["!b"]
    assert [why for _, *why in rejected] == [["bad_container", "long name"]] * 20
    assert max(len(name) for name, *_ in rejected) < 200


def test_many_empty_members_are_told_together(tmp_path):
    empty = b"".join(header(f"{i:06d}") for i in range(3000))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(empty + member("b", b"hello") + END))
    files, rejected = expanded(tmp_path / "a.tar.gz")
    assert files == ["!b"]
    assert rejected[0] == ("!000000", "empty_file", "")
    assert rejected[-1] == ("", "empty_file", "2,000 more members")
    assert len(rejected) == expanding.LISTED + 1


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE])
def test_headers_without_end_are_left_at_some_point(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(tars, "_MOST_IDLE", 500)
    idle = b"".join(header(f"{i:06d}", kind=kind) for i in range(1000))
    (tmp_path / "a.tar").write_bytes(member("b", b"hello") + idle + END)
    files, rejected = expanded(tmp_path / "a.tar")
    assert files == ["!b"]
    assert rejected[-1] == ("", "too_large", "headers without data")


@pytest.mark.parametrize("packing", PACK)
def test_a_few_bytes_that_unpack_to_gigabytes(tmp_path, monkeypatch, packing):
    monkeypatch.setattr(decompression, "_LIMIT", 2**22)
    bomb = header("a", 2**32) + bytes(2**25)
    (tmp_path / f"a.tar.{packing}").write_bytes(PACK[packing](bomb))
    monkeypatch.setattr(decompression, "_RATIO", 10)
    assert expanded(tmp_path / f"a.tar.{packing}") == ([], [("", "too_large", "unpacked")])


def test_what_a_file_of_a_reasonable_ratio_unpacks_to(tmp_path):
    """Black pictures come to a hundred to one."""
    (tmp_path / "a.tar.xz").write_bytes(lzma.compress(member("a", bytes(2**24)) + END))
    assert expanded(tmp_path / "a.tar.xz") == (["!a"], [])


def test_links_devices_and_names_that_lead_out_are_only_labels(tmp_path):
    outside = tmp_path / "secret"
    outside.write_text("outside", encoding="utf-8")
    content = member("../secret", b"inside") + member(f"{outside}", b"within")
    content += header("link", kind=tarfile.SYMTYPE, link=f"{outside}")
    content += header("hard", kind=tarfile.LNKTYPE, link="../secret")
    content += header("device", kind=tarfile.CHRTYPE)
    (tmp_path / "a.tar").write_bytes(content + END)
    files, rejected = expanded(tmp_path / "a.tar")
    assert (files, rejected) == (["!../secret", f"!{outside}"], [])
    contents = [open_source(f"{tmp_path}/a.tar{name}").pread(9, 0) for name in files]
    assert contents == [b"inside", b"within"]


def zipped(**members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return made.getvalue()


def test_containers_in_containers_have_an_end(tmp_path):
    inner = member("x", b"hello") + END
    for _ in range(6):
        inner = zipped(a_zip=inner) if inner[:2] != b"PK" else zipped(a_zip=inner, b=b"beside")
    (tmp_path / "a.zip").write_bytes(inner)
    files, rejected = expanded(tmp_path / "a.zip")
    assert sorted(files) == ["!a.zip!a.zip!b", "!a.zip!b", "!b"]
    assert rejected == [("!a.zip!a.zip!a.zip", "too_deep", "containers")]


def test_compressed_again_and_again(tmp_path):
    data = b"hello"
    for _ in range(9):
        data = gzip.compress(data)
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(Rejection, match="compressed again and again"):
        open_source(f"{tmp_path}/a")


def test_what_ends_its_process_is_a_reason(tmp_path, monkeypatch):
    """And the containers behind it are read."""
    real = expanding.open_container

    def wicked(path):
        if path.endswith("b.tar"):
            raise MemoryError
        return real(path)

    monkeypatch.setattr(expanding, "open_container", wicked)
    paths = [str(tmp_path / name) for name in ("a.tar", "b.tar", "c.tar")]
    for path in paths:
        with open(path, "wb") as file:
            file.write(member("x", b"hello") + END)
    rows = pl.DataFrame({"path": paths, "size": 5, "mtime_ns": 6})
    files, rejected = expand(rows)
    assert files["path"].to_list() == [f"{paths[0]}!x", f"{paths[2]}!x"]
    assert rejected.rows() == [(paths[1], "too_large", "container")]


def test_zstandard(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    plain = member("x", b"hello" * 99) + member("y", bytes(2**20)) + END
    packer = zstandard.ZstdCompressor()
    (tmp_path / "a.tar.zst").write_bytes(packer.compress(plain))
    assert expanded(tmp_path / "a.tar.zst") == (["!x", "!y"], [])
    with open_source(f"{tmp_path}/a.tar.zst!y") as source:
        assert source.pread(2**21, 0) == bytes(2**20)
    skippable = b"\x5a\x2a\x4d\x18\3\0\0\0abc"  # RFC 8878 3.1.2, as pzstd writes it
    (tmp_path / "s").write_bytes(skippable + packer.compress(b"behind"))
    assert open_source(f"{tmp_path}/s").pread(99, 0) == b"behind"
    two = packer.compress(b"one") + packer.compress(b"two" * 10**6)
    (tmp_path / "b").write_bytes(two)
    assert open_source(f"{tmp_path}/b").pread(10**7, 0) == b"one" + b"two" * 10**6
    for broken, detail in ((two[:-9], "cut off"), (two[:20] + b"\xff" * 9 + two[29:], "damaged")):
        (tmp_path / "c").write_bytes(broken)
        with pytest.raises(Rejection, match=detail):
            open_source(f"{tmp_path}/c").pread(10**7, 0)
