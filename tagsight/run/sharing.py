"""Who may read what a run leaves: its owner, or with `privacy.share_mode: group` a group, too.

The workflow sets the umask when its rules are read (`share`), in every process of a run: so all
that Snakemake and jobs make, folders, logs and benchmarks too, is closed from its first byte on.
Files that a job writes have their mode from `mode_of` besides, also in a notebook. What is made to
be handed around (the page, annotations.csv, figures) is readable as the user's own umask allows. A
setgid bit of the working folder is inherited by folders below it and never taken away.
"""

import os
import resource
import stat
from collections.abc import MutableMapping
from pathlib import Path
from typing import Literal

ShareMode = Literal["owner", "group"]
Readers = Literal["owner", "share_mode", "anyone"]

# Kept in the environment, which a job inherits, wherever it runs.
_SHARED, _OWN_UMASK = "TAGSIGHT_SHARE_MODE", "TAGSIGHT_UMASK"
_UMASKS = {"owner": 0o077, "group": 0o027}


def share(mode: ShareMode, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the umask of this process, and of those that it starts.

    environment: where the mode and the umask that the user had are kept.
    """
    before = os.umask(_UMASKS[mode])
    environment.setdefault(_OWN_UMASK, f"{before:o}")
    environment[_SHARED] = mode


def dump_no_core() -> None:
    """Let no process from here on leave a core dump: it would hold names, and the key."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def mode_of(readers: Readers) -> int:
    """Return the permissions of a file: 0600, by share_mode 0640, or as the user's umask allows."""
    umasks = {"owner": 0o077, "share_mode": _umask(), "anyone": _users_umask()}
    return 0o666 & ~umasks[readers]


def make_folder(folder: Path) -> None:
    """Create a folder and those above it that are missing, readable as by share_mode."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o777 & ~_umask(), exist_ok=True)


def fault_of(path: Path) -> str | None:
    """Return why a file or folder that must be ours alone is not, and what to do; None if it is.

    It has to belong to the user (or the machine's administrator), and nobody else may write to it,
    or read it; with `privacy.share_mode: group` its group may read it, whoever of it made it.
    """
    status, of_group = path.stat(), os.environ.get(_SHARED) == "group"
    mode = stat.S_IMODE(status.st_mode)
    if mode & _umask() & 0o077:
        right = 0o777 & ~_umask() if path.is_dir() else mode_of("share_mode")
        return f"can be read or written by others (mode {mode & 0o777:04o}); chmod {right:04o} it"
    colleague = of_group and status.st_gid in {os.getegid(), *os.getgroups()}
    if status.st_uid not in (os.geteuid(), 0) and not colleague:
        return "belongs to another user; copy it to a place of your own"
    return None


def _umask() -> int:
    return _UMASKS[os.environ.get(_SHARED, "owner")]


def _users_umask() -> int:
    """The umask that the user had; of a process that no run started its own."""
    if _OWN_UMASK in os.environ:
        return int(os.environ[_OWN_UMASK], 8)
    own = os.umask(0o077)
    os.umask(own)
    return own
