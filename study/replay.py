"""A run of the workflow whose jobs are kept, to be executed again elsewhere in one process.

Most of the time of a job on a small archive goes into its imports. Here Snakemake plans and runs
the jobs once, and what it hands to each script is kept; a replay executes the scripts with it, in
the same order, in another folder and with another seed.
"""

import multiprocessing
import pickle
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

from study.data import CLONE


class Job(NamedTuple):
    """A script, and what Snakemake hands to it (a `snakemake.script.Snakemake`)."""

    script: Path
    given: Any


def recorded(folder: Path, config: Path) -> list[Job]:
    """Run the workflow in a folder and return its jobs in the order in which they ran.

    Raises RuntimeError where the run fails.
    """
    kept = folder / "jobs.pickle"
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_record, args=(folder, config, kept))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the run in {folder} failed: see its logs")
    jobs: list[Job] = pickle.loads(kept.read_bytes())
    return jobs


def replayed(jobs: Sequence[Job], folder: Path, seed: int) -> str | None:
    """Execute the jobs in a folder; return the name of the rule that failed, None if none did."""
    with chdir(folder):
        for job in jobs:
            for path in (*job.given.output, *job.given.log):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            if "seed" in job.given.params:
                job.given.params.seed = seed
            try:
                _execute(job)
            except SystemExit as end:
                if end.code:
                    return str(job.given.rule)
    return None


def _execute(job: Job) -> None:
    code = compile(job.script.read_text(encoding="utf-8"), str(job.script), "exec")
    exec(code, {"__name__": "__main__", "snakemake": job.given})


def _record(folder: Path, config: Path, kept: Path) -> None:
    """Run Snakemake, with scripts executed in this process; leaves the jobs in a file."""
    from snakemake.cli import main
    from snakemake.script import PythonScript, Snakemake

    jobs: list[Job] = []

    def execute_script(self: PythonScript, *_: object, **__: object) -> None:
        place = Path(self.path.get_path_or_uri(secret_free=True))
        given = Snakemake(
            self.input,
            self.output,
            self.params,
            self.wildcards,
            self.threads,
            self.resources,
            self.log,
            self.config,
            self.rulename,
            self.bench_iteration,
            str(place.parent),
        )
        # As a copy: what a script does to it is not what Snakemake handed over.
        jobs.append(pickle.loads(pickle.dumps(Job(place, given))))
        _execute(Job(place, given))
        self.bench_record.running_time = 0.0  # there was no process of its own to measure

    PythonScript.execute_script = execute_script
    options = ["--cores", "1", "--quiet", "all", "--directory", str(folder)]
    try:
        main([*options, "--snakefile", str(CLONE / "Snakefile"), "--configfile", str(config)])
    except SystemExit as end:
        if end.code:
            sys.exit(1)
    kept.write_bytes(pickle.dumps(jobs))
