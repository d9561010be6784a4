"""What a run says at its end, and what of it a report of Snakemake's shows."""

import json


def shown(path, category):
    """Mark a result for `snakemake --report`, with the caption of its name."""
    name = Path(path).name
    caption = f"../docs/captions/{name}.rst"
    return report(path, caption=caption, category=category, labels={"file": name})


def tell_result():
    """Say at the end of a run where the results are and what they are."""
    said = Path("results/report/result.txt")
    made = {job.rule.name for job in workflow.dag.finished_jobs}
    if workflow.remote_exec:
        return
    if "assign" in made:
        told = json.loads(Path("results/assign.json").read_text())
        print(f"\n{told['result']}\n\nTable:  results/assign.csv\n")
    elif said.exists():
        print(f"\n{said.read_text()}")
