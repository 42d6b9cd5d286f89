"""How the models of this process share its processors."""

from __future__ import annotations

import os


def spin_briefly() -> None:
    """Let the threads of llama.cpp and torch sleep soon when they wait for each other; to be called before the import.

    By default they spin, and where anything else wants a processor (an upload that is embedded, a second
    visitor) each waits for the other's turn: two tokens a second instead of thirty, measured on two cores.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def usable_processors() -> int:
    """How many processors this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
