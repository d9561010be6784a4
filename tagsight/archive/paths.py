"""Paths as text that any table can hold, and back to the same bytes."""

import os
import re

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_OF_A_SYSTEM = re.compile(
    r"(?i)(?:^|[/!])(?:__MACOSX(?:/.*)?|\._[^/!]*|\.DS_Store|(?:eh)?thumbs\.db|desktop\.ini)$"
)


def to_text(path: str) -> str:
    """Return a path as text that any table can hold; `to_path` leads back to the same bytes.

    Bytes that are not UTF-8 become `\\xNN`, and so does `!`, which separates a container and its
    member: `container!member`. In a path that needs this, or already looks so, backslashes are
    escaped too, so that no two paths have the same text.
    """
    if path.isascii():
        if "!" not in path and ("\\" not in path or not _ESCAPED.search(path)):
            return path
    elif _is_plain(path):
        return path
    escaped = path.replace("\\", "\\x5c").replace("!", "\\x21")
    return os.fsencode(escaped).decode("utf-8", "backslashreplace")


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return "!" not in path and not _ESCAPED.search(path)


def to_path(text: str) -> str:
    """Return the path that `to_text` wrote."""
    if "\\" not in text or not _ESCAPED.search(text):
        return text
    data = re.sub(
        rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode()
    )
    return os.fsdecode(data)


def is_of_a_system(path: str) -> bool:
    """Return whether a path (text form) is one that systems leave behind for themselves.

    A Mac's half of each file it packs (`__MACOSX`, `._name`), and indices of folders.
    """
    return _OF_A_SYSTEM.search(path) is not None
