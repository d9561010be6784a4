"""Checks of a user's tables (`tags.body_parts`, `labels.tables`, `input`) beyond the schema's."""

import difflib
import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from pydicom.datadict import dictionary_VR, tag_for_keyword

from tagsight.errors import TableError
from tagsight.run.package_data import rows_of, user_rows
from tagsight.run.user_files.table_config import suggestion

Row = dict[str, str]

LEAST_LETTERS = 4  # of a region that is held against others for a letter too few
MEASURED = ("DS", "IS", "FL", "FD")  # VRs of numbers that have a unit


def body_parts_mistakes(table: str | None, key: str = "tags.body_parts") -> Iterator[str]:
    """Yield the mistakes in the table that the config names at `key`, one line for each."""
    if table is None:
        return
    if not os.path.isfile(table):
        yield f"{key}: {table} does not exist (seen from {os.getcwd()})"
        return
    try:
        rows = user_rows(table, ("spelling", "term"))
    except TableError as error:
        yield f"{key}: {error}"
        return
    if not rows or not {"spelling", "term"} <= rows[0].keys():
        yield f"{key}: {table}: the first line has to be spelling,term, and others follow"
        return
    yield from (f"{key}: {table}: {line}" for line in _unknown_terms(rows))


def _unknown_terms(rows: list[dict[str, str]]) -> Iterator[str]:
    """Terms that are not in the standard."""
    terms = {row["term"] for row in rows_of("annex_l.csv")}
    for term in sorted({(row["term"] or "").strip() for row in rows} - terms - {""}):
        near = difflib.get_close_matches(term.upper(), terms, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"{term} is no term of DICOM PS3.16 Annex L{hint}"


def label_tables_mistakes(tables: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the mistakes in the tables that `labels.tables` names, one line for each.

    tables: table -> path, null for none.
    """
    for name, (columns, check) in _TABLES.items():
        path = tables.get(name)
        if path is not None:
            mistakes = list(_of(path, columns, check))
            if not mistakes and name in ("kinds", "regions"):
                mistakes = [*_unlike_regions(name, path, tables.get("regions"))]
            yield from (f"labels.tables.{name}: {path}{mistake}" for mistake in mistakes)


def _unlike_regions(name: str, path: str, regions: str | None) -> Iterator[str]:
    """Regions in a table of kinds, and parts in one of regions, that no table has."""
    known = {row["region"] for row in rows_of("regions.csv")} | set(_own_regions(regions))
    column = {"kinds": "region", "regions": "parts"}[name]
    named = [word for row in user_rows(path) for word in (row.get(column) or "").split()]
    for word in dict.fromkeys(named):
        if mistake := _unknown("a region that a table has", word, sorted(known - {""})):
            yield f": {mistake}"


def _own_regions(table: str | None) -> list[str]:
    """The regions of a user's table; none where it cannot be read, which is said elsewhere."""
    columns = ("term", "region", "parts")
    if table is None or any(_of(table, columns, _region)):
        return []
    return [row["region"] for row in user_rows(table)]


def units_mistakes(table: str | None, key: str) -> Iterator[str]:
    """Yield the mistakes in a site's table of units, which the config names at `key`."""
    if table is None:
        return
    mistakes = list(_of(table, ("keyword", "factor"), _unit))
    if not mistakes:
        keywords = [row["keyword"] for row in user_rows(table)]
        twice = dict.fromkeys(name for name in keywords if keywords.count(name) > 1)
        mistakes = [f": {name} is in it twice; a tag has one factor at a site" for name in twice]
    yield from (f"{key}: {table}{mistake}" for mistake in mistakes)


def _of(path: str, columns: Collection[str], check: Callable[[Row], str | None]) -> Iterator[str]:
    """The mistakes in one table."""
    if not os.path.isfile(path):
        yield f" does not exist (seen from {os.getcwd()})"
        return
    try:
        rows = user_rows(path, columns)
    except TableError as error:
        yield str(error).removeprefix(path)
        return
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        yield f": lacks {', '.join(missing)}; the first line has to be {','.join(columns)}"
    else:
        yield from dict.fromkeys(f": {mistake}" for row in rows if (mistake := check(row)))


def _kind(row: Row) -> str | None:
    if not row["code"] or not row["kind"]:
        return "a row lacks its code or its kind; fill both"
    return _unknown("picture", row["picture"], ("yes", "no"))


def _region(row: Row) -> str | None:
    terms = [known["term"] for known in rows_of("annex_l.csv")]
    region = row["region"]
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,15}|", region):
        return f"{region} cannot be a region; write at most 16 capital letters, digits and _"
    return _unknown("a term of DICOM PS3.16 Annex L", row["term"], terms) or _misspelt(region)


def _misspelt(region: str) -> str | None:
    """What is wrong with a region that is one letter off a known one; others are the user's own."""
    known = sorted({row["region"] for row in rows_of("regions.csv")} - {""})
    near = next((one for one in known if _one_off(region, one)), None)
    if near is None or region in known:
        return None
    return f"{region} is almost {near}; write {near}, or a region of your own less like it"


def _one_off(word: str, other: str) -> bool:
    """Whether a letter is lacking, or two stand in the wrong order, in all but short words."""
    if min(len(word), len(other)) < LEAST_LETTERS:
        return False
    swapped = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    lacking = [other[:i] + other[i + 1 :] for i in range(len(other))]
    return word in lacking or other in swapped


def _kernel(row: Row) -> str | None:
    try:
        re.compile(row["pattern"])
    except re.error as error:
        return f"{row['pattern']} is no regular expression ({error}); escape + ( ) [ ] with \\"
    words = dict.fromkeys(known["word"] for known in rows_of("kernels.csv"))
    return _unknown("a word of the facet kernel", row["word"], words)


def _facet(row: Row) -> str | None:
    shipped = [
        (known["facet"], known["keyword"].split("|")) for known in rows_of("facet_words.csv")
    ]
    if mistake := _unknown(
        "a facet of this table", row["facet"], sorted({name for name, _ in shipped})
    ):
        return mistake
    read = sorted({key for name, keys in shipped if name == row["facet"] for key in keys})
    for keyword in row["keyword"].split("|"):
        if mistake := _unknown(f"a tag that {row['facet']} is read from", keyword, read):
            return mistake
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+*-]{0,15}( [A-Za-z0-9]{1,9})?|", row["word"]):
        return f"{row['word']} cannot be a word; write at most 16 letters and digits"
    return None if row["items"] else "a row lacks its items; put | between several"


