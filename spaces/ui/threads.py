"""Threads for blocking work: each kind has its own few, so that one kind can't take those of the others."""

from __future__ import annotations

import asyncio
import contextvars
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
