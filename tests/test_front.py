"""What a stranger meets first: licence, citation, install, images. Each says what the others do."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

CLONE = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
INSTALL = (CLONE / "docs/install.md").read_text(encoding="utf-8")
LICENCES = (CLONE / "docs/licences.md").read_text(encoding="utf-8")
# What a package that states no SPDX expression says of its licence, and what that can mean.
MEANS = {
    "Apache Software License": {"Apache-2.0"},
    "BSD License": {"BSD-2-Clause", "BSD-3-Clause"},
    "GNU General Public License v3 (GPLv3)": {"GPL-3.0-only"},
    "GPL-3.0-or-later": {"GPL-3.0-or-later"},
    "BSD-3-Clause": {"BSD-3-Clause"},
    "MIT": {"MIT"},
    "MIT License": {"MIT"},
    "Python Software Foundation License": {"PSF-2.0"},
}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements):
    return {normal(re.match(r"[\w.-]+", requirement).group()) for requirement in requirements}


def pins():
    lines = (CLONE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {normal(name): version for name, version in (line.split("==") for line in lines)}


def stated(name):
    """The SPDX expression of an installed package; else the set of those that it can mean."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    if told["License-Expression"]:
        return {told["License-Expression"]}
    said = [entry.split(" :: ")[-1] for entry in told.get_all("Classifier", [])]
    meanings = [MEANS[entry] for entry in [*said, told["License"]] if entry in MEANS]
    return set.intersection(*meanings) if meanings else set()


def test_the_licence_is_the_same_everywhere():
    text = " ".join((CLONE / "LICENSE").read_text(encoding="utf-8").split())
    assert text.startswith("GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007")
    assert PROJECT["license"] == "GPL-3.0-or-later"
    assert PROJECT["license-files"] == ["LICENSE"]
    # PEP 639: an expression and a classifier exclude each other.
    assert not [entry for entry in PROJECT["classifiers"] if entry.startswith("License")]
    assert "version 3 of the License,\nor (at your option) any later version" in LICENCES


def licence_rows():
    return dict(re.findall(r"^\| ([\w.-]+) \| (.+?) \| [^|]+ \|$", LICENCES, re.MULTILINE)[1:])


def test_the_table_of_licences_has_what_a_run_needs():
    assert set(licence_rows()) == names(PROJECT["dependencies"])


@pytest.mark.parametrize("name", sorted(licence_rows()))
def test_a_licence_is_what_the_package_says(name):
    assert licence_rows()[name] in stated(name)


