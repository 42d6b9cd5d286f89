"""Whether a request opened its connection, or reused one that its server may be closing."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import httpx2

from backends.stopwatch import mark

_has_opened: ContextVar[bool] = ContextVar("has_opened", default=False)


def begin_request() -> None:
    """Note that this task's next request has opened no connection yet."""
    _has_opened.set(False)


def has_opened() -> bool:
    """Whether this task's last request opened a connection."""
    return _has_opened.get()


def note_opened() -> None:
    """Note that this task's request has opened a connection."""
    if not _has_opened.get():
        _has_opened.set(True)
        mark("connected")


def watch_connections(request: httpx2.Request) -> None:
    """Note the connection of a request that doesn't open it on a transport of our own.

    The library calls back 14 times for each request, which takes a seventh of its time. (2026-11-30.)
    """
    request.extensions["trace"] = _trace


async def _trace(event: str, _: Mapping[str, Any]) -> None:
    if event.endswith(".connect_tcp.complete"):
        note_opened()
