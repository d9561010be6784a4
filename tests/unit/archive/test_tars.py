import io
import os
import shutil
import subprocess
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.archive.paths import to_path, to_text
from tagsight.archive.source import open_file
from tagsight.archive.tars import tar_members
from tagsight.rejections import Rejection

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
PART = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1)
NAME = st.lists(PART | st.just("../x!y"), min_size=1, max_size=3).map("/".join)
LONG = st.builds(lambda a, b: f"{'p' * a}/{'n' * b}", st.integers(1, 160), st.integers(1, 160))
KINDS = [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE]
KIND = st.just(tarfile.REGTYPE) | st.sampled_from(KINDS)
FILES = st.lists(st.tuples(NAME | LONG, st.binary(max_size=1200), KIND), max_size=6)


def tar(path, files, form=tarfile.PAX_FORMAT, **facts):
    with tarfile.open(path, "w", format=form) as made:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for fact, value in facts.items():
                setattr(info, fact, value)
            made.addfile(info, io.BytesIO(content))
    return path


def walked(path):
    """Names and contents, and the rejection at the end."""
    found = []
    with open_file(str(path)) as source:
        try:
            for member in tar_members(source):
                content = member.defect or source.pread(member.size, member.place)
                found.append((member.name, content))
        except Rejection as rejection:
            return found, (rejection.reason, rejection.detail)
    return found, None


def by_tarfile(path):
    with tarfile.open(path) as made:
        return [(to_text(i.name), made.extractfile(i).read()) for i in made if i.isreg()]


