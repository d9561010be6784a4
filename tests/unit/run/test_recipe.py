"""Recipes: the meaning of code and config counts, layout does not."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tagsight.run.imports import dependencies
from tagsight.run.recipe import BASE_TABLES, Recipes

CONFIG = {"seed": 1, "cluster": {"k": [5, 10]}}
FILES = {
    "scripts/clusters.py": "from tagsight.gower import matrix\n\nmatrix()\n",
    "tagsight/__init__.py": "",
    "tagsight/gower.py": (
        'from tagsight import ranges\n\ndef matrix():\n    return ranges.of("r.csv")\n'
    ),
    "tagsight/ranges.py": "def of(table):\n    return table\n",
    "tagsight/data/r.csv": "a,1\n",
    "tagsight/other.py": "x = 1\n",
}


@pytest.fixture
def clone(tmp_path):
    def write(**changed):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in (FILES | changed).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return Recipes(folder, CONFIG)

    return lambda changed=None: write(**(changed or {}))


def made(recipes, *after, **reads):
    return recipes("clusters", *after, **(reads or {"k": "cluster.k"}))["recipe"]


def test_values_become_params(clone):
    params = clone()("clusters", k="cluster.k", seed="seed")
    assert params["k"] == [5, 10]
    assert params["seed"] == 1
    assert set(params) == {"k", "seed", "recipe"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/clusters.py", "# why\nfrom tagsight.gower import matrix\nmatrix(  )\n"),
        (
            "tagsight/ranges.py",
            '"""What it is."""\n\n\ndef of(table):\n    # why\n    return table\n',
        ),
        ("tagsight/other.py", "x = 2\n"),
    ],
)
def test_comments_layout_docstrings_and_what_is_not_imported_do_not_count(clone, name, text):
    assert made(clone({name: text})) == made(clone())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/clusters.py", "from tagsight.gower import matrix\n\nmatrix(1)\n"),
        ("tagsight/gower.py", FILES["tagsight/gower.py"].replace("return", "return not")),
        ("tagsight/ranges.py", "def of(table):\n    return table[1:]\n"),
        ("tagsight/data/r.csv", "a,2\n"),
    ],
)
def test_code_that_is_reached_and_tables_that_it_names_count(clone, name, text):
    assert made(clone({name: text})) != made(clone())


def test_a_module_counts_under_its_whole_path(clone):
    """Several rooms may have a module of one name, and such modules may swap their content."""
    rooms = {
        "scripts/clusters.py": "from tagsight.a import names\nfrom tagsight.b import names\n",
        "tagsight/a/names.py": "x = 1\n",
        "tagsight/b/names.py": "x = 2\n",
    }
    swapped = {"tagsight/a/names.py": "x = 2\n", "tagsight/b/names.py": "x = 1\n"}
    assert made(clone(rooms)) != made(clone(rooms | swapped))


@pytest.mark.parametrize(
    "line",
    [
        "from tagsight.room import f",
        "from tagsight import room",
        "import tagsight",
        "import tagsight.room",
        "from tagsight import missing",
        "from tagsight import *",
        "from . import gower",
        "from .room import f",
        "import tagsight.ranges",
        "import importlib",
        "from importlib import import_module as load",
        "from importlib.util import spec_from_file_location",
        "import runpy as run",
        "import pkgutil",
        "__import__('tagsight.gower')",
        "exec('import tagsight.gower')",
    ],
)
def test_an_import_that_leads_to_no_module_stops_the_run(clone, line):
    room = {"tagsight/room/__init__.py": "def f(): ...\n"}
    with pytest.raises(ImportError, match=r"gower\.py, line 2: .*full name"):
        made(clone(room | {"tagsight/gower.py": f"x = 1\n{line}\n"}))


def test_config_values_and_producers_count():
    recipes = Recipes(".", CONFIG)
    recipes.code = lambda _rule: "same"
    other = Recipes(".", {"seed": 2, "cluster": {"k": [5, 10]}})
    other.code = recipes.code
    producer = [SimpleNamespace(params=SimpleNamespace(recipe=text)) for text in "ab"]
    recipes.rules, recipes.after = (
        {"a": "samples", "b": "tags"},
        {"samples": {"tags"}, "tags": set()},
    )
    assert made(recipes, k="cluster.k") == made(other, k="cluster.k")
    assert made(recipes, seed="seed") != made(other, seed="seed")
    assert made(recipes, producer[0]) != made(recipes, producer[1])
    made(recipes, producer[0])
    assert recipes.after["clusters"] == {"samples", "tags"}
    alone = [each.without_upstream("clusters", k="cluster.k") for each in (recipes, other)]
    assert alone[0] == alone[1]


def test_of_a_table_the_content_counts_with_that_of_the_one_it_is_laid_on(clone, tmp_path):
    mine = tmp_path / "mine.csv"

    def recipe_of(shipped, own):
        recipes = clone({"tagsight/data/body_parts.csv": shipped})
        recipes.config = {"tags": {"body_parts": str(mine) if own else None}}
        mine.write_text(own or "", encoding="utf-8")
        params = recipes("clusters", body_parts="tags.body_parts")
        assert params["body_parts"] == (str(mine) if own else None)
        assert len(recipes.without_upstream("clusters", body_parts="tags.body_parts")) == 16
        return params["recipe"]

    made = [recipe_of(*texts) for texts in (("a", None), ("b", None), ("a", "a"), ("a", "b"))]
    assert len(set(made)) == 4
    assert recipe_of("a", "b") == made[-1]


def test_of_a_section_of_tables_the_content_of_each_counts(clone, tmp_path):
    mine = tmp_path / "mine.csv"
    names = [key.removeprefix("labels.tables.") for key in BASE_TABLES if "labels" in key]

    def recipe_of(name, own):
        recipes = clone(dict.fromkeys(BASE_TABLES.values(), "a"))
        paths = dict.fromkeys(names) | ({name: str(mine)} if own else {})
        recipes.config = {"labels": {"tables": paths}}
        mine.write_text(own or "", encoding="utf-8")
        params = recipes("clusters", tables="labels.tables")
        assert params["tables"] == paths
        return params["recipe"]

    made = [recipe_of(name, own) for name in names for own in ("x", "y")]
    assert len({*made, recipe_of(names[0], None)}) == 2 * len(names) + 1
    assert recipe_of(names[-1], "y") == made[-1]


def test_what_a_key_is_laid_on_is_there():
    clone = Path(__file__).parents[3]
    assert [path for path in BASE_TABLES.values() if not (clone / path).is_file()] == []


def test_in_a_section_that_is_null_every_key_is():
    assert Recipes(".", CONFIG | {"demo": None}).value("demo.patients") is None


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        Recipes(".", CONFIG).value("cluster.kk")


def test_every_table_and_template_is_covered_by_some_recipe():
    clone = Path(__file__).parents[3]
    scripts = (clone / "scripts").glob("*.py")
    covered = {path for script in scripts for path in dependencies(script, clone)}
    folders = ("tagsight/data", "tagsight/report/templates")
    tables = [path for folder in folders for path in (clone / folder).rglob("*") if path.is_file()]
    covered |= {clone / path for path in BASE_TABLES.values()}  # counted where a rule reads the key
    assert [path.name for path in tables if path not in covered] == []


@pytest.mark.parametrize("name", ["body_parts", "units"])
def test_the_content_of_a_sites_own_table_counts(clone, tmp_path, name):
    table = tmp_path / "south.csv"
    made_of = []
    for text in ("R1,KNEE\n", "R1,HEAD\n", "R1,KNEE\n"):
        table.write_text(text, encoding="utf-8")
        recipes = clone()
        sites = {"north": "/n", "south": {"path": "/s", name: str(table)}}
        recipes.config = CONFIG | {"input": sites}
        made_of.append(made(recipes, archive="input"))
    assert made_of[0] == made_of[2] != made_of[1]
