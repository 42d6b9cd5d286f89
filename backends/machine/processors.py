"""CPU detection, and the settings that let local models share the CPU with the rest of the process."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
CPU_INFO = Path("/proc/cpuinfo")
# Device files that the NVIDIA and AMD drivers create.
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd")


def limit_spin_wait() -> None:
    """Let idle threads of llama.cpp and torch sleep early; call this before importing either.

    By default they spin. If anything else needs a processor (an upload that is embedded, a second visitor), each
    waits for the other's time slice: two tokens a second instead of thirty, measured on two cores.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def use_batch_scheduling() -> None:
    """Schedule this process as SCHED_BATCH, so that its threads don't preempt the server's; Linux only.

    A model's threads wait for each other many times per token, and each wake-up may preempt the thread that serves
    requests: a request that needs half a millisecond then takes several. They still get the same CPU time.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def has_feature(name: str, cpu_info: Path = CPU_INFO) -> bool:
    """Whether the CPU has a feature such as avx512_vnni, according to Linux; False on other systems."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return False
    return any(name in line.split() for line in lines if line.startswith("flags"))


def has_accelerator() -> bool:
    """Whether torch would probably find an accelerator; doesn't import torch."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or any(Path(device).exists() for device in _GPU_DEVICES)


def usable_processors(cgroup: Path = CGROUP) -> int:
    """The number of processors for this process: its CPU affinity, within the container's limit and OMP_NUM_THREADS.

    A limit of 2.5 counts as two: a third thread would be throttled half of the time, and the others wait for it.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    available = len(affinity(0)) if affinity else os.cpu_count() or 1
    limits = [limit for limit in (cpu_limit(cgroup), openmp_limit()) if limit]
    return max(1, int(min([available, *limits])))


def openmp_limit() -> int | None:
    """The number of threads that OMP_NUM_THREADS allows, as torch and OpenMP read it; None without a limit."""
    first, _, _ = os.environ.get("OMP_NUM_THREADS", "").partition(",")
    return int(first) or None if first.strip().isdecimal() else None


def cpu_limit(cgroup: Path = CGROUP) -> float | None:
    """The container's CPU limit in processors, from cgroup v2 or v1; None if there is none."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return None
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max" means no limit
        return None
    return limit if limit > 0 else None  # v1 writes -1 for no limit
