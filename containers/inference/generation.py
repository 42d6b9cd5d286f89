"""Answers to requests: they wait for a slot, use the backend, and record metrics and a log line at the end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from backends import BackendError, ChatRequest, Done, Event, Overloaded, Stopwatch, TimedOut, Unreachable
from backends.stopwatch import now
from backends.streams import closing
from backends.vectors import EmbeddingBackend, Embeddings
from inference.errors import CLIENT_CLOSED_REQUEST, FAILED_DEPENDENCY, kind, status
from inference.formats.writer import AnswerWriter
from inference.service import Service

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A chat request with its HTTP context."""

    chat: ChatRequest
    writer: AnswerWriter
    dialect: str
    id: str
    stream: bool = False


class Work(ABC):
    """The answer to one request, from the queue to its end."""

    def __init__(self, service: Service, *, request_id: str, dialect: str, stream: bool = False) -> None:
        self.id = request_id
        self.dialect = dialect
        self.abandoned = False  # another answer of the same HTTP request failed
        self._stream = stream
        self._service = service
        self._stopwatch = Stopwatch()
        self._queue_seconds: float | None = None
        self._start = now()
        self._recorded = False

    @abstractmethod
    async def complete(self) -> dict[str, Any]:
        """Return the whole answer."""

    def record_success(self) -> None:
        """Record the complete answer before its last bytes are sent."""
        self._record("", 200)

    @asynccontextmanager
    async def recorded(self) -> AsyncIterator[None]:
        """Limit the block's duration, and record how it ends.

        A time-out and the end of the server's drain period become `BackendError`s.
        """
        error_kind, code = "internal", 500
        try:
            async with self._limited():
                yield
            error_kind, code = "", 200
        except BackendError as error:
            error_kind, code = kind(error), status(error)
            if isinstance(error, Unreachable):
                self._service.check_now.set()
            raise
        except asyncio.CancelledError:
            error_kind, code = ("given_up", FAILED_DEPENDENCY) if self.abandoned else ("left", CLIENT_CLOSED_REQUEST)
            raise
        finally:
            self._record(error_kind, code)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        seconds = self._service.settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise TimedOut(f"The answer took longer than {seconds:g} s.", "Ask for a shorter one.") from error
        except asyncio.CancelledError as error:
            if not self._service.drain_expired:
                raise
            raise Overloaded("The server is shutting down.", "Try again.", retry_after=1) from error

    def _record(self, error_kind: str, code: int) -> None:
        if self._recorded:
            return
        self._recorded = True
        metrics = self._service.metrics
        metrics.requests.labels(self.dialect, str(code)).inc()
        if error_kind:
            metrics.errors.labels(error_kind).inc()
        if self._queue_seconds is not None:
            metrics.observe(self._stopwatch, self._queue_seconds)
        logger.info(error_kind or "answered", extra={"fields": self._log_fields() | {"status": code}})

    def _log_fields(self) -> dict[str, Any]:
        """Times and counts of the answer, never its text."""
        stopwatch = self._stopwatch
        fields: dict[str, Any] = {"request_id": self.id, "dialect": self.dialect, "stream": self._stream}
        fields["seconds"] = round(now() - self._start, 4)
        if self._queue_seconds is not None:
            fields["queue_seconds"] = round(self._queue_seconds, 4)
        if stopwatch.first_token_seconds is not None:
            fields["first_token_seconds"] = round(stopwatch.first_token_seconds, 4)
        if stopwatch.usage:
            fields |= {"input_tokens": stopwatch.usage.input_tokens, "output_tokens": stopwatch.usage.output_tokens}
        return fields | ({"finish_reason": stopwatch.finish_reason} if stopwatch.finish_reason else {})


class Generation(Work):
    """The answer to one completion request."""

    def __init__(self, service: Service, request: CompletionRequest) -> None:
        super().__init__(service, request_id=request.id, dialect=request.dialect, stream=request.stream)
        self.request = request

    @property
    def has_text(self) -> bool:
        """Whether part of the answer has arrived."""
        return bool(self._stopwatch.arrivals)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        """Wait for a slot and yield the answer's events; the exit releases the slot."""
        backend = self._service.ready()
        async with self._service.queue.slot() as self._queue_seconds:
            stream = self._stopwatch.record(backend.stream(self.request.chat))
            async with closing(stream):
                yield stream

    async def complete(self) -> dict[str, Any]:
        """Return the whole answer in the request's format."""
        events: list[Event] = []
        done = Done(None, None)
        async with self.recorded(), self.events() as stream:
            async for event in stream:
                if isinstance(event, Done):
                    done = event
                else:
                    events.append(event)
        return self.request.writer.whole(events, done)


class Embedding(Work):
    """The vectors of some texts; `write` makes the answer of them."""

    def __init__(
        self,
        service: Service,
        backend: EmbeddingBackend,
        texts: Sequence[str],
        write: Callable[[Embeddings], dict[str, Any]],
        *,
        request_id: str,
        dialect: str,
    ) -> None:
        super().__init__(service, request_id=request_id, dialect=dialect)
        self._backend, self._texts, self._write = backend, texts, write

    async def complete(self) -> dict[str, Any]:
        async with self.recorded(), self._service.queue.slot() as self._queue_seconds:
            return self._write(await self._backend.embed(self._texts))
