"""Who may read what a run leaves, what it says at its ends, and what Snakemake's report shows."""

import json
import sys
import time
from collections import Counter

from tagsight.run.plain_text import plain
from tagsight.run.sharing import share

share(config["privacy"]["share_mode"])  # of this process, and of jobs, which inherit it

STARTED = time.time()


def shown(path, category):
    """Mark a result for `snakemake --report`, with the caption of its name."""
    name = Path(path).name
    caption = f"../docs/captions/{name}.rst"
    return report(path, caption=caption, category=category, labels={"file": name})


def tell_losses():
    """Say before any job what will not be drawn, for want of a decoder on this machine.

    Jobs with an environment of their own (`--sdm`) have that environment's decoders.
    """
    if not LOOKS or workflow.remote_exec or workflow.deployment_settings.deployment_method:
        return
    try:
        from tagsight.looks.frames.decoders import losses
    except ImportError as error:
        raise WorkflowError(f"no image could be drawn: {error}; see docs/install.md") from None
    for line in losses():
        print(line, file=sys.stderr)


def say(text):
    """Print a text where the terminal may not know all of its letters."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


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
        summary = json.loads(Path("results/assign.json").read_text(encoding="utf-8"))
        say(f"\n{summary['result']}\n\nTable:  results/assign.csv\n")
    elif "manifest" in finished:
        say("\nTable:  results/manifest.csv\nLinks:  results/manifest/links\n")
    elif "worth" in finished and "report" not in finished:
        labellings = json.loads(Path("results/worth.json").read_text(encoding="utf-8"))[
            "labellings"
        ]
        right = ", ".join(f"{name} {100 * of['accuracy']:.0f} %" for name, of in labellings.items())
        say(f"\nTold right by a network that learned: {right or 'too few images to say'}")
        say("Figures:  results/worth.json\n")
    elif "report" in asked and result.exists():
        said = plain(result.read_text(encoding="utf-8"), keep="\n")
        say(f"\n{said}")


def tell_error():
    """Say at the end of a run that failed once more what its jobs said: much was printed since."""
    if workflow.remote_exec:
        return
    for log in sorted({Path(str(log)) for job in workflow.dag.jobs for log in job.log}):
        told = log.exists() and log.stat().st_mtime >= STARTED  # not by an earlier run
        lines = log.read_text(encoding="utf-8").splitlines() if told else []
        if lines and " ERROR " in lines[-1]:
            print(f"\n{log.stem}: {lines[-1].partition(' ERROR ')[2]}", file=sys.stderr)


def note_plan():
    """Note for `make status` how many jobs of each rule a run has, those that are done among them."""
    if workflow.remote_exec:
        return
    plan = Counter(job.rule.name for job in workflow.dag.jobs if job.rule.name != "all")
    Path("logs").mkdir(exist_ok=True)
    text = json.dumps(dict(plan), sort_keys=True)
    Path("logs/plan.json").write_text(text, encoding="utf-8")


onstart:
    tell_losses()
    note_plan()


onsuccess:
    tell_result()


onerror:
    tell_error()
