"""Finds identifying values that turn up again in other tags of the same file."""

import re
from collections.abc import Iterable

MIN_LENGTH = 4


def identities(values: Iterable[str]) -> list[str]:
    """What to look for, lower case: every part of every value, of at least 4 characters.

    A person name counts as a whole and by each of its components (PS3.5 6.2.1: `^` within, `=`
    between the writings).
    """
    parts = (part for value in values for part in re.split(r"[\\=]", value))
    found = {piece for part in parts for piece in (part, part.replace("^", " "), *part.split("^"))}
    cleaned = {piece.strip().lower() for piece in found}
    return sorted(piece for piece in cleaned if len(piece) >= MIN_LENGTH)


def repeating(texts: dict[str, str], identifying: list[str]) -> list[str]:
    """Keywords of `texts` whose value is, or holds as whole words, one of the `identifying`."""
    everything = "\n".join(texts.values()).lower()
    present = [value for value in identifying if value in everything]
    if not present:
        return []
    words = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, present))})(?![^\W_])")
    return [keyword for keyword, text in texts.items() if words.search(text.lower())]
