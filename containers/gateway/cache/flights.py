"""Single flight: readers that want the same answer at the same moment share one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from backends import Done, Event
from backends.stopwatch import now
from backends.streams import closing
from gateway.cache.entries import TimedEvent
from gateway.routing.stream import Failure


class Upstream(Protocol):
    """The stream of an answer.

    `target` is who gives it, "" until its first event has come; `tried` who was asked last, `seconds` how long that one
    has worked; `failures` who couldn't.
    """

    target: str
    tried: str

    @property
    def failures(self) -> Sequence[Failure]: ...

    @property
    def seconds(self) -> float: ...

    def __aiter__(self) -> AsyncIterator[Any]: ...

    def __anext__(self) -> Awaitable[Any]: ...

    async def aclose(self) -> None: ...


class Flight:
    """One stream with any number of readers. It ends when its last reader leaves; its error reaches all of them.

    `on_complete` gets the flight with its whole answer. `on_end` is called when nobody may join any more.
    """

    def __init__(
        self, upstream: Upstream, on_complete: Callable[[Flight], Awaitable[None]], on_end: Callable[[], None]
    ) -> None:
        self.events: list[TimedEvent] = []
        self.upstream = upstream
        self.readers = 0
        self._on_complete, self._on_end = on_complete, on_end
        self._billed = False
        self._error: Exception | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Reader]:
        """Yield a new reader of the stream; the last one that leaves ends it."""
        reader = Reader(self, self._read())
        self.readers += 1
        try:
            yield reader
        finally:
            reader.has_left = True
            self.readers -= 1
            if not self.readers and not self._ended:
                self._on_end()
                self._task.cancel()
                await asyncio.wait([self._task])  # the connection is free before this returns

    def bill(self, *, others: int) -> bool:
        """Whether a reader pays, while so many `others` read: the first one at the end, or the last one before it."""
        if self._billed or (others and not (self._ended or self.done)):
            return False
        self._billed = True
        return True

    @property
    def done(self) -> Done | None:
        """The last event, once it has come; readers have it before the target's connection is free."""
        last = self.events[-1].event if self.events else None
        return last if isinstance(last, Done) else None

    async def _read(self) -> AsyncIterator[Event]:
        position = 0
        while True:
            while position < len(self.events):
                position += 1
                yield self.events[position - 1].event
            if self._ended:
                break
            await self._news.wait()
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        try:
            await self._fill()
            is_complete = self.done is not None
        except Exception as error:
            self._error, is_complete = error, False
        finally:
            self._ended = True
            self._wake()
        try:
            if is_complete:  # equal requests join meanwhile: the answer isn't in the store yet
                await self._on_complete(self)
        finally:
            self._on_end()

    async def _fill(self) -> None:
        started = now()
        async with closing(self.upstream):
            async for event in self.upstream:
                self.events.append(TimedEvent(now() - started, event))
                self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


@dataclass(slots=True)
class Reader:
    """One of the readers of a flight; `events` are all of its events from the first one on."""

    flight: Flight
    events: AsyncIterator[Event]
    has_left: bool = False

    def bill(self) -> bool:
        """Whether this reader pays for the answer; ask once, when it has ended or the reader leaves."""
        return self.flight.bill(others=self.flight.readers - (not self.has_left))
