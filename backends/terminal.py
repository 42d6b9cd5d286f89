"""Error handling that all commands share: an error becomes a message on stderr and an exit status."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable

from backends.errors import SpaceportError


def exit_status(command: Callable[[], int]) -> int:
    """Run `command` and return its status, 1 after an error (printed to stderr), or 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without Unicode prints escapes instead
            stream.reconfigure(errors="backslashreplace")
    try:
        return command()
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the pipe has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
