"""Error handling that all commands share: an error becomes a message on stderr and an exit status."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from collections.abc import Callable

from backends.errors import SpaceportError

# The symbols for control characters, which could change a terminal's colours, title or clipboard.
_CONTROL = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n\r"}
_CONTROL |= {0x7F: "\u2421"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
# What the commands print themselves: dim text, and the end of a line that is written again.
_OWN = re.compile(r"(\x1b\[(?:[02]m|K))")


def printable(text: str) -> str:
    """Return text with a visible symbol for each control character but tabs and line ends."""
    return text.translate(_CONTROL)


class _Terminal(io.TextIOWrapper):
    """A terminal that displays what models, files and servers say and obeys none of it; a file gets the exact text."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        encoding, errors = stream.encoding, stream.errors
        super().__init__(stream.detach(), encoding, errors, line_buffering=True)

    def write(self, text: str) -> int:
        super().write("".join(printable(part) if at % 2 == 0 else part for at, part in enumerate(_OWN.split(text))))
        return len(text)


def exit_status(command: Callable[[], int]) -> int:
    """Run `command` and return its status, 1 after an error (printed to stderr), or 130 after Ctrl-C."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # a terminal without Unicode prints escapes instead
            stream.reconfigure(errors="backslashreplace")
            if stream.isatty() and not isinstance(stream, _Terminal):
                setattr(sys, name, _Terminal(stream))
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
