"""Who may read what a run leaves, what it says at its end, and what a report of Snakemake's shows."""

import json
import time

from tagsight.run.plain_text import plain
from tagsight.run.sharing import share

share(config["privacy"]["share_mode"])  # of this process, and of jobs, which inherit it

STARTED = time.time()


def shown(path, category):
    """Mark a result for `snakemake --report`, with the caption of its name."""
    name = Path(path).name
    caption = f"../docs/captions/{name}.rst"
    return report(path, caption=caption, category=category, labels={"file": name})


def tell_result():
    """Say at the end of a run where the results are and what they are.

    The result is told where the page was asked for: of a part of a run, another config perhaps,
    what an earlier run left says nothing.
    """
    result = Path("results/report/result.txt")
    finished = {job.rule.name for job in workflow.dag.finished_jobs}
    asked = {job.rule.name for job in workflow.dag.jobs}
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
    elif "report" in asked and result.exists():
        print(f"\n{plain(result.read_text(encoding='utf-8'), keep=chr(10))}")


def tell_error():
    """Say at the end of a run that failed once more what its jobs said: much was printed since."""
    if workflow.remote_exec:
        return
    for log in sorted({Path(str(log)) for job in workflow.dag.jobs for log in job.log}):
        told = log.exists() and log.stat().st_mtime >= STARTED  # not by an earlier run
        lines = log.read_text(encoding="utf-8").splitlines() if told else []
        if lines and " ERROR " in lines[-1]:
            print(f"\n{log.stem}: {lines[-1].partition(' ERROR ')[2]}", file=sys.stderr)


onsuccess:
    tell_result()


onerror:
    tell_error()
