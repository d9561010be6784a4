"""What a run says at its start and its end, and what of it a report of Snakemake's shows."""

import json
import sys


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
    """Say at the end of a run where the results are and what they are."""
    result = Path("results/report/result.txt")
    finished = {job.rule.name for job in workflow.dag.finished_jobs}
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
    elif result.exists():
        said = result.read_text(encoding="utf-8")
        say(f"\n{said}")


onstart:
    tell_losses()
