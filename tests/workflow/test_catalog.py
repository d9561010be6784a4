"""What the workflow says of itself to whoever looks for one."""

import yaml
from running import CLONE


def test_the_catalogue_is_told_what_holds():
    usage = yaml.safe_load((CLONE / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))[
        "usage"
    ]
    assert usage["mandatory-flags"]["flags"].startswith("--configfile ")
    rules = "\n".join(path.read_text(encoding="utf-8") for path in (CLONE / "rules").glob("*.smk"))
    with_environment = rules.count("    conda:\n") == rules.count("    script:\n")
    assert usage["software-stack-deployment"]["conda"] is with_environment
    assert usage["software-stack-deployment"]["apptainer"] is ("container:" in rules)
    assert usage["report"] is ("shown(" in rules)
