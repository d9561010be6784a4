"""What the workflow says of itself to whoever looks for one."""

import re
import tomllib

import yaml
from running import CLONE


def test_the_least_version_of_snakemake_is_said_once_and_the_same():
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    (asked,) = [text for text in project["dependencies"] if re.match(r"snakemake[<>=]", text)]
    least = re.search(r'^min_version\("(.+)"\)$', (CLONE / "Snakefile").read_text(), re.M)
    assert asked.startswith(f"snakemake>={least[1]},")


def test_the_catalogue_is_told_what_holds():
    usage = yaml.safe_load((CLONE / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["mandatory-flags"]["flags"].startswith("--configfile ")
    rules = "\n".join(path.read_text() for path in (CLONE / "rules").glob("*.smk"))
    with_environment = rules.count("    conda:\n") == rules.count("    script:\n")
    assert usage["software-stack-deployment"]["conda"] is with_environment
    assert usage["software-stack-deployment"]["apptainer"] is ("container:" in rules)
    assert usage["report"] is ("shown(" in rules)