def _role(row: Row) -> str | None:
    modules = {known["module"] for known in rows_of("modules.csv")}
    if row["name"] not in modules and tag_for_keyword(row["name"]) is None:
        return _unknown("a DICOM keyword or a module of PS3.3", row["name"], sorted(modules))
    roles = dict.fromkeys(known["role"] for known in rows_of("roles.csv"))
    return _unknown("a role", row["role"], roles)


def _unit(row: Row) -> str | None:
    keyword, factor = row["keyword"], row["factor"]
    tag = tag_for_keyword(keyword)
    if tag is None:
        return f"{keyword or '(empty)'} is no DICOM keyword{suggestion(keyword)}"
    if (vr := dictionary_VR(tag)) not in MEASURED:
        return f"{keyword} is no number with a unit: its VR is {vr}, not {', '.join(MEASURED)}"
    if not _is_positive(factor):
        return f"{factor or '(empty)'} is no factor for {keyword}; write a number above 0, as 0.001"
    return None


def _is_positive(text: str) -> bool:
    is_number = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text)
    return is_number is not None and 0 < float(text) < math.inf


def _word(row: Row) -> str | None:
    if not re.fullmatch(r"[a-z][a-z_]{0,15}|", row["facet"]):
        return f"{row['facet']} cannot be a facet; write at most 16 small letters"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+*-]{0,15}|", row["word"]):
        return f"{row['word']} cannot be a word; write at most 16 letters and digits without blanks"
    rank = row.get("rank") or ""
    if rank and not rank.isdecimal():
        return f"{rank} is no rank; write a whole number, or nothing"
    return None if row["spellings"] else "a row lacks its spellings; put | between several"


def _unknown(what: str, value: str, known: Collection[str]) -> str | None:
    """What is wrong with a value that is none of those known; None if nothing is."""
    if value in known:
        return None
    near = difflib.get_close_matches(value, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join([*known][:12])}"
    return f"{value or '(empty)'} is not {what}; {hint}"


# Table -> its columns, and the check of a row.
_TABLES: dict[str, tuple[tuple[str, ...], Callable[[Row], str | None]]] = {
    "kinds": (("code", "kind", "picture", "also", "words"), _kind),
    "regions": (("term", "region", "parts"), _region),
    "kernels": (("maker", "pattern", "word"), _kernel),
    "facets": (("facet", "word", "keyword", "items"), _facet),
    "roles": (("name", "role"), _role),
    "words": (("facet", "word", "spellings", "kinds"), _word),
}
