"""How long a job may last in a partition of Slurm, asked of `sinfo`.

Slurm takes a job that asks for more minutes than its partition grants, and lets it wait for ever
(reason PartitionTimeLimit), so that this has to be known before jobs are sent.
"""

import re
import shutil
import subprocess

_ASK = ("sinfo", "--noheader", "--format=%P|%l")
_WAIT = 10  # s for an answer


def most_minutes(partition: str | None) -> tuple[str, int] | None:
    """Return the partition that jobs are sent to, and the most minutes that it grants a job.

    partition: its name, or several joined by commas; None for Slurm's default. None is returned
    where there is no Slurm, or no limit, or `sinfo` does not answer: then nothing is known.
    """
    if not shutil.which(_ASK[0]):
        return None
    try:
        done = subprocess.run(
            _ASK, capture_output=True, encoding="utf-8", timeout=_WAIT, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return limit_in(done.stdout, partition)


def limit_in(answer: str, partition: str | None) -> tuple[str, int] | None:
    """Return what `sinfo --noheader --format='%P|%l'` says of a partition, see most_minutes.

    >>> limit_in("main*|1:00:00\\nlong|7-00:00:00", None)
    ('main', 60)
    """
    limits = dict(line.rsplit("|", 1) for line in answer.split() if "|" in line)
    default = next((name for name in limits if name.endswith("*")), None)
    asked = partition.split(",") if partition else [default]
    known = {
        name: minutes
        for name in asked
        if name and (minutes := minutes_of(limits.get(name) or limits.get(f"{name}*", "")))
    }
    if not known or len(known) < len(asked):  # Slurm takes the partition where the job may be
        return None
    name = max(known, key=known.__getitem__)
    return name.removesuffix("*"), known[name]


def minutes_of(limit: str) -> int | None:
    """Return whole minutes of a time of Slurm's, [days-]hours:minutes:seconds; None if endless.

    >>> minutes_of("7-12:00:00"), minutes_of("30:00"), minutes_of("infinite")
    (10800, 30, None)
    """
    if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", limit):
        return None
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if days:  # days-hours[:minutes[:seconds]]
        hours, minutes, _ = [*parts, 0, 0][:3]
    else:  # minutes, minutes:seconds, hours:minutes:seconds
        hours, minutes = (parts[0], parts[1]) if len(parts) == 3 else (0, parts[0])
    return (int(days or 0) * 24 + hours) * 60 + minutes
