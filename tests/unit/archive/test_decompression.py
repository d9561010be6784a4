import bz2
import gzip
import lzma
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import traced

from tagsight.archive import decompression
from tagsight.archive.decompression import Decompressed
from tagsight.archive.source import open_file
from tagsight.rejections import Rejection

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
DATA = b"".join(i.to_bytes(4, "big") for i in range(100_000)) + bytes(10**6)


def over(path, suffix, packed):
    path.write_bytes(packed)
    return Decompressed(open_file(str(path)), suffix)


@pytest.fixture(scope="module", params=PACK)
def unpacking(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "data"
    return over(path, request.param, PACK[request.param](DATA))


PLACES = st.integers(0, len(DATA) + 5)


@settings(max_examples=20)
@given(st.lists(st.tuples(PLACES, st.integers(0, 200_000)), max_size=5))
def test_any_stretch_in_any_order(unpacking, asked):
    for place, size in asked:
        assert unpacking.pread(size, place) == DATA[place : place + size]
        assert unpacking.reaches(place) == (place <= len(DATA))


@pytest.mark.parametrize("suffix", PACK)
def test_reading_in_order_unpacks_once(tmp_path, suffix):
    packed = PACK[suffix](DATA)
    unpacking = over(tmp_path / "x", suffix, packed)
    for place in range(0, len(DATA), 5000):
        unpacking.pread(3000, place)
        assert not unpacking.pread(0, place + 1000)
    assert unpacking._next == len(packed)


def test_going_back_a_little_unpacks_nothing_and_far_back_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(decompression, "_BLOCKS", 2)
    data = random.Random(1).randbytes(2**20)
    unpacking = over(tmp_path / "x", "gz", gzip.compress(data))
    assert unpacking.pread(10, 2**20 - 10) == data[-10:]
    read = unpacking._next
    assert unpacking.pread(10, 600_000) == data[600_000:600_010]
    assert unpacking._next == read
    assert unpacking.pread(10, 5) == data[5:15]
    assert unpacking._next < read


def test_the_one_at_work_holds_what_it_unpacked(tmp_path):
    one = over(tmp_path / "1", "gz", gzip.compress(DATA))
    two = over(tmp_path / "2", "gz", gzip.compress(DATA))
    one.pread(1, len(DATA) - 1)
    two.pread(1, 0)
    assert len(one._blocks) == len(two._blocks) == 1
    assert one.pread(len(DATA), 0) == two.pread(len(DATA), 0) == DATA


@pytest.mark.parametrize("suffix", PACK)
def test_strung_together_and_padded(tmp_path, suffix):
    packed = PACK[suffix](b"one") + bytes(8) + PACK[suffix](b"") + PACK[suffix](b"two") + bytes(16)
    assert over(tmp_path / "x", suffix, packed).pread(100, 0) == b"onetwo"


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_wrong_with_it(tmp_path, suffix):
    packed = PACK[suffix](DATA)
    for data, detail in [
        (packed[:-1], "cut off"),
        (packed[:100], "cut off"),
        (packed + b"rubbish", "damaged"),
        (b"rubbish" * 9, "damaged"),
        (packed[:5000] + b"\xff" * 9 + packed[5009:], "damaged"),
    ]:
        with pytest.raises(Rejection) as rejection:
            over(tmp_path / "x", suffix, data).reaches(len(DATA) + 1)
        assert (rejection.value.reason, rejection.value.detail) == ("bad_container", detail)


def test_a_hole_after_the_end_is_not_read_through(tmp_path):
    unpacking = over(tmp_path / "x", "gz", gzip.compress(b"1"))
    os.truncate(tmp_path / "x", 2**42)
    unpacking._packed.size = 2**42
    assert unpacking.pread(5, 0) == b"1"
    assert unpacking._next < 2**22


def test_what_came_before_the_cut_is_there(tmp_path):
    packed = gzip.compress(DATA)
    assert over(tmp_path / "x", "gz", packed[:-1]).pread(len(DATA), 0) == DATA


def test_a_bomb_ends_early_and_costs_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(decompression, "_LIMIT", 2**24)
    monkeypatch.setattr(decompression, "_BLOCKS", 4)
    bomb = lzma.compress(bytes(2**26))
    with traced() as peak:
        with pytest.raises(Rejection) as refused:
            over(tmp_path / "x", "xz", bomb).reaches(2**26)
        assert peak() < 2**24  # half of it the dictionary
    assert (refused.value.reason, refused.value.detail) == ("too_large", "unpacked")


def test_a_dictionary_that_asks_for_too_much_memory(tmp_path):
    greedy = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**30}]
    packed = lzma.compress(b"small", filters=greedy)
    with pytest.raises(Rejection, match="damaged"):
        over(tmp_path / "x", "xz", packed).pread(5, 0)
