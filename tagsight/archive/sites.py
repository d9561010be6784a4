"""The sites of an archive, as the config names them: several archives read as one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Site(NamedTuple):
    """Where a site's files are, and its own tables, if it has any.

    body_parts: of spellings of body parts; units: of the units that its numbers are in.
    """

    paths: list[Path]
    body_parts: str | None = None
    units: str | None = None


def named_sites(value: str | Sequence[str] | Mapping[str, object]) -> dict[str | None, Site]:
    """Return the sites by name; one without a name where `input` names none.

    value: of `input`: a path, several, or site -> path, several, or {path, body_parts, units}.
    """
    if not isinstance(value, Mapping):
        return {None: Site(_paths(value))}
    return {str(name): _site(content) for name, content in value.items()}


def site_by_path(sites: Mapping[str | None, Site]) -> dict[Path, str]:
    """Return input -> its site, for sites that have a name."""
    return {path: name for name, site in sites.items() if name for path in site.paths}


def _site(content: object) -> Site:
    if isinstance(content, Mapping):
        return Site(_paths(content["path"]), content.get("body_parts"), content.get("units"))
    return Site(_paths(content))


def _paths(value: object) -> list[Path]:
    if isinstance(value, str):
        return [Path(value)]
    assert isinstance(value, Sequence)  # the schema makes sure
    return [Path(path) for path in value]
