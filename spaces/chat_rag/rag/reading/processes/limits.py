"""Limits for the process that reads one file."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ui.process.environment import int_setting


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one process may use for one file.

    `memory_mb` limits the address space: a PDF of 5 kB, whose forms draw each other twice, needs 6.5 GB without it.
    `cpu_seconds` is for one process; text recognition is another one. `seconds` is on the clock, for everything.
    `output_mb` limits the answer, which the page keeps in its own memory.
    """

    memory_mb: int = 1_000
    cpu_seconds: int = 60
    seconds: int = 900
    output_mb: int = 64

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ProcessLimits:
        """Read SPACEPORT_READER_MB, _READER_CPU_SECONDS and _READER_SECONDS."""
        return cls(
            int_setting("SPACEPORT_READER_MB", cls().memory_mb, environment, least=1),
            int_setting("SPACEPORT_READER_CPU_SECONDS", cls().cpu_seconds, environment, least=1),
            int_setting("SPACEPORT_READER_SECONDS", cls().seconds, environment, least=1),
        )


# For the picture of one page, which a visitor waits for.
PICTURE_LIMITS = ProcessLimits(cpu_seconds=10, seconds=30, output_mb=2)


def apply(limits: ProcessLimits) -> None:
    """Limit this process and those that it starts, as far as the operating system can.

    Windows has none of these limits, and macOS doesn't limit the address space.
    """
    with contextlib.suppress(ImportError):
        import resource

        memory = limits.memory_mb * 1_000_000
        for kind, soft, hard in (
            (resource.RLIMIT_AS, memory, memory),
            # A process can ignore the signal at the first limit; at the second one it is killed.
            (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
            (resource.RLIMIT_FSIZE, 0, 0),
            (resource.RLIMIT_CORE, 0, 0),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (soft, hard))
        # The page's process enforces the time on the clock. This is for a reader that has lost it.
        signal.alarm(limits.seconds + 5)
    with contextlib.suppress(OSError):
        # If the whole machine runs out of memory, Linux ends this process first.
        Path("/proc/self/oom_score_adj").write_text("1000")
