"""Keys that a file of YAML has twice: of the two YAML keeps the last, in silence."""

from collections.abc import Iterator
from pathlib import Path

import yaml


def repeated_keys(path: Path) -> Iterator[str]:
    """Yield a line for each key that a section of a file has twice, with both places.

    A file that is no YAML has none: whoever reads it says so.
    """
    try:
        with path.open(encoding="utf-8") as file:
            root = yaml.compose(file, yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        return
    for key, first, again in _twice(root, "", ()):
        yield (
            f"{path}, line {again}: {key} is given a second time, after line {first}, and YAML "
            "would drop the first; keep one of them"
        )


def _twice(
    node: yaml.Node | None, prefix: str, outer: tuple[yaml.Node, ...]
) -> Iterator[tuple[str, int, int]]:
    """Dotted keys that come twice, and the lines of both, counted from 1.

    outer: the sections around this one; it may be one of them, by an anchor.
    """
    if node is None or any(node is each for each in outer):
        return
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, prefix, (*outer, node))
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{prefix}{key.value}", key.start_mark.line + 1
        if name in lines:
            yield name, lines[name], line
        lines.setdefault(name, line)
        yield from _twice(value, f"{name}.", (*outer, node))
