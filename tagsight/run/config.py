"""The config, checked against its schema: all mistakes at once, one line for each."""

import difflib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from pydicom.datadict import dictionary_VR, tag_for_keyword

from tagsight.errors import ConfigError
from tagsight.run.plain_text import plain
from tagsight.run.user_files.repeated_keys import repeated_keys
from tagsight.run.user_files.table_config import suggestion, table_mistakes, wildcard_mistakes
from tagsight.run.user_files.user_tables import (
    body_parts_mistakes,
    label_tables_mistakes,
    units_mistakes,
)

NO_INPUT = (
    "input: not set; name your archive in a file of your own (mine.yaml: `input: /path/to/dicom`) "
    "and run `snakemake -c2 --configfile mine.yaml`, "
    "or try the demo: `snakemake -c2 --configfile config/demo.yaml`"
)

_BOTH = (
    "input, tags.table: both are set, but a run is on DICOM files or on a ready table of tags; "
    "set input (and demo) to null, or tags.table"
)


def checked(
    config: dict[str, Any], schema: Path, files: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """Return `config` if it obeys the schema and no values contradict each other.

    files: that the config was read from; none may have a key twice.
    Raises ConfigError with all mistakes, one line for each: the key, the value, what is allowed. A
    missing input alone is not a mistake: looking at the workflow needs none.
    """
    _restore_on(config)
    if circle := next(_circles(config, ()), None):
        raise ConfigError(f"{plain(circle)}: holds itself (& and *); write it out")
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    errors = sorted(_Validator(rules).iter_errors(config), key=_where)
    mistakes = [line for path in files for line in repeated_keys(Path(path))]
    mistakes += dict.fromkeys(line for error in errors for line in _lines(error, rules))
    table = (config.get("tags") or {}).get("table")
    mistakes += _without_input(config.get("input"), config.get("demo"), table)
    if not errors:
        mistakes += [*_contradictions(config, rules), *_of_tables(config)]
        mistakes += [*_of_sites(config["input"]), *_of_eyes(config["eyes"])]
    if mistakes:
        mistakes += [NO_INPUT] if lacks_input(config) else []
        raise ConfigError("\n".join(map(plain, mistakes)))
    return config


def lacks_input(config: dict[str, Any]) -> bool:
    """Return whether neither `input` nor `tags.table` is set."""
    return config.get("input") is None and (config.get("tags") or {}).get("table") is None


def completed(config: dict[str, Any], defaults: Path) -> dict[str, Any]:
    """Return `config` with the missing keys filled from `defaults`."""
    return _completed(config, yaml.safe_load(defaults.read_text(encoding="utf-8")))


def _completed(config: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    sections = {
        key: _completed(value, defaults[key])
        for key, value in config.items()
        if isinstance(value, dict) and isinstance(defaults.get(key), dict)
    }
    return {**defaults, **config, **sections}


def keys(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every leaf key of a schema, dotted, with its part of the schema."""
    for name, part in schema["properties"].items():
        if "properties" in part and part.get("type") == "object":
            yield from keys(part, f"{prefix}{name}.")
        else:
            yield prefix + name, part


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (isinstance(value, int) or math.isfinite(value))


def _restore_on(config: dict[str, Any]) -> None:
    """Restore the key `on`, which YAML 1.1 reads as true where it is written without quotes."""
    section = config.get("cluster")
    if isinstance(section, dict) and True in section:
        section["on"] = section.pop(True)


def _circles(value: Any, outer: tuple[int, ...], key: str = "") -> Iterator[str]:
    """Yield the keys whose values hold themselves, as YAML's anchors allow."""
    if id(value) in outer:
        yield key.lstrip(".")
    elif isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inner:
            yield from _circles(each, (*outer, id(value)), f"{key}.{name}")


def _where(error: jsonschema.ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _lines(error: jsonschema.ValidationError, schema: dict[str, Any]) -> Iterator[str]:
    where = _where(error)
    if error.validator == "additionalProperties":
        names = list(error.schema.get("properties", {}))
        for name in sorted(map(str, set(error.instance) - set(names))):
            yield f"{where}.{name}".lstrip(".") + ": no such key" + _guess(name, names, schema)
    elif error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield from (f"{where}.{name}".lstrip(".") + ": not set" for name in missing)
    else:
        meaning = error.schema.get("description", "")
        said = f"{where}: {json.dumps(error.instance)} is not allowed; {allowed(error.schema)}"
        yield said + (f" ({meaning})" if meaning else "") + _as_number(error)


def _as_number(error: jsonschema.ValidationError) -> str:
    """How a number is written that YAML 1.1 reads as text: `1e-3` has no point."""
    is_text = isinstance(error.instance, str) and "number" in allowed(error.schema)
    if not is_text or not re.fullmatch(r"[+-]?[0-9.]*[0-9][eE][+-]?[0-9]{1,2}", error.instance):
        return ""
    try:
        return f"; YAML reads this as text: write {Decimal(error.instance):f}"
    except InvalidOperation:
        return ""


def _guess(name: str, names: list[str], schema: dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    elsewhere = [key for key, _ in keys(schema) if key.split(".")[-1] == name]
    if near:
        return f"; did you mean {near[0]}?"
    return f"; did you mean {elsewhere[0]}?" if elsewhere else f"; known here: {', '.join(names)}"


def allowed(rule: dict[str, Any]) -> str:
    """Return what a schema allows, in words.

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
        words += ", all different" if rule.get("uniqueItems") else ""
        return f"{words}: {_words(rule['items'])}"
    bounds = [f"{sign} {rule[name]}" for name, sign in _BOUNDS.items() if name in rule]
    return " ".join([words, " and ".join(bounds)]).strip()


_NO_TEXT = "has no text, and only texts and numbers are kept"
# VR -> why attributes of it are never kept (PS3.5 6.2).
_NEVER_KEPT = {
    "PN": "is a person's name, and names are never kept",
    "UI": "is a UID, which is kept as a hash alone; labels.parquet has the three of an image",
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"), _NO_TEXT),
}

# jsonschema accepts 1.0 as an integer, and .nan and .inf as numbers within any bounds; the code
# that uses the value does not.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ).redefine("number", lambda _, value: _is_finite(value)),
)
_KINDS = {"string": "text", "array": "list", "object": "section", "boolean": "true or false"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _without_input(places: Any, demo: Any, table: Any) -> list[str]:
    """The mistakes in `input`, also of a config that does not obey the schema."""
    if table is not None:
        return [] if places is None and demo is None else [_BOTH]
    if places is None:
        return []
    if demo:
        return []
    absent = [place for place in _paths_of(places) if not os.path.exists(place)]
    return [f"input: {place} does not exist (seen from {os.getcwd()})" for place in absent]


def _paths_of(places: Any) -> list[str]:
    """The paths in `input`, at all its sites."""
    if isinstance(places, dict):
        sites = [site.get("path") if isinstance(site, dict) else site for site in places.values()]
        return [path for site in sites for path in _paths_of(site)]
    paths = [places] if isinstance(places, str) else places
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _of_sites(places: Any) -> Iterator[str]:
    """Mistakes in `input` as sites: a path of two of them, or in a site's own tables."""
    if not isinstance(places, dict):
        return
    paths = [os.path.normpath(path) for path in _paths_of(places)]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        yield f"input: {path} is named twice; a path is of one site"
    for name, site in places.items():
        own = site if isinstance(site, dict) else {}
        yield from body_parts_mistakes(own.get("body_parts"), f"input.{name}.body_parts")
        yield from units_mistakes(own.get("units"), f"input.{name}.units")


def _of_eyes(eyes: list[str | dict[str, Any]]) -> Iterator[str]:
    """Mistakes in `eyes` that the schema cannot find."""
    if eyes[0] != "autoencoder":
        yield "eyes: the first has to be autoencoder, which the others are referees of"
    names = [eye if isinstance(eye, str) else eye["name"] for eye in eyes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"eyes: {name} is named twice; give the networks names of their own"
    for eye in (eye for eye in eyes if isinstance(eye, dict)):
        if not os.path.isfile(eye["file"]):
            yield f"eyes.{eye['name']}.file: {eye['file']} does not exist (seen from {os.getcwd()})"
        if len(eye["mean"]) != len(eye["std"]) or len(eye["mean"]) not in (1, 3):
            yield f"eyes.{eye['name']}: mean and std have to be of one channel both, or of three"


def _of_tables(config: dict[str, Any]) -> list[str]:
    """Mistakes in the tables that the config names."""
    tags, labels, worth = config["tags"], config["labels"], config["worth"]["labels"]
    return [
        *table_mistakes(tags),
        *body_parts_mistakes(tags["body_parts"]),
        *label_tables_mistakes(labels["tables"]),
        *(wildcard_mistakes("worth.labels", worth) if worth else ()),
    ]


def _without_pixels(config: dict[str, Any]) -> list[str]:
    """Return what a config asks for that a ready table of tags has no pixels for."""
    if config["tags"]["table"] is None:
        return []
    asked = []
    if config["gower"]["weights"] == "looks":
        asked.append("gower.weights: looks are learned from pixels{}; use equal or commensurable")
    if config["report"]["worth"]:
        asked.append("report.worth: what labels are worth is learned from pixels{}; leave it false")
    return [line.format(", and a ready table of tags (tags.table) has none") for line in asked]


def _contradictions(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Mistakes that the schema cannot find: unknown keywords, values that exclude each other."""
    texts = schema["properties"]["tags"]["properties"]["derive_text"]["items"]["enum"]
    derived = {f"{keyword}{what}" for keyword in texts for what in ("Region", "Words")}
    mistakes = [
        f"{section}.{key}: {keyword} is no DICOM keyword" + suggestion(keyword)
        for section, key in (("select", "drop"), ("privacy", "keep"))
        for keyword in config[section][key]
        if tag_for_keyword(keyword) is None and not (key == "drop" and keyword in derived)
    ]
    kept = [(k, tag) for k in config["privacy"]["keep"] if (tag := tag_for_keyword(k)) is not None]
    mistakes += [
        f"privacy.keep: {keyword} {_NEVER_KEPT[vr]}"
        for keyword, tag in kept
        if (vr := dictionary_VR(tag).split(" or ")[0]) in _NEVER_KEPT
    ]
    least = min(config["cluster"]["k"])
    mistakes += [
        f"samples.{sample}: {config['samples'][sample]} images are too few for cluster.k: {least} "
        "clusters at least are asked for; it has to be larger"
        for sample in ("tuning", "trial")
        if config["samples"][sample] <= least and not config["labels"]["tree"]
    ]
    algorithm = config["cluster"]["algorithm"]
    if config["cluster"]["on"] == "all" and algorithm != "fasterpam":
        mistakes.append(
            f"cluster.algorithm: {algorithm} clusters a sample, and cluster.on: all goes on from "
            "there by the swaps of fasterpam alone; leave one of the two at its default"
        )
    if (config["gower"]["ranges"], config["gower"]["weights"]) == ("sample", "commensurable"):
        mistakes.append(
            "gower.weights: commensurable are the weights of the whole archive, and gower.ranges: "
            "sample is not; leave one of the two at its default"
        )
    mistakes += _without_pixels(config)
    shares = [config["labels"][key] for key in ("region_weight", "facets_weight")]
    if sum(shares) > 1:
        mistakes.append(
            f"labels.facets_weight: {shares[1]} and labels.region_weight: {shares[0]} are shares "
            "of one distance, and more than all of it; they may add up to 1"
        )
    own_number = {"hdbscan", "dynmsc"}
    if config["labels"]["tree"] and algorithm in own_number:
        mistakes.append(
            f"cluster.algorithm: {algorithm} chooses its number of clusters, and labels.tree deals "
            "labels.count to the kinds; use fasterpam, or labels.tree: false"
        )
    key_file = config["privacy"]["key_file"]
    if key_file is not None and not config["demo"] and not os.path.isfile(key_file):
        mistakes.append(
            f"privacy.key_file: {key_file} is not there; make it (32 random bytes or more), or "
            "leave it null to have one made in results/"
        )
    return mistakes
