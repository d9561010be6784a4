import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, get_frame

from tagsight.dicom.encapsulation import form_of, frame_of, is_run_length_head, items
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.rejections import Rejection


class Held:
    """Bytes as a source."""

    def __init__(self, data):
        self.data, self.size = data, len(data)

    def pread(self, size, place):
        return self.data[place : place + size]


END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def item(data):
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def frame(data, index, count, fragment_per_frame=False):
    return frame_of(Held(b"...." + data), 4, index, count, fragment_per_frame=fragment_per_frame)


@given(
    st.lists(st.binary(min_size=8, max_size=40).filter(lambda b: len(b) % 2 == 0), min_size=1),
    st.integers(1, 3),
    st.booleans(),
)
def test_frames_come_back_as_from_pydicom(frames, pieces, table):
    frames = [b"\xff\xd8\xff\xe0" + data + b"\xff\xd9" for data in frames]
    data = encapsulate(frames, fragments_per_frame=pieces, has_bot=table) + END
    for index, expected in enumerate(frames):
        assert frame(data, index, len(frames)) == expected
        assert get_frame(data, index, number_of_frames=len(frames)) == expected


FRAMES = [b"\xff\xd8\xff\xe0" + bytes([n]) * 4 for n in range(3)]
PIECES = [part for data in FRAMES for part in (data[:4], data[4:])]


@pytest.mark.parametrize(
    "table",
    [
        b"",
        bytes(12),
        struct.pack("<3I", 0, 24, 4_000_000),
        struct.pack("<3I", 8, 32, 56),
        struct.pack("<2I", 0, 24),
        struct.pack("<3I", 0, 48, 24),
        b"\0\0\0",
    ],
    ids=["empty", "zeros", "beyond", "shifted", "short", "back", "cut"],
)
def test_a_table_that_is_wrong_is_not_believed(table):
    data = item(table) + b"".join(map(item, PIECES)) + END
    assert [frame(data, index, 3) for index in range(3)] == FRAMES


def test_more_frames_than_are_said():
    """The first of them, not all of them in one."""
    data = item(b"") + b"".join(map(item, FRAMES)) + END
    assert frame(data, 0, 1) == FRAMES[0]
    assert frame(item(struct.pack("<3I", 0, 16, 32)) + data[8:], 0, 1) == FRAMES[0]
    assert frame(data, 1, 2) == FRAMES[1]


def test_fragments_that_are_frames_by_the_standard():
    data = item(b"") + b"".join(map(item, [b"abcd", b"efgh", b"ijkl"])) + END
    assert frame(data, 0, 1, fragment_per_frame=True) == b"abcd"
    assert frame(data, 0, 1) == b"abcdefghijkl"


@pytest.mark.parametrize("count", [2, 4])
def test_frames_that_cannot_be_told_apart(count):
    data = item(b"") + b"".join(map(item, [b"abcd", b"efgh", b"ijkl"])) + END
    with pytest.raises(Rejection) as refused:
        frame(data, 0, count)
    assert refused.value.reason == "pixels_incomplete"


def test_a_delimiter_within_a_fragment_ends_nothing():
    data = item(b"") + item(b"\xff\xd8\xff" + END + b"\0") + END
    assert frame(data, 0, 1) == b"\xff\xd8\xff" + END + b"\0"


def test_a_missing_end_is_forgiven_and_a_cut_fragment_is_not():
    data = item(b"") + item(b"abcd")
    assert items(Held(data), 0) == [(8, 0), (16, 4)]
    assert items(Held(data[:-1]), 0) == []
    with pytest.raises(Rejection):
        frame_of(Held(data[:-1]), 0, 0, 1, fragment_per_frame=False)


JPEG = b"\xff\xd8\xff\xe0" + bytes(60)


@pytest.mark.parametrize(
    ("data", "length", "native", "form"),
    [
        (item(b"") + item(JPEG) + END, UNDEFINED, 100, "fragments"),
        (item(b"") + item(JPEG), 80, 1000, "fragments"),
        (item(b"") + item(JPEG) + END, 88, 1000, "fragments"),
        (item(b"") + item(JPEG), 80, 20, "fragments"),
        (item(b"") + item(JPEG), 80, 80, "native"),
        (item(b"") + bytes(72), 80, 20, "native"),
        (JPEG, 64, 1000, "bare"),
        (JPEG, 64, 64, "native"),
        (JPEG, 64, 60, "native"),
        (bytes(64), 64, 1000, "native"),
    ],
)
def test_how_pixels_are_written_is_told_by_their_first_bytes(data, length, native, form):
    assert form_of(Held(b"...." + data), 4, length, native) == form


def test_nothing_is_read_of_native_pixels_of_the_length_that_is_said():
    class Closed:
        size = 1000

        def pread(self, *_):
            raise AssertionError

    assert form_of(Closed(), 4, 100, 100) == form_of(Closed(), 4, 100, 99) == "native"


@pytest.mark.parametrize(
    ("numbers", "is_head"),
    [
        ([1, 64], True),
        ([3, 64, 70, 90], True),
        ([3, 64, 90, 70], False),
        ([1, 66], False),
        ([1, 64, 70], False),
        ([0], False),
        ([16, 64], False),
    ],
)
def test_the_head_of_run_lengths(numbers, is_head):
    """PS3.5 G.5."""
    head = struct.pack("<16I", *numbers, *[0] * (16 - len(numbers)))
    assert is_run_length_head(head) == is_head
    assert not is_run_length_head(head[:63])
