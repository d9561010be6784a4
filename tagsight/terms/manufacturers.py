"""Makers of imaging devices, whatever the spelling; the rules are in data/manufacturers.csv.

A maker goes by the name of the one that goes on with its devices, as archives have both names for
one line of them: Picker, Marconi, ADAC and ATL are Philips, Acuson and CTI Siemens, Toshiba's
medical branch Canon, Kodak's Carestream, Lorad Hologic. Hitachi stays apart from Fujifilm, which
bought it in 2021: hardly a device in an archive is of both.
"""

import re
from functools import cache, lru_cache

from tagsight.run.package_data import rows_of
from tagsight.terms.spellings import words_of

# An institution is no maker, whatever it is called: `Philips Street Clinic`.
_INSTITUTION = re.compile(
    r"\b(HOSPITAL|OSPEDALE|HOPITAL|KLINIK\w*|CLINI[CQ]\w*|KLINIKUM|KRANKENHAUS|UNIVERSI\w*|BOLNICA"
    r"|INSTITUT\w*|SCHOOL|COLLEGE|FOUNDATION|PRAXIS|DEPARTMENT|STREET|AVENUE|KBC)\b"
)


@lru_cache(maxsize=2**14)
def known_maker(text: str) -> str | None:
    """Return the one name of the maker that `text` spells, or None where no rule fits.

    The first rule whose pattern is found counts; punctuation is blank to all of them.
    """
    plain = " ".join(words_of(text))
    if _INSTITUTION.search(plain):
        return None
    return next((maker for rule, maker in _rules() if rule.search(plain)), None)


def known_makers() -> frozenset[str]:
    """Return the names that known_maker can give."""
    return frozenset(maker for _, maker in _rules())


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row["pattern"]), row["maker"]) for row in rows_of("manufacturers.csv")]
