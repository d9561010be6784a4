"""The config: checked whole against its schema, every mistake at once, a line each."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tagsight.errors import ConfigError

NO_INPUT = (
    "input: not set; name your archive in a file of your own (mine.yaml: `input: /path/to/dicom`) "
    "and run `snakemake -c2 --configfile mine.yaml`, "
    "or try the demo: `snakemake -c2 --configfile config/demo.yaml`"
)


def checked(config: dict[str, Any], schema: Path) -> dict[str, Any]:
    """Return `config` if it obeys the schema and its values go together.

    Raises ConfigError with all mistakes, a line each: the key, the value, what is allowed.
    """
    rules = yaml.safe_load(schema.read_text())
    found = sorted(jsonschema.Draft202012Validator(rules).iter_errors(config), key=_where)
    mistakes = [line for error in found for line in _lines(error, rules)]
    mistakes = mistakes or [*_contradictions(config)]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def keys(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every leaf key of a schema, dotted, with what the schema says of it."""
    for name, part in schema["properties"].items():
        if "properties" in part and part.get("type") == "object":
            yield from keys(part, f"{prefix}{name}.")
        else:
            yield prefix + name, part


def _where(error: jsonschema.ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _lines(error: jsonschema.ValidationError, schema: dict[str, Any]) -> Iterator[str]:
    where = _where(error)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for name in sorted(set(error.instance) - set(known)):
            yield f"{where}.{name}".lstrip(".") + ": no such key" + _guess(name, known, schema)
    elif error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield from (f"{where}.{name}".lstrip(".") + ": not set" for name in missing[:1])
    else:
        meaning = error.schema.get("description", "")
        yield f"{where}: {json.dumps(error.instance)} is not allowed; {allowed(error.schema)}" + (
            f" ({meaning})" if meaning else ""
        )


def _guess(name: str, known: list[str], schema: dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    elsewhere = [key for key, _ in keys(schema) if key.split(".")[-1] == name]
    if near:
        return f"; did you mean {near[0]}?"
    return f"; did you mean {elsewhere[0]}?" if elsewhere else f"; known here: {', '.join(known)}"


def allowed(rule: dict[str, Any]) -> str:
    """What a schema allows, in words.

    >>> allowed({"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 2}})
    'allowed: list of 1 or more: integer ≥ 2'
    """
    return f"allowed: {_words(rule)}"


def _words(rule: dict[str, Any]) -> str:
    if "anyOf" in rule:
        return ", or ".join(_words(option) for option in rule["anyOf"])
    if "enum" in rule:
        return ", ".join(str(value) for value in rule["enum"])
    kinds = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    words = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    if "items" in rule:
        words += f" of {rule['minItems']} or more" if "minItems" in rule else ""
        return f"{words}: {_words(rule['items'])}"
    bounds = [f"{sign} {rule[name]}" for name, sign in _BOUNDS.items() if name in rule]
    return " ".join([words, " and ".join(bounds)]).strip()


_KINDS = {"string": "text", "array": "list", "object": "section", "boolean": "true or false"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _contradictions(config: dict[str, Any]) -> Iterator[str]:
    if config["input"] is None:
        yield NO_INPUT
    elif not config["demo"]:
        inputs = [config["input"]] if isinstance(config["input"], str) else config["input"]
        for place in inputs:
            if not Path(place).exists():
                yield f"input: {place} does not exist (seen from {Path.cwd()})"
