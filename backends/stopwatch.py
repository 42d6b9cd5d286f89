"""The only module that reads the clock.

Backends never time themselves. `Stopwatch.record` wraps a stream and records the raw arrivals; every metric derives
from them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from backends.types import Delta, Done, Event, Kind, Usage

now = time.perf_counter
cpu_clock = time.process_time
wall_clock = time.time


class Arrival(NamedTuple):
    """One delta: when it arrived (seconds since the request), its kind, its number of characters."""

    seconds: float
    kind: Kind
    characters: int


class Mark(NamedTuple):
    """A network event without text: when it happened (seconds since the request), and what it was.

    "connected": a new connection was opened; "headers": the response began; "empty", "usage": an event without text.
    """

    seconds: float
    what: str


@dataclass(slots=True)
class Stopwatch:
    """The raw arrivals of one stream, and the metrics that derive from them.

    Inside `marking()`, an arrival's time is when the event loop read it from its socket, and `sent_at` is when the
    request was written. Otherwise, and for models in this process, it is when the event reached the caller, and
    `sent_at` is None.

    Time to first token is the first non-empty text minus the request. Tokens/s counts only the tokens that the server
    reported, over the time after the first one.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    started_at: float | None = None
    ended_at: float | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    marks: list[Mark] = field(default_factory=list)
    sent_at: float | None = None
    last_read_at: float | None = None
    _response_began: bool = False

    @contextmanager
    def marking(self) -> Iterator[None]:
        """Record the marks of every request that this task makes inside the block; use one task per stream."""
        token = _marking.set(self)
        try:
            yield
        finally:
            _marking.reset(token)

    async def record(self, stream: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Pass the stream through and record when each event arrives; closing this closes the stream."""
        from backends.streams import closing  # asyncio is half of the time of `import backends`

        arrivals = self.arrivals
        started_at = self.started_at = now()
        is_complete = False
        async with closing(stream):
            try:
                async for event in stream:
                    if type(event) is Delta:
                        arrivals.append(Arrival(self._event_time() - started_at, event.kind, len(event.text)))
                    elif type(event) is Done:
                        self.usage, self.finish_reason = event.usage, event.finish_reason
                        # With 16 answers that end together, handling them took 4 ms (November 2026).
                        self.ended_at = self._event_time()
                        is_complete = True
                    yield event
            finally:
                if not is_complete:
                    self.ended_at = now()

    def _event_time(self) -> float:
        """The time of the current event: its socket's last read if timestamps are recorded, else now."""
        return self.last_read_at or now()

    @property
    def first_token_seconds(self) -> float | None:
        """Seconds from the request to the first text of either kind."""
        return self.arrivals[0].seconds if self.arrivals else None

    def first_seconds(self, kind: Kind) -> float | None:
        """Seconds from the request to the first text of one kind."""
        return next((arrival.seconds for arrival in self.arrivals if arrival.kind == kind), None)

    @property
    def total_seconds(self) -> float | None:
        """Seconds from the request to the end of the stream, including a failed one."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens after the first one, divided by the time between the first and the last arrival."""
        if not self.usage or not self.arrivals or self.usage.output_tokens < 2:
            return None
        seconds = self.arrivals[-1].seconds - self.arrivals[0].seconds
        return (self.usage.output_tokens - 1) / seconds if seconds > 0 else None

    def timings(self) -> dict[str, float | None]:
        """The metrics as plain numbers, for JSON."""
        return {
            "first_token_seconds": self.first_token_seconds,
            "first_answer_seconds": self.first_seconds("answer"),
            "total_seconds": self.total_seconds,
            "tokens_per_second": self.tokens_per_second,
        }


_marking: ContextVar[Stopwatch | None] = ContextVar("marking", default=None)


def is_marking() -> bool:
    """Whether a stopwatch records marks in this context; recording them costs time."""
    return _marking.get() is not None


def mark(what: str) -> None:
    """Record the event `what` with this context's stopwatch, if there is one."""
    stopwatch = _marking.get()
    if stopwatch is not None and stopwatch.started_at is not None:
        stopwatch.marks.append(Mark(stopwatch._event_time() - stopwatch.started_at, what))


def moment_of(wall: float) -> float:
    """Return a recent time of the wall clock on the clock of `now`; never a later one than now."""
    return now() - max(0.0, wall_clock() - wall)


def record_write() -> None:
    """Record that a socket sent bytes; the last write before the response is the end of the request."""
    stopwatch = _marking.get()
    if stopwatch is not None and not stopwatch._response_began:
        stopwatch.sent_at = now()


def record_read(seconds: float | None) -> None:
    """Record when the bytes that are handled next were read from the socket; None clears the time."""
    stopwatch = _marking.get()
    if stopwatch is not None:
        stopwatch.last_read_at = seconds
        stopwatch._response_began = stopwatch._response_began or seconds is not None
