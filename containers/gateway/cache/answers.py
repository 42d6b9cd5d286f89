"""Answers from the store, from a stream that another request has begun, or from a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from backends import Event, Usage
from backends.stopwatch import now
from backends.streams import closing
from gateway.cache.entries import Entry, decode, encode, is_complete
from gateway.cache.flights import Flight, Reader, Upstream
from gateway.cache.stores import Store
from gateway.routing.stream import Failure

Source = Literal["hit", "miss", "shared", "none"]
MAX_ENTRY_BYTES = 1_000_000


@dataclass(slots=True)
class Answer:
    """An answer and where it comes from: "hit" is the store, "shared" another request's stream, "none" no cache."""

    source: Source
    events: AsyncIterator[Any]  # of text, or of another task that has no cache
    _target: str = ""
    _upstream: Upstream | None = None
    _reader: Reader | None = None

    @property
    def target(self) -> str:
        """Who gives the answer, or gave it; "" until the first event has come."""
        return self._upstream.target if self._upstream else self._target

    @property
    def tried(self) -> str:
        """Who gives the answer, or was asked for it last; "" if nobody was."""
        return self._upstream.tried if self._upstream else self._target

    @property
    def failures(self) -> Sequence[Failure]:
        """The targets that gave no event, with their errors."""
        return self._upstream.failures if self._upstream else ()

    @property
    def seconds(self) -> float:
        """How long the target that was asked last has worked."""
        return self._upstream.seconds if self._upstream else 0.0

    @property
    def usage(self) -> Usage | None:
        """What the target counted, if the answer is complete, also if this request hasn't read its end."""
        done = self._reader.flight.done if self._reader else None
        return done.usage if done else None

    def bill(self) -> bool:
        """Whether this request pays for the answer; ask once, at its end."""
        return self._reader.bill() if self._reader else self.source == "none"


class Answers:
    """Gives equal requests the same answer; `original_pace` replays stored ones as slowly as they came."""

    def __init__(self, store: Store | None, *, original_pace: bool = False) -> None:
        self._store = store
        self._original_pace = original_pace
        self._flights: dict[str, Flight] = {}

    async def find(self, key: str | None) -> Answer | None:
        """Return the answer that the store has for a key, if there is one."""
        if key is None or self._store is None or key in self._flights:
            return None
        data = await self._store.get(key)
        entry = decode(data) if data else None
        return Answer("hit", self._replay(entry), entry.target) if entry else None

    @asynccontextmanager
    async def open(self, key: str | None, start: Callable[[], Upstream]) -> AsyncIterator[Answer]:
        """Yield the answer of a stream; `start` begins it if nobody has. Without a key it always does."""
        if key is None:
            upstream = start()
            async with closing(upstream):
                yield Answer("none", aiter(upstream), _upstream=upstream)
            return
        source: Source = "shared" if key in self._flights else "miss"
        flight = self._flights.get(key) or self._begin(key, start())
        async with flight.joined() as reader:
            yield Answer(source, reader.events, _upstream=flight.upstream, _reader=reader)

    def _begin(self, key: str, upstream: Upstream) -> Flight:
        async def keep(flight: Flight) -> None:
            await self._keep(key, Entry(upstream.target, tuple(flight.events)))

        def end() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight = self._flights[key] = Flight(upstream, keep, end)
        return flight

    async def _keep(self, key: str, entry: Entry) -> None:
        if self._store is None or not is_complete(entry.events):
            return
        data = encode(entry)
        if len(data) <= MAX_ENTRY_BYTES:
            await self._store.put(key, data)

    async def _replay(self, entry: Entry) -> AsyncIterator[Event]:
        if not self._original_pace:
            for event in entry.joined():
                yield event
            return
        started = now()
        for seconds, event in entry.events:
            if (wait := started + seconds - now()) > 0:
                await asyncio.sleep(wait)
            yield event
