"""Runs functions on files in processes with limits."""

from __future__ import annotations

import atexit
import contextlib
import json
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from backends.stopwatch import now
from rag.documents import ShareReport
from rag.errors import DocumentError, FileError, FileProblem, ReaderStopped, StopReason
from rag.reading.processes.limits import PICTURE_LIMITS, ProcessLimits
from rag.reading.processes.process import ReaderProcess
from rag.reading.processes.worker import FORKS, Request
from ui.process.environment import int_setting

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
PROCESSES = 2
PARSERS = ("chardet", "lxml.html", "markitdown.converters", "numpy", "rag.reading.parse", "pypdfium2")
RENDERERS = ("PIL.Image", "PIL.ImageDraw", "pypdfium2")
_TICK_SECONDS = 0.1
_pools: weakref.WeakSet[ReaderPool] = weakref.WeakSet()


class ReaderPool:
    """At most `size` reader processes, for files in their order; safe across threads.

    A process starts when it is needed and stays. One that is stopped or crashes is replaced at once.
    """

    def __init__(
        self,
        size: int = PROCESSES,
        limits: ProcessLimits | None = None,
        *,
        modules: Sequence[str] = PARSERS,
        forks: bool = FORKS,
    ) -> None:
        self._size = size
        self._limits = limits or ProcessLimits()
        self._modules = modules
        self._once = not forks
        self._changed = threading.Condition()
        self._tickets: list[object] = []  # the first ones have a process, the others wait
        self._idle: list[ReaderProcess] = []
        self._processes: weakref.WeakSet[ReaderProcess] = weakref.WeakSet()
        self._closed = False
        _pools.add(self)

    def warm(self) -> None:
        """Start a process for the next file, if none is ready."""
        with self._changed:
            if not self._idle and not self._tickets:
                self._idle.append(self._start())

    def run(
        self, work: Callable[..., T], file_name: str, /, *, report: ShareReport | None = None, **arguments: Any
    ) -> T:
        """Return `work(**arguments)`, computed in a process; the file's name is for errors.

        Arguments are plain data, paths and dataclasses of them. `report` gets the progress, and regular calls without
        news; an error that it raises stops the process and propagates. Raises the `DocumentError` of the work, or
        `ReaderStopped`.
        """
        values = {name: asdict(value) if is_dataclass(value) else value for name, value in arguments.items()}  # type: ignore[arg-type]
        # By name: after an edit in Gradio's reload mode, this function isn't the one that its module has.
        function = f"{work.__module__}:{work.__qualname__}"
        request = Request(function, values, report is not None, asdict(self._limits))
        with self._process(report or _ignore) as process:
            process.send(request)
            kind, payload = self._answer(process, file_name, report or _ignore)
        if kind == "problem":
            problem, values = json.loads(payload)
            raise FileError(FileProblem[problem], **values)
        if kind == "error":
            raise DocumentError(*json.loads(payload))
        result: T = _result_type(work).validate_json(payload)
        return result

    def close(self) -> None:
        """End all processes, and start no more."""
        with self._changed:
            self._closed = True
            for process in self._processes:
                process.kill()
            self._idle.clear()

    def _answer(self, process: ReaderProcess, file_name: str, report: ShareReport) -> tuple[str, bytes]:
        """Return the answer: "result", "problem" or "error", and its JSON."""
        share, answer = 0.0, ("", b"")
        for line in self._lines(process, file_name):
            word, _, payload = line.strip().partition(b" ")
            if word == b"share":
                share = float(payload)
            elif word in (b"result", b"problem", b"error"):
                answer = word.decode(), payload
            elif word == b"ended" and not payload and answer[0]:
                break
            elif word == b"ended":
                raise ReaderStopped(file_name, StopReason[payload.decode() or "CRASH"])
            report(share)
        return answer

    def _lines(self, process: ReaderProcess, file_name: str) -> Iterator[bytes]:
        """Yield the lines of an answer, and an empty one when there is nothing new, within the limits."""
        deadline, size = now() + self._limits.seconds, 0
        parts: list[bytes] = []
        while now() < deadline:
            part = process.receive(_TICK_SECONDS)
            if part == b"":
                raise ReaderStopped(file_name, StopReason.CRASH)
            parts.append(part or b"")
            size += len(part or b"")
            if size > self._limits.output_mb * 1_000_000:
                raise ReaderStopped(file_name, StopReason.OUTPUT)
            if part and part.endswith(b"\n"):
                yield b"".join(parts)
                parts.clear()
            else:
                yield b""
        raise ReaderStopped(file_name, StopReason.TIME)

    @contextlib.contextmanager
    def _process(self, report: ShareReport) -> Iterator[ReaderProcess]:
        """Wait for a turn, and yield a process; after an error it is replaced."""
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        try:
            self._wait(ticket, report)
            process = self._take()
            try:
                yield process
            except BaseException:
                self._replace(process)
                raise
            if self._once:
                self._replace(process)
            else:
                self._put_back(process)
        finally:
            with self._changed:
                self._tickets.remove(ticket)
                self._changed.notify_all()

    def _wait(self, ticket: object, report: ShareReport) -> None:
        while True:
            with self._changed:
                if self._tickets.index(ticket) < self._size:
                    return
                self._changed.wait(_TICK_SECONDS)
            report(0.0)

    def _take(self) -> ReaderProcess:
        with self._changed:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
        return self._start()

    def _start(self) -> ReaderProcess:
        with self._changed:
            if self._closed:
                raise OSError("the readers have ended")
            process = ReaderProcess(self._modules, once=self._once)
            self._processes.add(process)
        return process

    def _put_back(self, process: ReaderProcess) -> None:
        with self._changed:
            self._idle.append(process)

    def _replace(self, process: ReaderProcess) -> None:
        process.kill()
        with contextlib.suppress(OSError):  # the next file tries again
            self._put_back(self._start())


@cache
def file_readers() -> ReaderPool:
    """Return the pool that reads this process's files: SPACEPORT_READERS processes with SPACEPORT_READER_… limits."""
    size = int_setting("SPACEPORT_READERS", PROCESSES, least=1)
    return ReaderPool(size, ProcessLimits.from_environment())


@cache
def page_renderers() -> ReaderPool:
    """Return the pool that draws pages; a visitor who opens a source doesn't wait for files."""
    limits = replace(PICTURE_LIMITS, memory_mb=ProcessLimits.from_environment().memory_mb)
    return ReaderPool(1, limits, modules=RENDERERS)


@atexit.register
def _close_pools() -> None:
    """End the processes when the program ends: registered at import, so that it comes after the end of ingestions."""
    for pool in list(_pools):
        pool.close()


@cache
def _result_type(work: Callable[..., Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(get_type_hints(work)["return"])


def _ignore(share: float) -> None:
    pass
