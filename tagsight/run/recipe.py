"""The recipe of a rule: a short hash of all that its result depends on, except data.

Snakemake watches scripts by modification time and what they import not at all, and after a failed
job it can take yesterday's results for today's. A recipe, carried by each rule as a param, closes
both gaps: it covers the rule's code, the config values that it reads, and the recipes of the rules
that it takes input from. docs/architecture.md says more.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from tagsight.run.imports import dependencies

# Config keys that may name a user's table -> the clone's table that it extends.
BASE_TABLES = {
    "tags.body_parts": "tagsight/data/body_parts.csv",
    "labels.tables.kinds": "tagsight/data/kinds.csv",
    "labels.tables.regions": "tagsight/data/regions.csv",
    "labels.tables.kernels": "tagsight/data/kernels.csv",
    "labels.tables.facets": "tagsight/data/facet_words.csv",
    "labels.tables.roles": "tagsight/data/roles.csv",
    "labels.tables.words": "tagsight/data/technique_words.csv",
}

SITE_TABLES = ("body_parts", "units")  # that a site of `input` may name


class Recipes:
    """The maker of the params of rules, recipe among them.

    >>> recipe = Recipes(workflow.basedir, config)                          # doctest: +SKIP
    >>> recipe("clusters", rules.samples, k="cluster.k", seed="seed")       # doctest: +SKIP
    {'k': [5, 10], 'seed': 1, 'recipe': '5f0c…'}
    """

    def __init__(self, clone: str | Path, config: dict[str, Any]) -> None:
        self.clone, self.config = Path(clone), config
        self.rules: dict[str, str] = {}  # recipe -> its rule
        self.after: dict[str, set[str]] = {}  # rule -> all rules that its recipe covers

    def __call__(self, rule: str, /, *after: Any, **reads: str) -> dict[str, Any]:
        """Return the params of `rule`: the config values named by `reads`, and the recipe.

        after: the rules (as `rules.name`) whose output is this rule's input; rules upstream of
        them need not be named; reads: param = dotted config key. Of a table that a value names,
        the content counts.
        Raises TypeError where a value is not plain JSON.
        """
        values = {param: self.value(key) for param, key in reads.items()}
        upstream = [producer.params.recipe for producer in after]
        recipe = _digest([self.code(rule), self._contents(reads), upstream])
        producers = {self.rules[other] for other in upstream}
        self.rules[recipe] = rule
        self.after[rule] = producers.union(*(self.after[other] for other in producers))
        return {**values, "recipe": recipe}

    def without_upstream(self, rule: str, /, **reads: str) -> str:
        """Return the recipe of `rule` without its input: of its code and config values alone."""
        return _digest([self.code(rule), self._contents(reads)])

    def _contents(self, reads: dict[str, str]) -> dict[str, Any]:
        """Return the values at some keys; for a table its content, and its base table's."""
        return {param: self._content(key) for param, key in reads.items()}

    def _content(self, key: str) -> Any:
        """Return the value at a key; for a table, or a section of tables, what these hold."""
        tables = [table for table in BASE_TABLES if table.startswith(f"{key}.")]
        if tables:
            return [self._content(table) for table in tables]
        value = self.value(key)
        if key in BASE_TABLES:
            return self._tables(key)
        if key == "input" and isinstance(value, dict):
            of_sites = [site for site in value.values() if isinstance(site, dict)]
            tables = [site[name] for site in of_sites for name in SITE_TABLES if site.get(name)]
            return [value, [_hash_of(Path(table)) for table in tables]]
        return value

    def _tables(self, key: str) -> list[str]:
        user_table = self.value(key)
        tables = [self.clone / BASE_TABLES[key], *([Path(user_table)] if user_table else [])]
        return [_hash_of(table) for table in tables]

    def value(self, key: str) -> Any:
        """Return the config value at a dotted key, None in a section that is null.

        Raises KeyError where there is no such key.
        """
        value = self.config
        for part in key.split("."):
            value = None if value is None else value[part]
        return value

    def code(self, rule: str) -> str:
        """Return the hash of a rule's script and of all that it imports of the library."""
        script = self.clone / "scripts" / f"{rule}.py"
        sources = sorted({script, *dependencies(script, self.clone)})
        return _digest([[_inside(self.clone, path), source_hash(path)] for path in sources])


@cache
def source_hash(path: Path) -> str:
    """Return the hash of a file's meaning: for Python, of the syntax tree without docstrings."""
    content = path.read_bytes()
    if path.suffix == ".py":
        content = ast.dump(_without_docstrings(ast.parse(content))).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _hash_of(table: Path) -> str:
    return hashlib.blake2b(table.read_bytes()).hexdigest()


def _inside(clone: Path, path: Path) -> str:
    """Return a file's path relative to the clone: several modules may share a name."""
    return path.relative_to(clone).as_posix()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return tree


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
