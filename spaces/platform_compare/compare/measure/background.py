"""A measurement in a process of its own, so that the page that shows it can't change it.

The process is the command line program; the page reads its progress from a pipe.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from compare.errors import CompareError
from compare.measure.measurement import Progress

FOLDER = Path(__file__).parent.parent.parent
STOPPED = 130


class BackgroundRun:
    """One `python -m compare run` with these arguments; it stores the run in `out`."""

    def __init__(self, arguments: Sequence[str], out: Path, folder: Path = FOLDER) -> None:
        self.out = out
        self._folder = folder
        self._arguments = [*arguments, "--out", str(out), "--progress", "json"]
        self._process: Process | None = None
        self._stopping = False

    async def run(self) -> AsyncIterator[Progress]:
        """Start the process and yield its progress until it ends; raise the error that it reports."""
        if self._stopping:
            return
        # In a Space, `compare` is in the folder of app.py. The program checks the arguments itself.
        command = (sys.executable, "-m", "compare", "run", *self._arguments)
        self._process = process = await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        assert process.stdout and process.stderr  # noqa: S101  # both are pipes
        stderr = asyncio.create_task(process.stderr.read())
        error: CompareError | None = None
        try:
            async for line in process.stdout:
                event = _event(line)
                if "error" in event:
                    error = self._error(str(event["error"]), str(event.get("remedy", "")))
                elif event:
                    yield Progress.from_json(event)
            status = await process.wait()
            if status not in (0, STOPPED) and not self.out.exists():
                lines = (await stderr).decode("utf-8", "replace").strip().splitlines()
                raise error or self._error("The measurement ended unexpectedly.", (lines or ["Look at the log."])[-1])
        finally:
            stderr.cancel()
            if process.returncode is None:  # the visitor has left
                with suppress(ProcessLookupError):  # with the process that scores its answers
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    def _error(self, message: str, remedy: str) -> CompareError:
        """Return an error for the page, which names files without their folders: those are the server's business."""
        catalog = os.environ.get("SPACEPORT_CATALOG", "")
        paths = [*(argument.partition("=")[2] or argument for argument in self._arguments), catalog, f"{FOLDER}/"]
        for path in sorted((path for path in paths if Path(path).is_absolute()), key=len, reverse=True):
            name = "" if path.endswith("/") else Path(path).name
            message, remedy = message.replace(path, name), remedy.replace(path, name)
        return CompareError(message, remedy)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping

    def stop(self) -> None:
        """Ask the process to end now; it stores what it has measured."""
        self._stopping = True
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)


def _event(line: bytes) -> dict[str, Any]:
    """Parse one line of the program's output; a line that isn't a JSON object isn't an event."""
    with suppress(ValueError):
        event = json.loads(line)
        return event if isinstance(event, dict) else {}
    return {}
