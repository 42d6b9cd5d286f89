"""A measurement in a process of its own, so that a page that shows it can not change it.

It is the same program as on the command line: the page only reads its progress from a pipe.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from compare.errors import CompareError
from compare.measure.measurement import Progress

FOLDER = Path(__file__).parent.parent.parent
STOPPED = 130


class Background:
    """One `python -m compare run` with these arguments; `out` is where it stores the run."""

    def __init__(self, arguments: Sequence[str], out: Path) -> None:
        self.out = out
        self._arguments = [*arguments, "--out", str(out), "--progress", "json"]
        self._process: Process | None = None
        self._stopping = False

    async def run(self) -> AsyncIterator[Progress]:
        """Give its progress until it is over; an error that it ended with is raised."""
        if self._stopping:
            return
        # The folder is where `compare` lies beside app.py on a Space; the arguments are checked by its own parser.
        command = (sys.executable, "-m", "compare", "run", *self._arguments)
        self._process = process = await asyncio.create_subprocess_exec(
            *command, cwd=FOLDER, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        assert process.stdout and process.stderr  # noqa: S101  # both were asked for
        errors = asyncio.create_task(process.stderr.read())
        try:
            async for line in process.stdout:
                with suppress(ValueError, TypeError):
                    yield Progress(**json.loads(line))
            status = await process.wait()
            if status not in (0, STOPPED) and not self.out.exists():
                raise _error((await errors).decode("utf-8", "replace"))
        finally:
            errors.cancel()
            if process.returncode is None:  # the visitor has gone
                process.kill()
                await process.wait()

    def stop(self) -> None:
        """Ask it to end now; what was measured is stored."""
        self._stopping = True
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)


def _error(said: str) -> CompareError:
    """The error that the program printed: a line "error: …", the remedy on the next."""
    lines = said.strip().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            return CompareError(line.removeprefix("error: "), " ".join(lines[number + 1 :]).strip())
    return CompareError("The measurement ended unexpectedly.", lines[-1] if lines else "Look at the log.")
