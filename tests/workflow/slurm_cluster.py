"""A real Slurm on this machine alone, for a test: munge, one controller, two nodes, no accounting.

Needs root and the packages slurmctld, slurmd, slurm-client and munge. Clients have to find the
configuration at /etc/slurm/slurm.conf, because Snakemake's jobs drop SLURM_CONF; so that place is
linked to ours for as long as the cluster runs, and left alone where it is somebody's.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "squeue", "sbatch", "scontrol")
PLACE = Path("/etc/slurm/slurm.conf")
PATH = f"/usr/sbin:/sbin:{os.environ['PATH']}"

# linuxproc and task/none work in any container; config_overrides lets nodes claim any size.
CONFIG = """\
ClusterName=tagsight-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MpiDefault=none
MailProg=/bin/true
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=2
ReturnToService=2
KillWait=5
MinJobAge=300
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=16 RealMemory=64000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=16 RealMemory=64000
PartitionName=main Nodes=ALL Default=YES MaxTime=60 DefaultTime=60 State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if absent:
        return f"Slurm is not installed (no {', '.join(absent)})"
    if os.geteuid() != 0:
        return "starting a Slurm needs root"
    if PLACE.exists() and not PLACE.is_symlink():
        return f"{PLACE} is somebody's cluster"
    return None


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Run a cluster with its files in `folder`; stop it, and its jobs, on leaving."""
    folder.chmod(0o755)  # munge refuses a socket in a folder that others cannot enter
    for name in ("state", "spool/n1", "spool/n2"):
        (folder / name).mkdir(parents=True)
    ports = dict(zip(("port", "port1", "port2"), free_ports(3), strict=True))
    conf = folder / "slurm.conf"
    conf.write_text(
        CONFIG.format(folder=folder, host=socket.gethostname().split(".")[0], **ports),
        encoding="utf-8",
    )
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.unlink(missing_ok=True)
    PLACE.symlink_to(conf)
    try:
        start(folder)
        yield
    finally:
        stop(folder)
        PLACE.unlink(missing_ok=True)


def start(folder: Path) -> None:
    """Start the daemons, each in the background, and wait for the nodes."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    sh(
        *("munged", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"),
        *(f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log"),
        f"--seed-file={folder}/munge.seed",
    )
    sh("slurmctld")
    sh("slurmd", "-N", "n1")
    sh("slurmd", "-N", "n2")
    deadline = time.monotonic() + 60
    while sh("sinfo", "-h", "-N", "-o", "%T", check=False).split() != ["idle", "idle"]:
        assert time.monotonic() < deadline, f"Slurm did not come up; see {folder}"
        time.sleep(0.3)


def stop(folder: Path) -> None:
    """Cancel all jobs, then end the daemons by their pid files."""
    sh("scancel", "--user=root", check=False)
    deadline = time.monotonic() + 20
    while sh("squeue", "-h", check=False).strip() and time.monotonic() < deadline:
        time.sleep(0.3)
    for name in ("slurmd.n1", "slurmd.n2", "slurmctld", "munged"):
        end(folder / f"{name}.pid")


def end(pid_file: Path) -> None:
    """End the process of a pid file: politely, then not."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text(encoding="utf-8"))
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            try:
                os.kill(pid, sent)
            except ProcessLookupError:
                return
            time.sleep(0.1)


def sh(*command: str, check: bool = True) -> str:
    """Run a command; its output. Daemons must not keep our pipes open, so stderr goes to a file."""
    done = subprocess.run(
        command,
        env=os.environ | {"PATH": PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if command[0] in ("sinfo", "squeue") else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=check,
        timeout=60,
    )
    return done.stdout or ""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
