"""The house: formats, types, lengths, and four things of one name."""

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[1]
RULES = sorted((CLONE / "rules").glob("*.smk"))
SCRIPTS = sorted((CLONE / "scripts").glob("*.py"))
LIBRARY = sorted((CLONE / "tagsight").rglob("*.py"))


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
        [sys.executable, *command.split()], cwd=CLONE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    """Name -> text of each rule."""
    text = "\n".join(path.read_text() for path in RULES)
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


def test_there_are_two_wildcards():
    found = set(re.findall(r"\{(\w+)\}", "\n".join(rules().values())))
    assert found == {"shard", "sample"}


def test_every_rule_carries_its_recipe():
    for rule in rules():
        assert directive(rule, "params").lstrip().startswith("**recipe("), rule
        assert f'"{rule}"' in directive(rule, "params")


@pytest.mark.parametrize("path", RULES + SCRIPTS + LIBRARY, ids=lambda path: path.name)
def test_every_file_opens_with_what_it_is(path):
    text = path.read_text()
    assert text.startswith('"""') or path.name == "__init__.py", "no docstring"


def test_rules_scripts_and_entrance_are_short():
    lengths = [len(text.splitlines()) for text in rules().values()]
    assert statistics.median(lengths) <= 25
    assert max(lengths) <= 40
    assert all(len(path.read_text().splitlines()) <= 40 for path in SCRIPTS)
    for name in ("Snakefile", "rules/common.smk"):
        assert len((CLONE / name).read_text().splitlines()) < 60, name


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
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.name}: {node.name}", code_lines(node)


def test_functions_are_small():
    lengths = dict(functions())
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 25
    assert {name: n for name, n in lengths.items() if n > 60} == {}


def test_modules_are_small_and_none_is_an_attic():
    long = {p.name: n for p in LIBRARY if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}
    assert not [p for p in LIBRARY if re.search("util|helper|misc|common", p.stem)]


def test_the_library_knows_no_snakemake():
    for path in LIBRARY:
        assert not re.search(r"^(import|from) snakemake", path.read_text(), re.MULTILINE), path


def test_the_library_is_empty_at_all_of_its_doors():
    doors = (CLONE / "tagsight").rglob("__init__.py")
    assert {str(door): door.read_text() for door in doors if door.read_text()} == {}


def test_nothing_large_and_no_result_is_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CLONE, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    paths = [CLONE / name for name in listed.stdout.split("\0") if name]
    sizes = {path: path.stat().st_size for path in paths if path.exists()}
    assert sum(sizes.values()) < 5 * 2**20
    assert not [p for p in sizes if p.suffix in (".dcm", ".parquet", ".npy", ".safetensors")]
    assert [p.name for p in sizes if p.parts[len(CLONE.parts)] == "results"] == [".gitkeep"]
