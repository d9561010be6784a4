"""Where a run is: what of each stage is done, at work, waiting and why, or has failed.

usage: python -m tagsight.run.cluster.status [folder of the run, default .]

Told from the run's logs, its results and, where there is a Slurm, `squeue` alone, so that it can be
asked while the run goes on, and after it was stopped. A job's log ends in what it used once it is
done, in an error once it has failed; one that ends in neither is at work while Snakemake has the
folder locked, and was stopped if it has not.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from tagsight.run.cluster.usage import MARK

# Rules in the order of the data.
STAGES = (
    "demo",
    "files",
    "tags",
    "table",
    "content",
    "facets",
    "frequencies",
    "kinds",
    "selection",
    "encoding",
    "features",
    "draws",
    "samples",
    "images",
    "autoencoder",
    "embeddings",
    "eyes",
    "sights",
    "weighted",
    "clusters",
    "choice",
    "stability",
    "medoids",
    "nearest",
    "composition",
    "cards",
    "nesting",
    "agreement",
    "annotations",
    "annotations_csv",
    "rejected_csv",
    "labels",
    "sites",
    "trials",
    "evaluation",
    "worth",
    "counts",
    "figures",
    "report",
)
QUIET = 600  # s without a line, after which it is said for how long

State = Literal["done", "running", "stopped", "failed"]


class Job(NamedTuple):
    """A job that has a log: its rule, its wildcard or "", its state, and its last line."""

    rule: str
    name: str
    state: State
    line: str
    minutes: float
    log: Path


def jobs(folder: Path, now: float) -> list[Job]:
    """Return the jobs of a run that have a log."""
    logs = folder / "logs"
    paths = (
        path for rule in STAGES for path in (logs / f"{rule}.log", *logs.glob(f"{rule}/*.log"))
    )
    return [_job(logs, path, now) for path in sorted(paths) if path.exists()]


def plan(folder: Path) -> dict[str, int]:
    """Return how many jobs of each rule the last run has, as it noted when it began."""
    noted: dict[str, int] = json.loads((folder / "logs/plan.json").read_text(encoding="utf-8"))
    return {rule: noted[rule] for rule in STAGES if rule in noted}


def report(folder: Path, waiting: dict[str, list[str]], now: float) -> Iterator[str]:
    """Yield the lines of the report.

    waiting: why jobs wait → comments of these, as Slurm knows them, see `queue`.
    """
    if not (folder / "logs/plan.json").exists():
        yield f"{folder.resolve()}: no run has begun here; name the folder of one"
        return
    planned = plan(folder)
    found = [job for job in jobs(folder, now) if job.rule in planned]
    yield f"{'stage':16}{'done':>12}{'at work':>9}{'failed':>8}"
    for rule, count in planned.items():
        yield _line(rule, count, [job for job in found if job.rule == rule]).rstrip()
    for job in found:
        if job.state == "failed":
            yield f"failed: {job.rule}{job.name and '/' + job.name}: {job.line}"
            yield f"        {job.log.resolve()}"
        if job.state == "stopped":
            yield f"stopped: {job.rule}{job.name and '/' + job.name}; the same command goes on"
    for reason, of in waiting.items():
        yield f"waiting in Slurm ({reason}): {len(of)}, {', '.join(sorted(set(of))[:3])}"


def queue() -> dict[str, list[str]]:
    """Return why jobs of the user wait in Slurm → their comments; none where there is no Slurm."""
    if not shutil.which("squeue"):
        return {}
    ask = ["squeue", "--me", "--noheader", "--states=PENDING", "--format=%r|%k"]
    done = subprocess.run(ask, capture_output=True, encoding="utf-8", timeout=30, check=False)
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        reason, _, comment = line.partition("|")
        found.setdefault(reason, []).append(comment.removeprefix("rule_"))
    return found


def _job(logs: Path, log: Path, now: float) -> Job:
    own, name = (log.stem, "") if log.parent == logs else (log.parent.name, log.stem)
    lines = log.read_text(encoding="utf-8").splitlines() or [""]
    stamp, level, line = _parts(lines[-1])
    begun = _seconds(_parts(lines[0])[0], log)
    minutes = (_seconds(stamp, log) - begun) / 60
    if line.startswith(MARK):
        return Job(own, name, "done", "", minutes, log)
    if level == "ERROR":
        return Job(own, name, "failed", line, minutes, log)
    if not list((logs.parent / ".snakemake/locks").glob("*")):
        return Job(own, name, "stopped", line, minutes, log)
    quiet = now - log.stat().st_mtime
    said = f"{line} ({quiet / 60:.0f} min ago)" if quiet > QUIET else line
    return Job(own, name, "running", said, minutes, log)


def _parts(line: str) -> tuple[str, str, str]:
    """The time, level and text of a line of a log."""
    match = re.fullmatch(r"(\d{4}-\S+ [\d:,]+) ([A-Z]+) (.*)", line)
    return (match[1], match[2], match[3]) if match else ("", "", line)


def _seconds(stamp: str, log: Path) -> float:
    if not stamp:
        return log.stat().st_mtime
    return time.mktime(time.strptime(stamp.partition(",")[0], "%Y-%m-%d %H:%M:%S"))


def _line(rule: str, count: int, own: list[Job]) -> str:
    done, failed = ([job for job in own if job.state == state] for state in ("done", "failed"))
    working = [job for job in own if job.state == "running"]
    text = f"{rule:16}{f'{len(done)} of {count}':>12}{len(working) or '':>9}{len(failed) or '':>8}"
    if len(working) == 1:
        return f"{text}  {working[0].line}"
    if working and done:
        mean = sum(job.minutes for job in done) / len(done)
        left = mean * (count - len(done)) / len(working)
        return f"{text}  some {max(left, 1):.0f} min left"
    return text


if __name__ == "__main__":
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    print("\n".join(report(run, queue(), time.time())))
