"""Manufacturers of imaging devices, whatever the spelling; see data/manufacturers.csv.

A manufacturer has the name of the company that continues its devices, since archives have both
names for one line of devices: Picker, Marconi, ADAC and ATL are Philips, Acuson and CTI Siemens,
Toshiba's medical branch Canon, Kodak's Carestream, Lorad Hologic. Hitachi stays apart from
Fujifilm, which bought it in 2021: few devices in an archive have both names.
"""

import re
from functools import cache, lru_cache

from tagsight.run.package_data import rows_of
from tagsight.terms.word_splitting import words_of

# An institution is not a maker, whatever its name: `Philips Street Clinic`.
_INSTITUTION = re.compile(
    r"\b(HOSPITAL|OSPEDALE|HOPITAL|KLINIK\w*|CLINI[CQ]\w*|KLINIKUM|KRANKENHAUS|UNIVERSI\w*|BOLNICA"
    r"|INSTITUT\w*|SCHOOL|COLLEGE|FOUNDATION|PRAXIS|DEPARTMENT|STREET|AVENUE|KBC)\b"
)


@lru_cache(maxsize=2**14)
def known_maker(text: str) -> str | None:
    """Return the standard name of the maker that `text` spells, None where no rule matches.

    The first rule that matches is taken; punctuation counts as blanks.
    """
    plain = " ".join(words_of(text))
    if _INSTITUTION.search(plain):
        return None
    return next((maker for rule, maker in _rules() if rule.search(plain)), None)


def known_makers() -> frozenset[str]:
    """Return the names that `known_maker` can return."""
    return frozenset(maker for _, maker in _rules())


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row["pattern"]), row["maker"]) for row in rows_of("manufacturers.csv")]
