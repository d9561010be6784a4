"""What a run says at its end, what of it a report of Snakemake's shows, and its plan for `status`."""

import json
from collections import Counter


def shown(path, category):
    """Mark a result for `snakemake --report`, with the caption of its name."""
    name = Path(path).name
    caption = f"../docs/captions/{name}.rst"
    return report(path, caption=caption, category=category, labels={"file": name})


onstart:
    if not workflow.remote_exec:  # jobs of each rule, those that are done among them
        plan = Counter(job.rule.name for job in workflow.dag.jobs if job.rule.name != "all")
        Path("logs").mkdir(exist_ok=True)
        Path("logs/plan.json").write_text(json.dumps(dict(sorted(plan.items()))))


def tell_result():
    """Say at the end of a run where the results are and what they are."""
    result = Path("results/report/result.txt")
    finished = {job.rule.name for job in workflow.dag.finished_jobs}
    if workflow.remote_exec:
        return
    if "assign" in finished:
        summary = json.loads(Path("results/assign.json").read_text())
        print(f"\n{summary['result']}\n\nTable:  results/assign.csv\n")
    elif "manifest" in finished:
        print("\nTable:  results/manifest.csv\nLinks:  results/manifest/links\n")
    elif "worth" in finished and "report" not in finished:
        labellings = json.loads(Path("results/worth.json").read_text())["labellings"]
        right = ", ".join(f"{name} {100 * of['accuracy']:.0f} %" for name, of in labellings.items())
        print(f"\nTold right by a network that learned: {right or 'too few images to say'}")
        print("Figures:  results/worth.json\n")
    elif result.exists():
        print(f"\n{result.read_text()}")
