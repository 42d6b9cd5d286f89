"""Runs a command of `python -m rag` and passes on what it prints while it works."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from compare.errors import WorkloadError

RAG = (sys.executable, "-m", "rag")
INSTALL = "Run it in a checkout of Spaceport, where `python -m rag` is."


def check_rag() -> None:
    """Raise `WorkloadError` if this installation has no `rag`, as in a published comparator."""
    if not has_rag():
        raise WorkloadError("Questions need the package `rag`, which isn't installed here.", INSTALL)


def has_rag() -> bool:
    """Return whether this installation has `rag`."""
    return importlib.util.find_spec("rag") is not None


def run_rag(
    command: Sequence[str],
    text: str = "",
    seconds: float | None = None,
    on_line: Callable[[int], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Run a command of `rag` and return the lines that it prints; its error becomes one of this program.

    `on_line` gets the number of each line as it comes; `on_note` gets each line of stderr, from another thread.
    """
    check_rag()
    process = _start(command, subprocess.PIPE)
    late, notes, lines = threading.Event(), list[str](), list[str]()
    assert process.stdin and process.stdout and process.stderr  # noqa: S101  # all three are pipes
    threads = [
        threading.Thread(target=_write, args=(process.stdin, text)),
        threading.Thread(target=_collect, args=(process.stderr, notes, on_note)),
    ]
    timer = threading.Timer(seconds or 0, _end, (process, late))
    try:
        for thread in [*threads, *([timer] if seconds else [])]:
            thread.start()
        _collect(process.stdout, lines, lambda _: on_line(len(lines)))
        process.wait()
    finally:
        timer.cancel()
        process.kill()  # of one that was interrupted
        for thread in threads:
            thread.join()
        process.__exit__(None, None, None)
    if late.is_set():
        raise _too_late(seconds or 0)
    if process.returncode:
        raise _error(notes, process.returncode)
    return lines


class RagConversation:
    """A command of `rag` that answers each line with a line. It starts with the first question."""

    def __init__(self, command: Sequence[str]) -> None:
        check_rag()
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._notes = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # `close` closes it

    def ask(self, lines: Sequence[str], seconds: float) -> list[str]:
        """Return the reply to each line; `WorkloadError` if the process ends, or isn't done after `seconds`."""
        if not lines:
            return []
        process = self._process = self._process or _start(self._command, self._notes)
        late = threading.Event()
        timer = threading.Timer(seconds, _end, (process, late))
        timer.start()
        try:
            return [self._reply(process, line) for line in lines]
        except (OSError, EOFError) as error:
            status = process.wait()
            if late.is_set():
                raise _too_late(seconds) from error
            self._notes.seek(0)
            raise _error(self._notes.read().strip().splitlines(), status) from error
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End the process, also while another thread waits for its reply."""
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.stop()
        if self._process:
            with suppress(OSError):  # what it didn't read any more
                self._process.__exit__(None, None, None)
        self._notes.close()

    def _reply(self, process: subprocess.Popen[str], line: str) -> str:
        assert process.stdin and process.stdout  # noqa: S101  # both are pipes
        process.stdin.write(line + "\n")
        process.stdin.flush()
        if reply := process.stdout.readline():
            return reply
        raise EOFError


def _end(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    process.kill()


def _start(command: Sequence[str], stderr: int | IO[str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, encoding="utf-8"
        )
    except OSError as error:
        raise WorkloadError(f"Can't start `python -m rag` ({error.strerror}).", INSTALL) from error


def _too_late(seconds: float) -> WorkloadError:
    return WorkloadError(f"The answers were not scored within {seconds:g} s.", "Ask fewer questions.")


def _write(pipe: IO[str], text: str) -> None:
    try:
        with pipe:
            pipe.write(text)
    except OSError:  # the process ended before it had read everything; its status says why
        pass


def _collect(pipe: IO[str], lines: list[str], report: Callable[[str], None]) -> None:
    for line in pipe:
        if line.strip():
            lines.append(line.rstrip("\n"))
            report(lines[-1])


def _error(notes: Sequence[str], status: int) -> WorkloadError:
    """Return the error that a command of `rag` printed: its message, and the remedy on the next line."""
    at = next((number for number in reversed(range(len(notes))) if notes[number].startswith("error: ")), len(notes) - 1)
    message = notes[at].removeprefix("error: ") if notes else f"`python -m rag` ended with status {status}."
    return WorkloadError(message, " ".join(line.strip() for line in notes[at + 1 :]) or "Look at the log.")
