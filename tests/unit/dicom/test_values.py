import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.dicom.privacy import WITHHELD
from tagsight.dicom.values import text_of

LATIN = ("iso8859",)


@pytest.mark.parametrize(
    ("vr", "data", "text"),
    [
        ("DS", b" 1.50 \\2e-3 \0", "1.50\\2e-3"),
        ("IS", b"1A", "1A"),
        ("DS", b"120 kVp", "120 kVp"),
        ("DS", b"1.5\\UNKNOWN", "1.5\\UNKNOWN"),
        ("DS", b"1.5\\DOE^JOHN", WITHHELD),
        ("IS", b"Anna", WITHHELD),
        ("AS", b"045Y", "045Y"),
        ("AS", b"DOE JOHN", WITHHELD),
        ("DA", b"2020.01.02", "2020.01.02"),
        ("TM", b"DOE 120000", WITHHELD),
        ("CS", b"ORIGINAL\\ PRIMARY\\", "ORIGINAL\\PRIMARY\\"),
        ("LO", b"\\ \\", ""),
        ("LO", b"  \0", ""),
        ("ST", b"one\\two ", "one\\two"),
        ("US", struct.pack("<2H", 3, 65535), "3\\65535"),
        ("SS", struct.pack("<h", -5), "-5"),
        ("FL", struct.pack("<f", 0.1), "0.1"),
        ("FD", struct.pack("<d", 0.1), "0.1"),
        ("AT", struct.pack("<2H", 0x3004, 0x000C), "(3004,000C)"),
        ("US", b"\1", WITHHELD),
        ("LT", b"x" * 1024, "x" * 1024),
        ("LT", b"x" * 1025, WITHHELD),
        ("FD", bytes(8) * 1000, WITHHELD),
        ("OB", b"abc", ""),
        ("UN", b"abc", ""),
    ],
)
def test_text(vr, data, text):
    assert text_of(vr, data, LATIN, True) == text


def test_big_endian():
    assert text_of("US", b"\1\0", LATIN, False) == "256"


@pytest.mark.parametrize(
    ("codec", "text"),
    [("utf8", "Schädel"), ("iso8859_5", "череп"), ("gb18030", "頭部誠"), ("iso8859", "Crâne")],
)
def test_character_sets(codec, text):
    assert text_of("LO", text.encode(codec), (codec,), True) == text


def test_escapes_of_iso_2022_may_hold_a_backslash():
    """Katakana's 0x5C inside a two-byte escape is no delimiter."""
    data = b"\x1b$B\x25\x5c\x1b(B"
    assert text_of("LO", data, ("shift_jis", "iso2022_jp"), True) == "ボ"


def test_what_cannot_be_decoded_is_withheld():
    assert text_of("LO", b"\xff\xfe\xfa", ("utf8",), True) == WITHHELD


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_come_back(number):
    text = text_of("FL", struct.pack("<f", number), LATIN, True)
    assert np.float32(text) == np.float32(number)


@given(st.sampled_from(["CS", "DS", "LT", "US", "FL", "AT", "UI"]), st.binary(max_size=40))
def test_no_bytes_break_it(vr, data):
    text_of(vr, data, ("utf8",), True).encode()
