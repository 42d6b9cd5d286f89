"""Keeps the event loop responsive while other threads of the page compute.

A thread gives the interpreter lock up at each system call, and waits up to the switch interval to get it back if
another thread computes.
"""

from __future__ import annotations

import importlib.util
import sys

# Python's own is 5 ms: a request with ten system calls then takes 50 ms while a document is split into chunks.
SWITCH_SECONDS = 0.0005


def keep_responsive() -> None:
    """Let the event loop wait less for the interpreter lock, and make fewer system calls; call this once."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # Gradio tries to import it before and after each event. Without this, Python looks through all folders each time.
    if importlib.util.find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
