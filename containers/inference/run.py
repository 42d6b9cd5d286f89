"""One answer being made: it waits for its slot, and the books are kept of it, whichever way it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from backends import BackendError, ChatRequest, Delta, Done, Event, Overloaded, Stopwatch, TimedOut, Unreachable
from backends.chat.events import ChatWriter
from backends.stopwatch import now
from backends.streams import closing
from inference.errors import GIVEN_UP, LEFT, kind, status
from inference.service import Service

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, through which dialect, and whether as a stream that tells its usage at the end."""

    request: ChatRequest
    writer: ChatWriter
    dialect: str
    id: str
    stream: bool = False
    usage: bool = False


class Run:
    """One call on its way through the server."""

    def __init__(self, service: Service, call: Call) -> None:
        self.call = call
        self.given_up = False  # another answer of the same request failed
        self._service = service
        self._watch = Stopwatch()
        self._waited: float | None = None
        self._began = now()
        self._recorded = False

    @property
    def spoke(self) -> bool:
        """Whether some of the answer has come."""
        return bool(self._watch.arrivals)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        """The answer's events, once there is a slot for it; leaving gives the slot back."""
        backend = self._service.ready()
        async with self._service.gate.slot() as self._waited:
            stream = self._watch.watch(backend.stream(self.call.request))
            async with closing(stream):
                yield stream

    def done(self) -> None:
        """The answer is complete: count it now, before its last bytes are sent."""
        self._record("", 200)

    async def whole(self) -> dict[str, Any]:
        """The answer in one piece."""
        deltas: list[Delta] = []
        done = Done(None, None)
        async with self.recorded(), self.events() as events:
            async for event in events:
                if isinstance(event, Delta):
                    deltas.append(event)
                else:
                    done = event
        return self.call.writer.whole(deltas, done)

    @asynccontextmanager
    async def recorded(self) -> AsyncIterator[None]:
        """Limit the time of what happens inside, and count and log how it ended.

        A time-out and the end of the server's grace become errors like any other.
        """
        found, code = "internal", 500
        try:
            async with self._limited():
                yield
            found, code = "", 200
        except BackendError as error:
            found, code = kind(error), status(error)
            if isinstance(error, Unreachable):
                self._service.doubt.set()
            raise
        except asyncio.CancelledError:
            found, code = ("given_up", GIVEN_UP) if self.given_up else ("left", LEFT)
            raise
        finally:
            self._record(found, code)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        seconds = self._service.settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise TimedOut(f"The answer took longer than {seconds:g} s.", "Ask for a shorter one.") from error
        except asyncio.CancelledError as error:
            if not self._service.cut:
                raise
            raise Overloaded("The server is shutting down.", "Ask again.", retry_after=1) from error

    def _record(self, found: str, code: int) -> None:
        if self._recorded:
            return
        self._recorded = True
        metrics = self._service.metrics
        metrics.requests.labels(self.call.dialect, str(code)).inc()
        if found:
            metrics.errors.labels(found).inc()
        if self._waited is not None:
            metrics.count(self._watch, self._waited)
        logger.info(found or "answered", extra={"fields": self._fields() | {"status": code}})

    def _fields(self) -> dict[str, Any]:
        """What the log says of an answer: times and counts, never a word of it."""
        call, watch = self.call, self._watch
        told: dict[str, Any] = {"request_id": call.id, "dialect": call.dialect, "stream": call.stream}
        told["seconds"] = round(now() - self._began, 4)
        if self._waited is not None:
            told["queue_seconds"] = round(self._waited, 4)
        if watch.first_token_seconds is not None:
            told["first_token_seconds"] = round(watch.first_token_seconds, 4)
        if watch.usage:
            told |= {"input_tokens": watch.usage.input_tokens, "output_tokens": watch.usage.output_tokens}
        return told | ({"finish_reason": watch.finish_reason} if watch.finish_reason else {})
