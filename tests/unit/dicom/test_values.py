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


@pytest.mark.parametrize("declared", [LATIN, ("utf8",), ("iso8859", "iso2022_jp", "euc_kr")])
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b$B\x25\x5c\x1b(B", "ボ"),
        (b"\x1b$)C\xb1\xe8", "김"),
        (b"\x1b$)A\xcd\xf5 a", "王 a"),
        (b"\x1b-F\xe1\xe2", "αβ"),
        (b"\x1b)I\xb1", "ｱ"),
        (b"HEAD\x1b(B", "HEAD"),
        (b"HEAD\x1b(J", "HEAD"),
    ],
)
def test_an_escape_stands_for_one_character_set_whatever_is_declared(declared, data, text):
    """PS3.3 C.12.1.1.2: (0008,0005) is often left out, or names another set."""
    assert text_of("LO", data, declared, True) == text


@pytest.mark.parametrize("data", [b"\x1b[31mred", b"\x1b%/Zfoo", b"a\x1b", b"\x1b\x1b(B"])
def test_a_text_with_an_escape_that_nobody_knows_is_withheld(data):
    assert text_of("LO", data, LATIN, True) == WITHHELD


@given(st.binary(max_size=30), st.sampled_from([LATIN, ("utf8",), ("shift_jis", "iso2022_jp")]))
def test_no_text_holds_an_escape(data, declared):
    assert "\x1b" not in text_of("LO", b"a\x1b" + data, declared, True)


def test_what_cannot_be_decoded_is_withheld():
    assert text_of("LO", b"\xff\xfe\xfa", ("utf8",), True) == WITHHELD


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_come_back(number):
    text = text_of("FL", struct.pack("<f", number), LATIN, True)
    assert np.float32(text) == np.float32(number)


@given(st.sampled_from(["CS", "DS", "LT", "US", "FL", "AT", "UI"]), st.binary(max_size=40))
def test_no_bytes_break_it(vr, data):
    text_of(vr, data, ("utf8",), True).encode()