@settings(max_examples=150)
@given(FILES, st.sampled_from(FORMATS))
def test_tarfile_agrees(tmp_path_factory, files, form):
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    with tarfile.open(path, "w", format=form) as made:
        for name, content, kind in files:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "l" * 120 * (form != tarfile.USTAR_FORMAT)
            info.size = len(content) if kind in tarfile.REGULAR_TYPES else 0
            with suppress(ValueError):  # a name that ustar cannot hold
                made.addfile(info, io.BytesIO(content))
    assert walked(path) == (by_tarfile(path), None)


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar here")
@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_what_the_program_wrote(tmp_path, form):
    names = ["a", "b c/ü!", os.fsdecode(b"b c/\xff"), "b c/" + "d" * 95 + "/e"]
    for number, name in enumerate(names):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(bytes([number]) * 700 * number)
    os.link(tmp_path / "in/b c/ü!", tmp_path / "in/z hard")
    (tmp_path / "in/z soft").symlink_to("a")
    command = ["tar", f"--format={form}", "-cf", tmp_path / "a.tar", "-C", tmp_path / "in", "."]
    subprocess.run(command, check=False, capture_output=True)  # v7 leaves the long name out
    found, failed = walked(tmp_path / "a.tar")
    assert failed is None
    assert found == by_tarfile(tmp_path / "a.tar")
    assert len(found) == (3 if form == "v7" else 4)
    for text, content in found:
        name = to_path(text)
        assert (tmp_path / "in" / name).read_bytes() == content


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar here")
@pytest.mark.parametrize("form", ["oldgnu", "pax"])
def test_sparse_members_are_rejected_and_passed(tmp_path, form):
    with (tmp_path / "sparse").open("wb") as file:
        for place in range(0, 40 * 2**16, 2**17):  # a map that needs further blocks
            file.seek(place)
            file.write(b"data")
    (tmp_path / "z").write_text("after", encoding="utf-8")
    command = ["tar", f"--format={form}", "-cSf", "a.tar", "sparse", "z"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert walked(tmp_path / "a.tar") == ([("sparse", "sparse"), ("z", b"after")], None)


def test_sizes_beyond_octal_digits(tmp_path):
    """More than 8 GiB: base 256 in GNU, a pax record else; the file has a hole for it."""
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        size = 2**33 + 5
        info = tarfile.TarInfo("large")
        info.size = size
        path = tmp_path / f"{form}.tar"
        head = info.tobuf(form)
        path.write_bytes(head)
        os.truncate(path, len(head) + size + 507 + 1024)
        with open_file(str(path)) as source:
            assert [(m.name, m.size, m.place) for m in tar_members(source)] == [
                ("large", size, len(head))
            ]


def test_what_is_whole_is_given_before_the_cut(tmp_path):
    files = [(f"f{i}", bytes([i]) * 600) for i in range(3)]
    whole = tar(tmp_path / "a.tar", files).read_bytes()
    ends = [512 + 600, 1536 + 512 + 600, 3072 + 512 + 600]
    for cut in [*range(1, 4609, 97), 1536, 4608, *ends, *(end - 1 for end in ends)]:
        (tmp_path / "cut.tar").write_bytes(whole[:cut])
        found, failed = walked(tmp_path / "cut.tar")
        assert found == files[: sum(cut >= end for end in ends)]
        assert failed == ("bad_container", "cut off")


def test_tars_strung_together_are_read_to_the_end(tmp_path):
    one = tar(tmp_path / "1.tar", [("a", b"1")]).read_bytes()
    two = tar(tmp_path / "2.tar", [("b", b"2")]).read_bytes()
    (tmp_path / "both.tar").write_bytes(one + two + b"rubbish")
    assert walked(tmp_path / "both.tar") == ([("a", b"1"), ("b", b"2")], None)


def test_shared_and_own_records(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", pax_headers={"path": "shared"}) as made:
        made.addfile(tarfile.TarInfo("unseen"))
        made.addfile(tarfile.TarInfo("ü" * 80))
        made.addfile(tarfile.TarInfo("unseen"))
    assert [name for name, _ in walked(tmp_path / "a.tar")[0]] == ["shared", "ü" * 80, "shared"]


def test_old_sums_of_signed_bytes(tmp_path):
    path = tar(tmp_path / "a.tar", [("\xff\xfe", b"1")], tarfile.USTAR_FORMAT)
    data = bytearray(path.read_bytes())
    total = sum(data[:148]) + sum(data[156:512]) + 256 - 256 * sum(b > 127 for b in data[:512])
    data[148:156] = b"%06o\0 " % total
    path.write_bytes(data)
    assert len(walked(path)[0]) == len(by_tarfile(path)) == 1


@pytest.mark.parametrize(
    ("place", "content", "detail"),
    [
        (0, b"X", "no tar"),
        (124, b"\xff" * 12, "no tar"),
        (1536, b"X", "damaged"),
        (1536 + 148, b"\xff" * 8, "damaged"),
    ],
)
def test_damage_is_a_reason(tmp_path, place, content, detail):
    path = tar(tmp_path / "a.tar", [("a", b"1" * 600), ("b", b"2")])
    data = bytearray(path.read_bytes())
    data[place : place + len(content)] = content
    path.write_bytes(data)
    assert walked(path) == ([("a", b"1" * 600)] * (place > 512), ("bad_container", detail))


@pytest.mark.parametrize(
    ("kind", "content", "detail"),
    [
        (b"x", b"99 path=a\n", "damaged"),
        (b"x", b"x path=a\n", "damaged"),
        (b"x", b"10 size=-\n", "damaged"),
        (b"x", b"28 size=" + b"9" * 19 + b"\n", "cut off"),
        (b"L", b"n" * (2**20 + 1), "long header"),
        (b"K", b"target\0", None),
        (b"V", b"", None),
        (b"Q", b"?", None),
    ],
)
def test_odd_headers(tmp_path, kind, content, detail):
    path = tar(tmp_path / "a.tar", [("odd", content)], tarfile.USTAR_FORMAT, type=kind)
    data = path.read_bytes()[: 512 + -(-len(content) // 512) * 512]
    path.write_bytes(data + tar(tmp_path / "b.tar", [("b", b"2")]).read_bytes())
    odd = [("odd", "kind of member")] if kind == b"Q" else []
    rest = ([], ("bad_container", detail)) if detail else ([*odd, ("b", b"2")], None)
    assert walked(path) == rest
