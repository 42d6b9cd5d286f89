"""Runs the command line of a server as a program, which can be PID 1 of a container."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn


def run_program(main: Callable[[list[str]], int]) -> NoReturn:
    """Exit with the status of `main`; SIGTERM ends the program with 0 until its server handles the signal itself."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # PID 1 ignores it otherwise
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
