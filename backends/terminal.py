"""What the commands of the project have in common: an error becomes words and an exit status."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable

from backends.errors import SpaceportError


def exit_status(command: Callable[[], int]) -> int:
    """Run a command and give its status: its own, 1 after an error (told on stderr), 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without Unicode shows its escape instead
            stream.reconfigure(errors="backslashreplace")
    try:
        return command()
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
