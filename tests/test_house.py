"""The house: formats, types, lengths, and four things of one name."""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest

import tagsight
from tagsight.run.cluster.status import STAGES
from tagsight.run.imports import direct_dependencies

CLONE = Path(__file__).parents[1]
RULES = sorted((CLONE / "rules").glob("*.smk"))
SCRIPTS = sorted((CLONE / "scripts").glob("*.py"))
LIBRARY = sorted((CLONE / "tagsight").rglob("*.py"))
# Rooms of the library in the order of the data; a room imports from those of lines above alone.
ORDER = (
    {"errors", "rejections", "arrays"},
    {"run"},
    {"archive", "terms", "gower", "demo"},
    {"dicom"},
    {"reading", "tags", "looks"},
    {"content"},
    {"clustering"},
    {"tree"},
    {"interpretation", "evaluation", "worth"},
    {"assigning", "handover", "report"},
    {
        "api",
        "precompile",
    },  # for notebooks and the command line: nothing imports them
)
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
MOST_MODULES = 14  # of a room


@pytest.mark.parametrize(
    "command",
    [
        "-m ruff check .",
        "-m ruff format --check .",
        "-m snakefmt --check Snakefile rules",
        "-m mypy",
        "-m snakemake --lint --configfile config/demo.yaml",
    ],
    ids=["ruff", "ruff-format", "snakefmt", "mypy", "snakemake-lint"],
)
def test_the_tools_have_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=CLONE,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    """Name -> text of each rule."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
    return dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n(?=    ))+)", text, re.MULTILINE))


def directive(rule, name):
    found = re.search(rf"^    {name}:\n((?:        .*\n)+)", rules()[rule], re.MULTILINE)
    return found.group(1) if found else ""


def test_rule_script_log_benchmark_and_output_are_of_one_name():
    assert {path.stem for path in SCRIPTS} == set(rules())
    for rule in rules():
        assert directive(rule, "script").strip() == f'"../scripts/{rule}.py"'
        assert re.fullmatch(
            rf'"logs/{rule}(/\{{\w+\}})?\.log"', directive(rule, "log").strip(" ,\n")
        )
        measured = directive(rule, "benchmark").strip()
        assert re.fullmatch(rf'"results/benchmarks/{rule}(/\{{\w+\}})?\.tsv"', measured)
        noun = rule.removesuffix("_csv")
        assert f"results/{noun}" in directive(rule, "output"), rule


def test_the_status_of_a_run_knows_all_its_rules():
    by_name = {"assign", "distances", "manifest"}  # asked for by name alone, beside a run
    assert set(STAGES) == set(rules()) - by_name


def test_there_are_two_wildcards():
    found = set(re.findall(r"\{(\w+)\}", "\n".join(rules().values())))
    assert found == {"shard", "sample"}


def test_every_rule_carries_its_recipe():
    for rule in rules():
        assert directive(rule, "params").lstrip().startswith("**recipe("), rule
        assert f'"{rule}"' in directive(rule, "params")


@pytest.mark.parametrize("path", RULES + SCRIPTS + LIBRARY, ids=lambda path: path.name)
def test_every_file_opens_with_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""') or path.name == "__init__.py", "no docstring"


def test_rules_scripts_and_entrance_are_short():
    lengths = [len(text.splitlines()) for text in rules().values()]
    assert statistics.median(lengths) <= 26
    assert max(lengths) <= 40
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 40 for path in SCRIPTS)
    for name in ("Snakefile", "rules/common.smk"):
        assert len((CLONE / name).read_text(encoding="utf-8").splitlines()) < 60, name


def code_lines(function):
    """Lines of a function without docstring, comments and blanks."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    lines = {line for part in body for node in ast.walk(part) for line in lines_of(node)}
    return len(lines | {function.lineno})


def lines_of(node):
    return {node.lineno, node.end_lineno} if hasattr(node, "lineno") else set()


def functions():
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.name}: {node.name}", code_lines(node)


def test_functions_are_small():
    lengths = dict(functions())
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 25
    assert {name: n for name, n in lengths.items() if n > 60} == {}


