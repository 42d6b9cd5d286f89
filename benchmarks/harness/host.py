"""Who else uses the processors during a measurement: the host of a virtual machine (CPU steal), other processes."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

# Above this share of the total time, a measurement says more about other virtual machines than about the code.
MAX_STEAL, TRIES = 0.02, 5
Ticks = tuple[int, int]


def ticks() -> Ticks:
    """Return the stolen and the total processor time since boot, in ticks; zeros if the system isn't Linux."""
    with suppress(OSError):
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return fields[7], sum(fields[:8])
    return 0, 0


def was_busy(since: Ticks) -> bool:
    """Return whether the host has taken more than MAX_STEAL of the time since then."""
    now = ticks()
    return now[0] - since[0] > MAX_STEAL * (now[1] - since[1])


def others_seconds() -> float:
    """Return the processor time since boot of all processes but this one and those that it has started."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    own = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            own += sum(process.cpu_times()[:4])  # with children that have ended
    busy = psutil.cpu_times()
    return busy.user + busy.nice + busy.system - own


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children, such as the readers of files, so far."""
    children = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(sum(times[:4]) for times in children)  # with their own children that have ended