def test_what_is_not_permissive_is_named():
    """Copyleft among all pinned packages, tests' tools and what others bring with them."""
    found = set()
    for name in pins():
        try:
            told = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        said = [told["License-Expression"], told["License"], *told.get_all("Classifier", [])]
        short = " ".join(entry for entry in said if entry and len(entry) < 200)
        if re.search(r"GPL|MPL|General Public|Mozilla Public", short):
            found.add(name)
    assert {"kmedoids", "certifi"} <= found
    assert [name for name in sorted(found) if name not in LICENCES] == []


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((CLONE / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert cited["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert [author["name"] for author in cited["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    (article,) = cited["references"]
    assert article["title"] in " ".join((CLONE / "README.md").read_text(encoding="utf-8").split())
    assert article["doi"] == "10.5220/0008973405100517"


def test_types_are_told_to_those_who_import_it():
    assert (CLONE / "tagsight/py.typed").read_bytes() == b""
    assert "py.typed" in PYPROJECT["tool"]["setuptools"]["package-data"]["tagsight"]
    needed = PYPROJECT["build-system"]["requires"]
    assert needed == ["setuptools>=77"], "the first that knows PEP 639"
    assert needed[0] in (CLONE / "Makefile").read_text(encoding="utf-8")
    assert needed[0] in INSTALL


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_a_run_needs_none_of_the_tests_tools():
    tools = names(PROJECT["optional-dependencies"]["test"])
    assert not tools & names(PROJECT["dependencies"])
    packages = metadata.packages_distributions()
    for path in [*(CLONE / "tagsight").rglob("*.py"), *(CLONE / "scripts").glob("*.py")]:
        needed = {normal(n) for module in imported(path) for n in packages.get(module, [])}
        assert not needed & tools, path


def test_pins_are_within_the_bounds_of_the_project():
    from packaging.requirements import Requirement

    extras = [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    for requirement in map(Requirement, [*PROJECT["dependencies"], *extras]):
        assert pins()[normal(requirement.name)] in requirement.specifier


def test_the_conda_environment_has_the_same_packages_and_pins():
    packages = yaml.safe_load((CLONE / "envs/tagsight.yaml").read_text(encoding="utf-8"))[
        "dependencies"
    ]
    listed = dict(line.split("==") for line in packages[-1]["pip"])
    assert {normal(name): version for name, version in listed.items()} == {
        name: pins()[name] for name in names(PROJECT["dependencies"])
    }


def packages_imported(folders):
    """Top-level packages that the files of folders import."""
    paths = [path for folder in folders for path in (CLONE / folder).rglob("*.py")]
    nodes = [
        node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    plain = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | named} - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("folders", "extra"),
    [(["tagsight", "scripts"], ("efficientnet",)), (["tests"], ("test",))],
    ids=["run", "test"],
)
def test_what_is_imported_is_asked_for(folders, extra):
    """And not only because something else brings it along."""
    asked = names(PROJECT["dependencies"])
    asked |= {name for key in extra for name in names(PROJECT["optional-dependencies"][key])}
    modules = metadata.packages_distributions()
    ours = {path.stem for folder in folders for path in (CLONE / folder).rglob("*")}
    foreign = {
        name
        for name in packages_imported(folders) - ours - {"tagsight", "study"}
        if name in modules
    }
    lacking = {name for name in foreign if not {normal(d) for d in modules[name]} & asked}
    assert lacking == set()


def test_the_least_snakemake_is_one():
    (least,) = re.findall(
        r'min_version\("(.+)"\)', (CLONE / "Snakefile").read_text(encoding="utf-8")
    )
    assert f"snakemake>={least},<10" in PROJECT["dependencies"]


def copied(recipe):
    """What a recipe of an image takes from the clone."""
    text = (CLONE / "envs" / recipe).read_text(encoding="utf-8")
    if recipe == "Dockerfile":
        lines = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY")]
        return {name for line in lines for name in line}
    return set(re.findall(r"^    (\S+) /opt/tagsight/\1$", text, re.MULTILINE))


def test_both_images_take_the_same_and_all_that_a_run_needs():
    assert copied("Dockerfile") == copied("tagsight.def")
    assert {
        "Snakefile",
        "config",
        "docs/captions",
        "envs",
        "profiles",
        "rules",
        "scripts",
        "tagsight",
    } <= copied("Dockerfile")
    assert [name for name in copied("Dockerfile") if not (CLONE / name).exists()] == []


def test_both_images_are_made_of_the_same():
    docker, apptainer = (
        (CLONE / "envs" / n).read_text(encoding="utf-8") for n in ("Dockerfile", "tagsight.def")
    )
    for pattern in (
        r"TORCH_INDEX=(https:\S+)",
        r"(?:FROM|From:) (\S+)",
        r"apt-get install (.+?)\s*\\?$",
    ):
        assert re.findall(pattern, docker, re.M) == re.findall(pattern, apptainer, re.M), pattern
    (index,) = re.findall(
        r"TORCH_INDEX \?= (\S+)", (CLONE / "Makefile").read_text(encoding="utf-8")
    )
    assert f"TORCH_INDEX={index}\n" in docker
    assert index in INSTALL


def test_the_page_on_installing_names_the_pinned_torch():
    assert set(re.findall(r"torch==([\d.]+)\+cpu", INSTALL)) == {pins()["torch"]}


@pytest.fixture
def make(tmp_path):
    """Runs make in a folder that is a fresh clone as far as the Makefile looks."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")

    def run(*words, folder="clone"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for name in ("Makefile", "constraints.txt", "pyproject.toml"):
            shutil.copy(CLONE / name, tmp_path / folder)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "TORCH", "WHEEL"))}
        return subprocess.run(
            ["make", *words],
            cwd=tmp_path / folder,
            env=kept,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run


def test_a_clone_may_lie_in_a_path_with_a_space(make):
    for target in ("demo", "test", "clean"):
        assert make("--dry-run", target, folder="my clone").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyPI's torch is the CPU build")
def test_torch_comes_from_where_it_was_asked(make):
    pinned = f"torch=={pins()['torch']}+cpu"
    small = make("--dry-run", "demo", "TORCH=cpu", "TORCH_INDEX=https://mirror.invalid/cpu")
    assert f"--index-url https://mirror.invalid/cpu '{pinned}'" in small.stdout
    large = make("--dry-run", "demo", "TORCH=cuda")
    assert "+cpu" not in large.stdout
    closed = make("--dry-run", "demo", "TORCH=cpu", "WHEELHOUSE=wheels")
    assert "+cpu" not in closed.stdout
    assert "--no-index --find-links 'wheels'" in closed.stdout
    assert "TORCH is cpu or cuda" in make("demo", "TORCH=gpu").stderr


def test_a_demo_says_that_it_installs_and_installs_no_tests_tools(make):
    planned = make("--dry-run", "demo").stdout
    assert "echo 'installing into .venv" in planned
    assert "[test]" not in planned
    assert "[test]" in make("--dry-run", "test").stdout


def test_quick_and_long_tests_are_all_tests(make):
    quick, long, both = (make("--dry-run", f"test{word}").stdout for word in ("", "-long", "-all"))
    assert '-m "not long"' in quick
    assert "-m long" in long
    assert both.count("-m pytest") == 2
    assert all(line in both for line in (quick + long).splitlines() if "-m pytest" in line)


def test_targets_name_files_that_there_are():
    paths = re.findall(
        r"\b(?:tests|config|study)/[\w/.]+", (CLONE / "Makefile").read_text(encoding="utf-8")
    )
    assert "config/demo.yaml" in paths
    assert [path for path in paths if not (CLONE / path).exists()] == []


@pytest.fixture
def copy_of_the_clone(tmp_path):
    """Gone afterwards, since what is installed into it are gigabytes."""
    left_out = shutil.ignore_patterns(".*", "results", "logs", "wheelhouse", "__pycache__")
    yield shutil.copytree(CLONE, tmp_path / "clone", ignore=left_out)
    shutil.rmtree(tmp_path / "clone")


@pytest.mark.long
def test_an_install_for_running_has_all_that_a_run_imports(copy_of_the_clone):
    """`make demo` up to its first job, from an environment without the tests' tools."""
    inside = (
        "import pkgutil, importlib, tagsight\n"
        "for module in pkgutil.walk_packages(tagsight.__path__, 'tagsight.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    for command in (
        ["make", ".venv/installed", f"PYTHON={sys.executable}"],
        [".venv/bin/python", "-c", inside],
        [".venv/bin/snakemake", "-n", "-c1", "--configfile", "config/demo.yaml"],
    ):
        done = subprocess.run(
            command, cwd=copy_of_the_clone, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    packages = copy_of_the_clone.glob(".venv/lib/*/site-packages/*.dist-info")
    installed = {path.name.split("-")[0] for path in packages}
    assert "torch" in installed
    assert not installed & {"pytest", "hypothesis", "ruff", "mypy"}
