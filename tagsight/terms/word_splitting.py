"""The words of a spelling as they are looked up, whatever its case, accents and punctuation."""

import re
import unicodedata

SHORTEST_STEM = 4  # letters; a shorter word could be the start of too many others
LONGEST_MARK = 3  # so many letters beside digits are a word, not a mark of a kernel or a slice

_LETTERS = {0xD8: "O", 0x110: "D", 0xC6: "AE", 0x141: "L", 0x152: "OE", 0x131: "I", 0x130: "I"}
# `C+`, `- C`: with and without contrast, no cervical spine.
_CONTRAST = re.compile(r"(?<![^\W_])C ?[+-](?![^\W_])|(?:^|(?<=\s))[+-] ?C(?![^\W_])")
_WITHOUT = re.compile(r"(?<![^\W_])W ?/ ?O(?:UT)?(?![^\W_])")
# Two parts of the spine in one word, with or without hyphen, also cut off: `LOMBO-SA`.
_JUNCTIONS = {
    re.compile(r"(?<![^\W_])L[UO]MBO[\s\-/]*S[^\W_]*"): "LUMBOSACRAL",
    re.compile(r"(?<![^\W_])(?:THORA[CK]O|TORA[CK]O|DORSO)[\s\-/]*L[^\W_]*"): "THORACOLUMBAR",
    re.compile(r"(?<![^\W_])[CSZ]ER[VW]I[CK]O[\s\-/]*(?:T|D)[^\W_]*"): "CERVICOTHORACIC",
}
_IDEOGRAPH = "\u3005\u3040-\u30ff\u3400-\u9fff"
_SCRIPTS = re.compile(rf"[{_IDEOGRAPH}]+|[^\W_{_IDEOGRAPH}]+")
_IDEOGRAPHS = re.compile(rf"[{_IDEOGRAPH}]+")
_PERSON = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof)\. ?\w+")  # `DR` alone is digital radiography
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_VERTEBRA = "(?:C[1-7]|(?:TH|T|D)(?:1[0-2]|[1-9])|L[1-6]|S[1-5])"
_VERTEBRAE = re.compile(f"{_VERTEBRA}{{2,}}")
_RUNS = re.compile(r"[^\W\d]+|\d+")
VERTEBRA = re.compile(_VERTEBRA)  # by name: C7, TH12, L5, S1


def words_of(spelling: str) -> list[str]:
    """Return the words in upper case, without accents and punctuation; `ß` becomes `SS`."""
    text = unicodedata.normalize("NFKD", spelling.upper()).upper().translate(_LETTERS)
    if not text.isascii():
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = _WITHOUT.sub(" WO ", _CONTRAST.sub(" ", text))
    for junction, name in _JUNCTIONS.items():
        text = junction.sub(name, text)
    return _SCRIPTS.findall(text)


def words_of_text(text: str) -> list[str]:
    """Return the words of a free description: `t2_tseKnee3D` is `T2 TSE KNEE 3 D`."""
    return [
        part for word in words_of(_CAMEL.sub(" ", _PERSON.sub(" ", text))) for part in pieces(word)
    ]


def pieces(word: str) -> list[str]:
    """Return the words in a word: `KNEE3VIEWS` has three, `L5S1` two; `H30s`, a kernel, is one."""
    if word.isalpha() or word.isdecimal():
        return [word]
    if _VERTEBRAE.fullmatch(word):
        return VERTEBRA.findall(word)
    runs = _RUNS.findall(word)
    return runs if any(len(run) >= LONGEST_MARK and run.isalpha() for run in runs) else [word]


def is_ideographic(word: str) -> bool:
    """Return whether a word is in kanji or kana, which are written without blanks."""
    return _IDEOGRAPHS.fullmatch(word) is not None


def singulars(word: str) -> list[str]:
    """Return what the word may be the plural of (English; AE and I of Latin are in the table)."""
    if len(word) < SHORTEST_STEM or not word.endswith("S"):
        return []
    ies = [word[:-3] + "Y"] if word.endswith("IES") else []
    return [*ies, word[:-1], *([word[:-2]] if word.endswith("ES") else [])]
