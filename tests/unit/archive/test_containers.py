import io
import os
import random
import tarfile
import tracemalloc
import warnings
import zipfile
from collections import Counter

import polars as pl
import pytest

from tagsight.archive import containers
from tagsight.archive.decompression import Decompressed
from tagsight.archive.expanding import _walk, expand
from tagsight.archive.opening import open_container, open_source
from tagsight.archive.source import FileSource
from tagsight.rejections import Rejection

COUNT = int(os.environ.get("TAGSIGHT_FUZZ", "1600"))
KINDS = ["tar", "tar.gz", "tgz", "tar.bz2", "TAR.XZ", "txz", "zip", "ZIP"]
FILES = {f"s{i % 3}/b!{i}.dcm": bytes([i]) * (700 * i) for i in range(1, 9)}


def packed(path, files=FILES, method=zipfile.ZIP_DEFLATED):
    if str(path).lower().endswith("zip"):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    suffix = path.suffix.lower().removeprefix(".")
    packing = {"tgz": "gz", "txz": "xz", "tar": "", "dcm": ""}.get(suffix, suffix)
    with tarfile.open(path, f"w:{packing}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def listed(*paths):
    rows = [(str(path), 5, 6) for path in paths]
    schema = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize("kind", KINDS)
def test_a_container_goes_by_its_name(kind):
    files, rejected = expand(listed(f"/a.{kind}/c.dcm", f"/{kind}", f"/a.b/c.{kind}"))
    assert files["path"].to_list() == [f"/a.{kind}/c.dcm", f"/{kind}"]
    assert rejected.rows() == [(f"/a.b/c.{kind}", "vanished", "")]


@pytest.mark.parametrize("kind", KINDS)
def test_members_take_the_place_of_their_container(tmp_path, kind):
    path = packed(tmp_path / f"a.{kind}")
    files, rejected = expand(listed(tmp_path / "plain.dcm", path, tmp_path / "z.dcm"))
    names = [f"{path}!{name}".replace("b!", "b\\x21") for name in FILES]
    assert files["path"].to_list() == [f"{tmp_path}/plain.dcm", f"{tmp_path}/z.dcm", *names]
    assert set(files["size"]) == {5}
    assert set(files["mtime_ns"]) == {6}
    assert rejected.is_empty()
    for name, content in zip(names, FILES.values(), strict=True):
        with open_source(name) as source:
            assert source.pread(10**6, 0) == content


def test_what_the_list_did_not_say_is_looked_up(tmp_path):
    path = packed(tmp_path / "a.tar")
    unknown = listed(path).with_columns(size=pl.lit(None, pl.Int64), mtime_ns=None)
    files, _ = expand(unknown)
    assert set(files["size"]) == {path.stat().st_size}
    assert set(files["mtime_ns"]) == {path.stat().st_mtime_ns}


def test_every_container_and_member_is_accounted_for(tmp_path):
    cut = packed(tmp_path / "cut.tar")
    cut.write_bytes(cut.read_bytes()[:3000])
    packed(tmp_path / "none.zip", {})
    (tmp_path / "no.zip").write_text("no zip at all", encoding="utf-8")
    (tmp_path / "empty.tgz").touch()
    locked = packed(tmp_path / "locked.zip", {"a": b"1", "b": b"2"})
    data = bytearray(locked.read_bytes())
    data[data.rindex(b"PK\1\2") + 8] = 1
    locked.write_bytes(data)
    names = ["cut.tar", "none.zip", "no.zip", "empty.tgz", "gone.tar", "locked.zip"]
    files, rejected = expand(listed(*(tmp_path / name for name in names)))
    assert files["path"].to_list() == [f"{tmp_path}/cut.tar!s1/b\\x211.dcm", f"{locked}!a"]
    told = {os.path.basename(path): (reason, detail) for path, reason, detail in rejected.rows()}
    assert told == {
        "cut.tar": ("bad_container", "cut off"),
        "none.zip": ("empty_file", "no members"),
        "no.zip": ("bad_container", "no zip, or cut off"),
        "empty.tgz": ("empty_file", ""),
        "gone.tar": ("vanished", ""),
        "locked.zip!b": ("bad_container", "encrypted"),
    }


def test_what_is_whole_comes_before_what_is_wrong(tmp_path):
    cut = packed(tmp_path / "a.tar")
    cut.write_bytes(cut.read_bytes()[:3000])
    container = open_container(str(cut))
    assert [member.size for member in container.members.values()] == [700]
    assert str(container.failure) == str(Rejection("bad_container", "cut off"))


def test_a_container_is_walked_once_until_it_changes(tmp_path, monkeypatch):
    walks = []
    monkeypatch.setattr(
        containers,
        "tar_members",
        lambda data, walk=containers.tar_members: walks.append(1) or walk(data),
    )
    path = packed(tmp_path / "a.tar")
    names = list(open_container(str(path)).members)
    for name in random.Random(1).sample(names, len(names)):
        open_source(f"{path}!{name}").close()
    assert len(walks) == 1
    packed(path, {"other": b"1"})
    with open_source(f"{path}!other") as source:
        assert source.pread(5, 0) == b"1"
    assert len(walks) == 2


def test_an_open_member_outlives_what_is_remembered(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    sources = []
    for number in range(12):
        path = packed(tmp_path / f"{number}.tar", {"a": bytes([number])})
        sources.append(open_source(f"{path}!a"))
    assert [source.pread(1, 0) for source in sources] == [bytes([n]) for n in range(12)]
    del sources
    assert len(os.listdir("/proc/self/fd")) <= before + 4


def test_members_without_end_are_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_MEMBERS", 5)
    _, rejected = expand(listed(packed(tmp_path / "a.tar")))
    assert rejected.rows() == [(f"{tmp_path}/a.tar", "too_large", "members")]


def mutant(random, data):
    """A few bytes changed, or a piece cut out, doubled or put elsewhere."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 5])):
        place, length = random.randrange(len(data)), random.choice([1, 2, 4, 12, 100])
        piece = data[place : place + length]
        match random.randrange(5):
            case 0:
                data[place : place + length] = random.randbytes(len(piece))
            case 1:
                data[place : place + length] = random.choice([b"\xff", b"\0", b"7"]) * len(piece)
            case 2:
                del data[place:]
                data += b"\0"
            case 3:
                data[place:place] = piece * random.choice([1, 50])
            case 4:
                other = random.randrange(len(data))
                data[other : other + len(piece)] = piece
    return data


def all_read(path):
    """Bytes read of all members that are not rejected."""
    total = 0
    for name in _walk(str(path)).members or ():
        try:
            with open_source(name) as source:
                total += len(source.pread(2**15, 0)) + len(source.pread(10, source.size - 1))
        except Rejection:
            pass
    return total


def counted(monkeypatch, *methods):
    """The numbers of calls of methods from now on, by their names."""
    calls = Counter()

    def wrap(kind, name):
        method = getattr(kind, name)

        def counting(*args):
            calls[name] += 1
            return method(*args)

        monkeypatch.setattr(kind, name, counting)

    for kind, name in methods:
        wrap(kind, name)
    return calls


def test_broken_containers_cost_little_work_and_memory(tmp_path, monkeypatch):
    calls = counted(monkeypatch, (FileSource, "pread"), (Decompressed, "_unpack_some"))
    rng = random.Random(1)
    content = {f"f{i}": rng.randbytes(300) + bytes(900) for i in range(3)} | {"n" * 150: b"long"}
    seeds = []
    for number, (kind, method) in enumerate([("tar", 0), ("tgz", 0), ("zip", 0), ("zip", 8)]):
        seed = packed(tmp_path / f"seed{number}.{kind}", content, method)
        seeds.append((kind, seed.read_bytes()))
    most, total = 0, 0
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]  # not 0 where another test traces too
    for number in range(COUNT):
        kind, data = seeds[number % len(seeds)]
        path = tmp_path / f"m{number % 2}.{kind}"
        path.write_bytes(mutant(rng, data))
        os.utime(path, ns=(number, number))
        calls.clear()
        total += all_read(path)
        most = max(most, calls.total())
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert total > COUNT * 100  # much of it is still read
    assert 0 < most < 5000  # reads and unpackings of 4 KB: a tar may have 2,048 blocks of padding
    assert peak < 2**25


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_members_of_one_name_are_all_taken(tmp_path, kind):
    """A zip's directory lists them all, and so does a tar's table of contents."""
    texts = [b"first", b"second", b"third", b"fourth"]
    names = ["IM", "IM (2)", "IM", "IM"]
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, text in zip(names, texts, strict=True):
                archive.writestr(name, text)
    else:
        with tarfile.open(path, "w") as archive:
            for name, text in zip(names, texts, strict=True):
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
    container = open_container(str(path))
    assert list(container.members) == ["IM", "IM (2)", "IM (3)", "IM (4)"]
    found = [b"".join(container.blocks(member)) for member in container.members.values()]
    assert found == texts
