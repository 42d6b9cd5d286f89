"""The one place where time is read.

Backends never time themselves. `Stopwatch.watch` wraps a stream and keeps the raw arrivals;
every figure derives from them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from backends.streams import closing
from backends.types import Delta, Done, Event, Kind, Usage

now = time.perf_counter
cpu_clock = time.process_time
wall_clock = time.time


class Arrival(NamedTuple):
    """One delta: when it came (seconds since the stream was asked for), its kind and characters."""

    seconds: float
    kind: Kind
    characters: int


class Mark(NamedTuple):
    """Something on the wire that is no text: when (seconds since the stream was asked for) and what.

    "connected": a new connection was made; "headers": the response began; "empty", "usage": an event without text.
    """

    seconds: float
    what: str


@dataclass(slots=True)
class Stopwatch:
    """Raw arrivals of one stream, and the figures that follow from them.

    While it keeps marks (`marking`), an arrival is when the loop read it from its socket, and `sent` when the request
    had been written; otherwise, and for models in this process, when the event came through, and None.

    Definitions: first token is the first non-empty text minus send; tokens/s counts only the tokens
    that the server reported, over the time after the first of them.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    marks: list[Mark] = field(default_factory=list)
    sent: float | None = None
    _read: float | None = None
    _answered: bool = False

    @contextmanager
    def marking(self) -> Iterator[None]:
        """Keep the marks of what this task asks for inside the block; a task of its own for each stream."""
        token = _marking.set(self)
        try:
            yield
        finally:
            _marking.reset(token)

    async def watch(self, stream: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Pass the stream through, keeping when each event came; closing it closes the stream."""
        arrivals = self.arrivals
        started = self.started = now()
        async with closing(stream):
            try:
                async for event in stream:
                    if type(event) is Delta:
                        arrivals.append(Arrival(self._came() - started, event.kind, len(event.text)))
                    elif type(event) is Done:
                        self.usage, self.finish_reason = event.usage, event.finish_reason
                        self.ended = now()
                    yield event
            finally:
                self.ended = now()

    def _came(self) -> float:
        """When the event that is handled now came: with the last read, where sockets stamp."""
        return self._read or now()

    @property
    def first_token_seconds(self) -> float | None:
        """Seconds from send to the first text of either kind."""
        return self.arrivals[0].seconds if self.arrivals else None

    def first_seconds(self, kind: Kind) -> float | None:
        """Seconds from send to the first text of one kind."""
        return next((arrival.seconds for arrival in self.arrivals if arrival.kind == kind), None)

    @property
    def total_seconds(self) -> float | None:
        """Seconds from send to the end, however it ended."""
        if self.started is None or self.ended is None:
            return None
        return self.ended - self.started

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens after the first one, over the time that they took."""
        if not self.usage or not self.arrivals or self.usage.output_tokens < 2:
            return None
        spent = self.arrivals[-1].seconds - self.arrivals[0].seconds
        return (self.usage.output_tokens - 1) / spent if spent > 0 else None

    def timings(self) -> dict[str, float | None]:
        """The figures as plain numbers, for JSON."""
        return {
            "first_token_seconds": self.first_token_seconds,
            "first_answer_seconds": self.first_seconds("answer"),
            "total_seconds": self.total_seconds,
            "tokens_per_second": self.tokens_per_second,
        }


_marking: ContextVar[Stopwatch | None] = ContextVar("marking", default=None)


def marked() -> bool:
    """Whether somebody keeps marks, for those that are costly to make."""
    return _marking.get() is not None


def mark(what: str) -> None:
    """Tell the stopwatch that keeps marks here, if there is one, that `what` was seen now."""
    watch = _marking.get()
    if watch is not None and watch.started is not None:
        watch.marks.append(Mark(watch._came() - watch.started, what))


def wrote() -> None:
    """A socket has sent bytes; the last ones before an answer are the end of the request."""
    watch = _marking.get()
    if watch is not None and not watch._answered:
        watch.sent = now()


def read_at(stamp: float | None) -> None:
    """A socket's bytes are handled now that were read at `stamp`; None forgets the last stamp."""
    watch = _marking.get()
    if watch is not None:
        watch._read = stamp
        watch._answered = watch._answered or stamp is not None
