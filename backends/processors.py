"""How the models of this process share its processors."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
CPU_INFO = Path("/proc/cpuinfo")
# What the drivers of NVIDIA and AMD open.
_GPUS = ("/dev/nvidiactl", "/dev/kfd")


def spin_briefly() -> None:
    """Let the threads of llama.cpp and torch sleep soon when they wait for each other; to be called before the import.

    By default they spin, and where anything else wants a processor (an upload that is embedded, a second
    visitor) each waits for the other's turn: two tokens a second instead of thirty, measured on two cores.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def let_others_first() -> None:
    """Let this process's threads not interrupt those that hand its tokens on; on Linux, and where it may be chosen.

    The threads of a model wait for each other many times a token, and each that wakes may take the processor from
    whoever uses it: a request that needs half a millisecond then waits for several. They get as much time as before.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def has_feature(name: str, cpu_info: Path = CPU_INFO) -> bool:
    """Whether the processor announces a feature, such as avx512_vnni, to Linux; no on other systems."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return False
    return any(name in line.split() for line in lines if line.startswith("flags"))


def has_accelerator() -> bool:
    """Whether torch would probably find something faster than the processor; it is not loaded for it."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or any(Path(device).exists() for device in _GPUS)


def usable_processors(cgroup: Path = CGROUP) -> int:
    """How many processors this process may keep busy: those it may run on, within its container's CPU limit.

    Of a limit of 2.5 two count: a third thread would be stopped half of the time, and the others wait for it.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    limit = cpu_limit(cgroup)
    return max(1, min(allowed, int(limit))) if limit else allowed


def cpu_limit(cgroup: Path = CGROUP) -> float | None:
    """The container's CPU limit in processors, from either version of cgroups; None where there is none."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return None
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None
    return limit if limit > 0 else None  # version 1 says -1 for none
