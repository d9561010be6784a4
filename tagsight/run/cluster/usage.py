"""What a job used of what it was granted: the last line of its log, and a table of a whole run.

Snakemake's benchmark files look at a job twice a second at first, every half minute later, so that
they miss the peak of a long one. The operating system keeps it.
"""

import json
import resource
import time
from pathlib import Path
from typing import Any

import polars as pl

MARK = "used "
MB = 1e6
KIB = 1024  # bytes of a unit of ru_maxrss and VmHWM, on Linux


class Stopwatch:
    """Wall time of a job from here on."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def usage(self, job: Any) -> str:
        """Return the line of a job's log that says what it used and was granted.

        job: the script's `snakemake`. Memory (`peak_mb`, MB of 10^6 bytes, as Slurm and Snakemake
        count) is the peak of the job, and of the largest of its worker processes on top.
        """
        own, workers = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        cpu = own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime
        row = {
            "rule": job.rule,
            "job": "/".join(map(str, job.wildcards)),
            "input_mb": round(sum(map(_size, map(Path, job.input))) / MB, 3),
            "peak_mb": round((_peak() + workers.ru_maxrss) * KIB / MB),
            "minutes": round((time.monotonic() - self.started) / 60, 3),
            "cpu_minutes": round(cpu / 60, 3),
            "threads": int(job.threads),
            "asked_mb": job.resources.get("mem_mb"),
            "asked_minutes": job.resources.get("runtime"),
        }
        return MARK + json.dumps(row)


def usage_table(logs: Path) -> pl.DataFrame:
    """Return what the jobs of a run used: a row for each whose log ends in what it used.

    logs: the run's folder `logs`. Columns `rule`, `job` (wildcards joined by `/`), `input_mb`,
    `peak_mb`, `minutes` and `cpu_minutes` (used), `threads`, `asked_mb`, `asked_minutes`.
    """
    lines = (_last_line(path) for path in sorted(logs.rglob("*.log")))
    rows = [json.loads(line.partition(MARK)[2]) for line in lines if f" {MARK}{{" in line]
    return pl.DataFrame(rows, infer_schema_length=None)


def _peak() -> int:
    """KiB of this process at its peak; what rusage says may be of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def _last_line(path: Path) -> str:
    return (path.read_text(encoding="utf-8").splitlines() or [""])[-1]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
