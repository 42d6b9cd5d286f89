"""Lets the clients of one run begin each block together.

They connect over TCP and exchange lines of JSON. A client says that it's ready; once all are, each gets the moment to
begin. A client that has gone isn't waited for.
"""

from __future__ import annotations

import asyncio
import json
import platform
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from backends.stopwatch import now
from compare.errors import CompareError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# From the message to the moment to begin, in seconds: so long may it take to arrive.
LEAD = 0.02


def clock_name() -> str:
    """Return a name of this machine's steady clock, which all its processes share until it starts again."""
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return platform.node()


class Coordinator:
    """Waits for `count` clients, again and again. `run` is the id of their run."""

    def __init__(self, count: int) -> None:
        self.run = secrets.token_hex(6)
        self._absent = set(range(count))
        self._ready: dict[int, asyncio.StreamWriter] = {}
        self._present: set[int] = set()
        self._empty = asyncio.Event()
        self._attending: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._plan: str | None = None
        self._origin: float | None = None

    @asynccontextmanager
    async def serving(self, host: str, port: int = 0) -> AsyncIterator[int]:
        """Listen while the context lasts; yield the port."""
        try:
            server = await asyncio.start_server(self._attend, host, port)
        except OSError as error:
            raise CompareError(f"Can't listen on {host}:{port} ({error.strerror}).", "Use another port.") from error
        async with server:
            try:
                yield server.sockets[0].getsockname()[1]
            finally:
                for writer in self._attending.values():
                    writer.close()
                await asyncio.gather(*self._attending, return_exceptions=True)

    async def wait_until_empty(self) -> None:
        """Wait until all clients have gone: one that finishes first must not end it for the others."""
        await self._empty.wait()

    def lose(self, index: int) -> None:
        """Wait for a client no longer."""
        self._absent.discard(index)
        self._present.discard(index)
        self._ready.pop(index, None)
        if not self._present:
            self._empty.set()
        self._release_if_complete()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = None
        task = asyncio.current_task()
        assert task  # noqa: S101  # asyncio runs this as a task
        self._attending[task] = writer
        try:
            hello = json.loads(await reader.readline())
            if problem := self._problem(hello):
                writer.write(_line({"error": problem}))
                return
            index = int(hello["client"])
            self._absent.discard(index)
            self._present.add(index)
            self._arrive(index, writer)
            while await reader.readline():
                self._arrive(index, writer)
        except (ValueError, KeyError, TypeError, ConnectionError):
            pass  # no client of ours, or one that was killed
        finally:
            if index is not None:
                self.lose(index)
            await close(writer)
            del self._attending[task]

    def _problem(self, hello: dict[str, Any]) -> str:
        """Return why a client can't take part; "" if it can."""
        if hello["client"] not in self._absent:
            return f"There is no place for a client {hello['client']}."
        self._plan = self._plan or hello["plan"]
        return "" if hello["plan"] == self._plan else "Its plan or its prompts differ from those of another client."

    def _arrive(self, index: int, writer: asyncio.StreamWriter) -> None:
        self._ready[index] = writer
        self._release_if_complete()

    def _release_if_complete(self) -> None:
        if self._absent or not self._ready or self._ready.keys() != self._present:
            return
        message: dict[str, Any] = {}
        if self._origin is None:
            self._origin = now()
            message = {"run": self.run, "clock": clock_name(), "origin": self._origin}
        message["at"] = now() - self._origin + LEAD
        for writer in self._ready.values():
            writer.write(_line(message))
        self._ready.clear()


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, which the other side may have closed before."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
