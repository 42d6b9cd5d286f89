"""The program of a reader process: `python -m rag.reading.processes.worker`.

It reads requests from its standard input and answers each with lines: `share 0.5` for progress, then `result` or
`error` with JSON, then `ended`, with the reason if the process of this file was stopped.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple, get_type_hints

from rag.errors import DocumentError, FileError, StopReason
from rag.reading.processes.limits import ProcessLimits, apply

# Only Linux: macOS's system libraries don't work after a fork.
FORKS = sys.platform == "linux"
# The page goes first: on two cores, two readers of hostile files would otherwise take most of its processor time.
NICE = 10
_NO_MEMORY = 3  # the exit status after a MemoryError


class Request(NamedTuple):
    """A function by its name ("module:function"), its arguments as plain data, and the limits."""

    function: str
    arguments: dict[str, Any]
    with_progress: bool
    limits: dict[str, int]


def main(arguments: list[str]) -> None:
    """Import the modules that are named; then answer requests until the page's process ends, or one with `--once`."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICE)
    replies = os.dup(1)
    os.dup2(2, 1)  # what a parser prints isn't a reply
    once = "--once" in arguments
    # markitdown imports pandas for spreadsheets, which are read here without it. It takes 0.5 s, 77 MB and a thread,
    # which no fork has. (Measured 2026-11-28.)
    with _unavailable("pandas"):
        for name in filter("--once".__ne__, arguments):
            with contextlib.suppress(ImportError):  # the reader of a file that needs it says so
                importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector doesn't write to pages that the forks share
    while True:
        try:
            request = Request(*pickle.load(sys.stdin.buffer))  # noqa: S301  # from the process that started this one
        except EOFError:
            return
        limits = ProcessLimits(**request.limits)
        if once:
            apply(limits)
            _answer(request, replies)
            _send(replies, "ended", "")
            return
        reason = _answer_in_child(request, limits, replies)
        # A reader that was killed can leave half a line.
        os.write(replies, b"\n")
        _send(replies, "ended", reason.name if reason else "")


@contextlib.contextmanager
def _unavailable(module: str) -> Iterator[None]:
    """Let imports of a module fail in this block, as if it weren't installed."""
    sys.modules[module] = None  # type: ignore[assignment]  # https://docs.python.org/3/reference/import.html#the-module-cache
    try:
        yield
    finally:
        del sys.modules[module]


def _answer_in_child(request: Request, limits: ProcessLimits, replies: int) -> StopReason | None:
    """Answer in a new process with limits, so that nothing of a file stays for the next one."""
    _load(request.function)  # here, so that later files find it
    child = os.fork()
    if child:
        _end_with_page(child)
        _, status, usage = os.wait4(child, 0)
        return _stop_reason(os.waitstatus_to_exitcode(status), usage, limits)
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        apply(limits)
        _answer(request, replies)
        status = 0
    except MemoryError:
        status = _NO_MEMORY
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _end_with_page(child: int) -> None:
    """Wait until the child ends, and kill it if the page's process ends before."""
    with contextlib.suppress(OSError):  # a kernel without pidfd_open
        end = os.pidfd_open(child)
        poller = select.poll()
        poller.register(end, select.POLLIN)
        poller.register(0, 0)  # an event of the standard input means that its other end is closed
        if any(file == 0 for file, _ in poller.poll()):
            os.kill(child, signal.SIGKILL)
        os.close(end)


def _stop_reason(code: int, usage: Any, limits: ProcessLimits) -> StopReason | None:
    if code == 0:
        return None
    if code == -signal.SIGXCPU or usage.ru_utime + usage.ru_stime >= limits.cpu_seconds:
        return StopReason.TIME
    # PDFium and C++ abort when they get no memory, and Linux kills when the machine has none.
    out_of_memory = code in (_NO_MEMORY, -signal.SIGABRT, -signal.SIGKILL)
    return StopReason.MEMORY if out_of_memory else StopReason.CRASH


def _answer(request: Request, replies: int) -> None:
    """Call the function and send its result or its `DocumentError`."""
    function, to_json = _load(request.function)
    progress = {"report": partial(_send, replies, "share")} if request.with_progress else {}
    try:
        result = function(**request.arguments, **progress)
    except FileError as error:
        _send(replies, "problem", json.dumps([error.problem.name, error.values]))
    except DocumentError as error:
        _send(replies, "error", json.dumps([error.message, error.remedy]))
    else:
        _send(replies, "result", to_json(result).decode())


@cache
def _load(name: str) -> tuple[Callable[..., Any], Callable[[Any], bytes]]:
    """Return a function that makes its dataclasses from plain data, and what turns its result into JSON."""
    from pydantic import TypeAdapter, validate_call

    module, _, function_name = name.partition(":")
    function = getattr(importlib.import_module(module), function_name)
    return validate_call(function), TypeAdapter(get_type_hints(function)["return"]).dump_json


def _send(replies: int, kind: str, payload: object) -> None:
    data = f"{kind} {payload}\n".encode()
    view = memoryview(data)
    while view:
        view = view[os.write(replies, view) :]


if __name__ == "__main__":
    main(sys.argv[1:])
