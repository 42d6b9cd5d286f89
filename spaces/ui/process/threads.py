"""Threads for blocking work: each kind has its own few, so that one kind can't take those of the others."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most `size` threads for one kind of work; they start when they are needed."""

    def __init__(self, name: str, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Return the result of `work` in one of the threads, with the caller's context as in `asyncio.to_thread`."""
        call = partial(contextvars.copy_context().run, work, *arguments, **options)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)


def lower_priority(nice: int) -> None:
    """Let other threads and processes go before the calling thread, if the system can: on Linux, each has its own nice.

    This is for work in native code. A thread of low priority that holds the interpreter's lock would delay all others.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
