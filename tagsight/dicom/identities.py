"""Whether a text repeats an identifying one, however either of them is written.

What is looked for (`written_forms`): a person's name as a whole, in either order, and each part of
it; a date in the orders of day, month and year, of a birth also with two digits of the year and the
month in words; any other identifier as it is, without what separates its parts, without zeros
before it, and each long run of its digits; of a whole number (`1234567.0`) its digits.

What is looked through (`searchable`): a text as words, with its digits joined over what separates
them, and each of its items as one word; of a number its digits, if it is a whole one.

On both sides letters stand as they are and without accents, with `ü` as `ue` and as `u`, of full
width as plain ones, and without signs that cannot be seen; `O'Brien` is `OBrien`, too.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache

MIN_LENGTH = 4  # characters of an identifying text that is looked for
MIN_IDEOGRAPHS = 2  # of one in Chinese, Japanese or Korean script
LONG = 6  # letters or digits from which a text is found beside digits or letters, too
NUMBERS = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})  # VRs
CLOCKS = frozenset({"TM", "AS"})  # VRs whose values have six digits at most, or are no such value
BIRTH = "PatientBirthDate"

_BETWEEN = re.compile(r"[\W_]+")
_ITEMS = re.compile(r"[\\=]")
_PARTS = re.compile(r"[\s^,;]+")
_JOINT_OF_DIGITS = re.compile(r"(?<=\d)[^\w\\]{1,2}(?=\d)|(?<=\d)_(?=\d)")
_JOINT_OF_LETTERS = re.compile(r"(?<=[^\W\d_])['\u2018\u2019`-](?=[^\W\d_])")
_RUN_OF_DIGITS = re.compile(rf"\d{{{LONG},}}")
_NUMBER = re.compile(r"\d+(\.\d*(e\+?\d{1,2})?|e\+?\d{1,2})")
_TOO_LONG_FOR_A_CLOCK = re.compile(r"\d{7}")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa"})
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"}
)
_IDEOGRAPHS = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_MONTHS = "january february march april may june july august september october november december"


def written_forms(keyword: str, vr: str, text: str) -> frozenset[str]:
    """Return the texts to look for, in lower case: a value in the ways it may be written.

    keyword, vr: of the identifying value. Too short ones are left out.
    """
    if vr == "UI":  # of each file another, and written in one way
        return frozenset(uid for uid in text.lower().split("\\") if len(uid) >= MIN_LENGTH)
    return _forms(keyword == BIRTH, vr, text, MIN_LENGTH)


@lru_cache(maxsize=2**14)  # files of a series share most of them
def _forms(birth: bool, vr: str, text: str, _shortest: int) -> frozenset[str]:
    forms = {
        form
        for item in _ITEMS.split(text.lower())
        for form in (item.strip(), *_of_item(item, vr, birth=birth))
    }
    return frozenset(form for form in forms if is_long_enough(form))


def _of_item(item: str, vr: str, *, birth: bool) -> Iterator[str]:
    if vr in ("DA", "DT"):
        yield from _dates(item, birth=birth)
    if vr == "PN" or "^" in item:
        yield from _names(item)
    if vr != "PN":
        yield from _identifiers(item)
    if vr not in ("PN", "DA", "DT"):
        yield from _numbers(item)


def _names(text: str) -> Iterator[str]:
    """A name as a whole, in both orders, and its parts."""
    parts = [part for part in _PARTS.split(text) if part.strip("._-'")]
    for first, second in (parts[:2], parts[1::-1]) if len(parts) > 1 else ():
        yield from _plain(f"{first} {second}")
        yield from _plain(f"{first}{second}")
    for words in (parts, *([part] for part in parts)):
        yield from _plain(" ".join(words))
    for component in text.split("^"):  # VAN DER BERG is VANDERBERG, too
        yield from (_BETWEEN.sub("", writing) for writing in _writings(component))


def _plain(text: str) -> Iterator[str]:
    """A text as words, in each of its writings, and with its parts joined as in `obrien`."""
    for writing in _writings(text):
        for each in (writing, _JOINT_OF_LETTERS.sub("", writing)):
            yield " ".join(filter(None, _BETWEEN.split(each)))


def _writings(text: str) -> Iterator[str]:
    """A text in lower case as it is, and folded: with `ü` as `ue`, and as `u`."""
    yield text
    if not text.isascii():
        yield _folded(text, _UMLAUTS)
        yield _folded(text, {})


def _folded(text: str, umlauts: dict[int, str]) -> str:
    """A text without accents and signs that cannot be seen, its letters of one width and case."""
    composed = unicodedata.normalize("NFKC", text).lower().translate(umlauts).translate(_LETTERS)
    apart = unicodedata.normalize("NFKD", composed)
    letters = (c for c in apart if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", "".join(letters))  # syllables of Hangul are whole again


def _identifiers(text: str) -> Iterator[str]:
    """An identifier as words; one with digits as a single word, and without zeros before it."""
    yield from _plain(text)
    if any(letter.isdigit() for letter in text):
        word = _BETWEEN.sub("", text)
        yield word
        yield word.lstrip("0")


def _numbers(text: str) -> Iterator[str]:
    """The long runs of digits in an identifier, and a whole number without its decimals."""
    for run in _RUN_OF_DIGITS.findall(text):
        if run.strip("0"):
            yield run
            yield run.lstrip("0")
    if _NUMBER.fullmatch(text.strip()):
        yield _of_number(text)


def _dates(text: str, *, birth: bool) -> Iterator[str]:
    """A date by its digits, in all orders; of a birth also in short, and with its month in words.

    Separators do not matter: texts are looked through with their digits joined.
    """
    digits = "".join(filter(str.isdigit, text))[:8]
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return
    yield from (day.strftime(form) for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y"))
    if birth:
        yield from (day.strftime(form) for form in ("%y%m%d", "%d%m%y", "%m%d%y"))
        yield from (f"{day.day}{day.month}{day.year}", f"{day.month}{day.day}{day.year}")
        month = _MONTHS.split()[day.month - 1]
        for name in (month, month[:3]):
            for number in dict.fromkeys((f"{day.day:02d}", f"{day.day}")):
                yield from (f"{number} {name} {day.year}", f"{name} {number} {day.year}")
                yield from (f"{number}{name}{day.year}", f"{number}{name}{day:%y}")


def is_long_enough(form: str) -> bool:
    """Return whether a text says enough to be looked for: names in ideographs are short."""
    return len(form) >= MIN_LENGTH or (
        len(form) >= MIN_IDEOGRAPHS and _IDEOGRAPHS.search(form) is not None
    )


@lru_cache(maxsize=2**14)
def searchable(vr: str, text: str) -> str:
    """Return what of a value is looked through, in lower case: lines of words."""
    if vr in NUMBERS:
        return "\n".join(map(_of_number, text.split("\\")))
    if vr in CLOCKS and not _TOO_LONG_FOR_A_CLOCK.search(text.split(".", maxsplit=1)[0]):
        return ""
    lines = (line for writing in _writings(text.lower()) for line in _lines(writing))
    return "\n".join(dict.fromkeys(lines))


def _lines(text: str) -> Iterator[str]:
    """A text as it is and as words, with its parts, its digits and each of its items joined."""
    items = text.split("\\")
    yield text
    yield from (" ".join(_BETWEEN.split(item)).strip() for item in items)
    yield _JOINT_OF_LETTERS.sub("", text)
    yield _JOINT_OF_DIGITS.sub("", text)
    yield from (_BETWEEN.sub("", item) for item in items)


def _of_number(item: str) -> str:
    """The digits of a whole number; nothing of another; what is no number as it is."""
    try:
        number = float(item)
    except ValueError:
        return item.lower()
    return f"{abs(number):.0f}" if number.is_integer() else ""


def containing(texts: Mapping[str, str], forms: Iterable[str]) -> list[str]:
    """Return the keys of texts that contain one of the forms as whole words.

    texts: lines of `searchable`; forms: of `written_forms`.
    """
    everything = "\n".join(texts.values())
    present = [form for form in forms if form in everything]
    if not present:
        return []
    words = re.compile("|".join(map(_whole, sorted(present))))
    return [key for key, text in texts.items() if words.search(text)]


def _whole(form: str) -> str:
    """A pattern of the text as a whole word; a long one may touch digits, or letters."""
    if _IDEOGRAPHS.search(form):
        return re.escape(form)
    zeros = "0*" if form.isdecimal() else ""
    inside = r"[^\W_]"
    if len(form) >= LONG:
        digits, letters = any(map(str.isdigit, form)), any(map(str.isalpha, form))
        inside = {(True, False): r"\d", (False, True): r"[^\W\d_]"}.get((digits, letters), inside)
    return f"(?<!{inside}){zeros}{re.escape(form)}(?!{inside})"
