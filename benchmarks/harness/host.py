"""Whether the host of a virtual machine took processors away while something was measured."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

# More than this share of all time, and what was measured says more of the neighbours than of us.
MOST_STOLEN, TRIES = 0.02, 5
Ticks = tuple[int, int]


def ticks() -> Ticks:
    """The time that the host has held processors back, and all time together; nothing on other systems than Linux."""
    with suppress(OSError):
        told = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return told[7], sum(told[:8])
    return 0, 0


def was_busy(since: Ticks) -> bool:
    """Whether the host took more than MOST_STOLEN away since then."""
    now = ticks()
    return now[0] - since[0] > MOST_STOLEN * (now[1] - since[1])
