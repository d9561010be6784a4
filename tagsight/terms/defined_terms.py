"""Defined Terms of DICOM PS3.3: as people spell them (data/defined_terms.csv), and as they are.

Those as they are (data/enumerated_terms.csv) say of a code string that nobody typed a name there.
"""

from functools import cache

from tagsight.run.package_data import rows_of
from tagsight.terms.annex_l import annex_l
from tagsight.terms.word_splitting import words_of

IGNORED = ""  # the term of a word to ignore, such as a side in a view


def defined_term(kind: str, text: str) -> str | None:
    """Return the Defined Term that `text` spells, None where no row of this kind has it.

    kind: `view` (View Position, PS3.3 C.8.11.2 and C.7.3.1), `laterality` (L, R, B both, U
    unpaired) or `sex` (M, F, O).
    `RMLO`, `R MLO` and `MLO RIGHT` are one view: another tag holds the side.
    """
    table = _tables()[kind]
    words = words_of(text)
    joined = "".join(words)
    if table.get(joined):
        return table[joined]
    if any(word not in table for word in words):
        return None
    terms = {table[word] for word in words} - {IGNORED}
    return terms.pop() if len(terms) == 1 else None


@cache
def modalities() -> frozenset[str]:
    """Return the Defined Terms of Modality (PS3.3 C.7.3.1.1.1), retired ones too."""
    codes = {row["code"] for row in rows_of("kinds.csv")}
    return frozenset(code for code in codes if "." not in code)


def is_defined_term(keyword: str, item: str) -> bool:
    """Return whether an item of a code string (CS) is a term that PS3.3 defines for its attribute.

    >>> is_defined_term("FrameType", "PERFUSION"), is_defined_term("KVP", "AXIAL")
    (True, False)
    """
    term = item.strip().upper()
    everywhere, of_keyword = _enumerated().get("*", ()), _enumerated().get(keyword, ())
    return term in everywhere or term in of_keyword


@cache
def _enumerated() -> dict[str, frozenset[str]]:
    rows = rows_of("enumerated_terms.csv")
    tables = {row["keyword"]: frozenset(row["terms"].split("|")) for row in rows}
    tables["FrameType"] = tables["ImageType"]  # the same terms, of a frame (PS3.3 C.8.16.1)
    return tables | {"Modality": modalities(), "BodyPartExamined": frozenset(annex_l())}


@cache
def _tables() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for row in rows_of("defined_terms.csv"):
        table = tables.setdefault(row["kind"], {})
        for spelling in row["spellings"].split("|"):
            table["".join(words_of(spelling))] = row["term"]
    return tables
