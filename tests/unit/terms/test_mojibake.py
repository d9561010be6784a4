import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.terms.mojibake import is_mojibake

SOUND = (
    "München|Schädel|CAFÉ|«CAFÉ»|CAFÉ»|Łódź|ÄÖÜ|naïve|Ø 5 mm|37 °C|±5|µm|ГОЛОВА|頭部|胸部CT|κεφάλι"
    "|1/2|C?|is it CT?|?|kVp=120|$100|a$b|São Tomé|ÉÈÊ|crâne-œil|Ångström|ñandú|KÖRPER"
)


@pytest.mark.parametrize("text", SOUND.split("|"))
def test_sound_text_is_none(text):
    assert not is_mojibake(text)


@pytest.mark.parametrize("text", ["Schädel", "Ø", "頭部", "ГОЛОВА", "Łódź", "œil", "KÖRPER"])
@pytest.mark.parametrize("wrong", ["latin-1", "cp1252"])
def test_utf_8_read_as_one_byte_a_letter_is(text, wrong):
    assert is_mojibake(text.encode().decode(wrong, errors="replace"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ГОЛОВА", "cp1251"),
        ("ГОЛОВА", "iso8859-5"),
        ("ГОЛОВА", "koi8-r"),
        ("ΚΕΦΑΛΙ", "iso8859-7"),
        ("頭部単純", "shift_jis"),
        ("頭部", "euc_jp"),
        ("腹部平扫", "gb18030"),
        ("머리검사", "euc_kr"),
        ("頭部", "iso2022_jp"),
    ],
)
def test_other_scripts_read_as_latin_1_are(text, written):
    assert is_mojibake(text.encode(written).decode("latin-1"))


@pytest.mark.parametrize(
    "text", ["M?nchen", "H??FTE", "?? ABDOMEN", "SCH\ufffdDEL", "a\x00b", "$BF,It(B"]
)
def test_lost_letters_and_controls_are(text):
    assert is_mojibake(text)


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"])))
def test_plain_ascii_never_is(text):
    assert not is_mojibake(text)


@given(st.text())
def test_any_text_is_judged(text):
    assert is_mojibake(text) in (True, False)
