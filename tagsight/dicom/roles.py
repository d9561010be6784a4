"""The role of a tag: whether it says what was imaged, or by which device, of whom, how stored.

Distances between images are to be distances between what they show. Tags of devices, patients and
files agree or differ for other reasons, so labels are made of content alone unless the config
says otherwise.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from tagsight.dicom.dictionary import attribute
from tagsight.run.package_data import rows_of, user_rows

Role = Literal["content", "equipment", "patient", "storage", "order"]
ROLES: tuple[Role, ...] = get_args(Role)


def roles(user_table: str | Path | None = None) -> dict[str, Role]:
    """Return the role of keywords and of modules of PS3.3, by name.

    user_table: the config's `labels.tables.roles`, rows of name, role on top of the library's.
    """
    rows = [*rows_of("roles.csv"), *user_rows(user_table)]
    return {row["name"]: row["role"] for row in rows}  # type: ignore[misc]  # checked in the config


def roles_of(keywords: Sequence[str], user_table: str | Path | None = None) -> dict[str, Role]:
    """Return the role of each tag; user_table: see `roles`."""
    table = roles(user_table)
    return {keyword: role(keyword, table) for keyword in keywords}


def role(keyword: str, table: Mapping[str, Role]) -> Role:
    """Return the role of a tag: its own in the table, else that of its module, else content.

    table: of `roles`.
    """
    module = attribute(keyword).module
    return table.get(keyword) or table.get(module) or "content"