def test_modules_are_small_and_none_is_an_attic():
    long = {
        p.name: n for p in LIBRARY if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
    assert not [p for p in LIBRARY if re.search("util|helper|misc|common", p.stem)]


def room_of(path):
    return path.relative_to(CLONE / "tagsight").parts[0].removesuffix(".py")


def imported(path):
    """Modules of the library that a file imports, as paths."""
    return {other for other in direct_dependencies(path, CLONE) if other.suffix == ".py"}


def test_every_import_of_the_library_is_one_that_recipes_see():
    for path in [*LIBRARY, *SCRIPTS]:
        direct_dependencies(path, CLONE)  # raises ImportError for any other


def test_who_reads_the_table_of_body_parts_has_it_in_the_recipe():
    """Its content counts where a rule reads the key, see BASE_TABLES: a rule must not forget it."""
    readers = {p.stem for p in SCRIPTS if "spelling_table(" in p.read_text(encoding="utf-8")}
    counted = {
        r for r in rules() if re.search(r"tags\.body_parts|DERIVING|WANTED", directive(r, "params"))
    }
    assert readers - counted == set()
    assert readers


def test_imports_go_from_later_rooms_to_earlier_ones_alone():
    uphill = [
        f"{path.relative_to(CLONE)} imports {other.relative_to(CLONE)}"
        for path in LIBRARY
        for other in imported(path)
        if room_of(other) != room_of(path) and FLOOR[room_of(other)] >= FLOOR[room_of(path)]
    ]
    assert uphill == []
    assert {room_of(path) for path in LIBRARY if path.name != "__init__.py"} == set(FLOOR)


def test_no_module_is_in_a_circle_of_imports():
    """What imports nothing that is left is taken away, again and again: circles stay."""
    left = {path: imported(path) - {path} for path in LIBRARY}
    while free := {path for path, others in left.items() if not others}:
        left = {path: others - free for path, others in left.items() if path not in free}
    assert [path.relative_to(CLONE).as_posix() for path in left] == []


def test_rooms_are_small():
    sizes = Counter(path.parent for path in LIBRARY if path.name != "__init__.py")
    assert {str(room): size for room, size in sizes.items() if size > MOST_MODULES} == {}


def is_text_without_encoding(call):
    """Whether a call leaves it to the locale what the bytes of a file or a pipe mean."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if "encoding" in named:
        return False
    if name in ("read_text", "write_text"):
        return len(call.args) == (name == "write_text")
    if name == "open" and isinstance(call.func, ast.Name):
        mode = call.args[1] if len(call.args) > 1 else named.get("mode", ast.Constant("r"))
        return isinstance(mode, ast.Constant) and "b" not in str(mode.value)
    if name == "open" and not call.args and not call.keywords:
        return True
    return any(getattr(named.get(arg), "value", False) is True for arg in TEXT)


TEXT = ("text", "universal_newlines")
OURS = ("tagsight", "scripts", "study", "benchmarks", "tests")


@pytest.mark.parametrize("folder", OURS)
def test_text_is_utf8_in_any_locale(folder):
    for path in sorted((CLONE / folder).rglob("*.py")):
        calls = [n for n in ast.walk(ast.parse(path.read_bytes())) if isinstance(n, ast.Call)]
        found = [call.lineno for call in calls if is_text_without_encoding(call)]
        assert (path.name, found) == (path.name, [])


def test_rules_read_text_as_utf8_in_any_locale():
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*RULES, CLONE / "Snakefile"])
    assert not re.findall(r"(?:read_text|write_text|open)\((?![^)]*encoding)[^)]*\)", text)


def test_no_two_public_classes_have_one_name():
    names = Counter(
        node.name
        for path in LIBRARY
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_nothing_imports_what_is_for_notebooks():
    users = [path for path in [*LIBRARY, *SCRIPTS] if CLONE / "tagsight/api.py" in imported(path)]
    assert users == []


def test_every_test_module_stands_in_the_room_of_what_it_tests():
    rooms = {path.parent.relative_to(CLONE / "tagsight") for path in LIBRARY} | {Path("study")}
    tests = CLONE / "tests/unit"
    assert {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} <= rooms


def test_the_library_knows_no_snakemake():
    for path in LIBRARY:
        assert not re.search(
            r"^(import|from) snakemake", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path


def test_the_library_is_empty_at_all_of_its_doors():
    """A name that an `__init__` makes leads a recipe to no module: see tagsight/run/imports.py."""
    outermost, *doors = sorted((CLONE / "tagsight").rglob("__init__.py"))
    assert {
        str(door): door.read_text(encoding="utf-8")
        for door in doors
        if door.read_text(encoding="utf-8")
    } == {}
    (version,) = ast.parse(
        outermost.read_text(encoding="utf-8")
    ).body  # alone, and made when it is asked for
    assert isinstance(version, ast.FunctionDef)
    assert version.name == "__getattr__"
    assert tagsight.__version__ == metadata.version("tagsight")


def test_nothing_large_and_no_result_is_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CLONE, capture_output=True, encoding="utf-8", check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    paths = [CLONE / name for name in listed.stdout.split("\0") if name]
    sizes = {path: path.stat().st_size for path in paths if path.exists()}
    assert sum(sizes.values()) < 5 * 2**20
    assert not [p for p in sizes if p.suffix in (".dcm", ".parquet", ".npy", ".safetensors")]
    assert [p.name for p in sizes if p.parts[len(CLONE.parts)] == "results"] == [".gitkeep"]
