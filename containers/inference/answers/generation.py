"""Answers to requests: they wait for a slot, use the backend, and record metrics and a log line at the end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from backends import BackendError, ChatRequest, Done, Event, Stopwatch, TimedOut
from backends.stopwatch import now
from backends.streams import closing
from backends.vectors import Embeddings
from inference.answers.endings import Ending
from inference.answers.running_answers import RunningAnswers
from inference.errors import CLIENT_CLOSED_REQUEST, FAILED_DEPENDENCY, ShuttingDown, kind, status
from inference.formats.writer import AnswerWriter
from inference.metrics import ServerMetrics
from inference.settings import ServerSettings

logger = logging.getLogger(__name__)


class Host(Protocol):
    """The server that an answer belongs to."""

    @property
    def settings(self) -> ServerSettings: ...

    @property
    def metrics(self) -> ServerMetrics: ...

    @property
    def answers(self) -> RunningAnswers: ...


class Admission(Protocol):
    """Gives a request its turn, and gets to know how its answer ended."""

    def slot(self) -> AbstractAsyncContextManager[float]:
        """Wait for the request's turn and yield the seconds spent waiting; the exit ends the turn."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return more headers of the response; asked when it begins."""
        ...

    def ended(self, ending: Ending) -> Mapping[str, Any]:
        """Hear how the answer ended, before its last bytes are sent; returns more fields for the log."""
        ...


class Source(Admission, Protocol):
    """Where answers in text and vectors come from."""

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]: ...

    def embed(self, texts: Sequence[str]) -> Awaitable[Embeddings]: ...


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

    def __init__(self, host: Host, source: Admission, *, request_id: str, dialect: str, stream: bool = False) -> None:
        self.id = request_id
        self.dialect = dialect
        self.abandoned = False  # another answer of the same HTTP request failed
        self._stream = stream
        self._host, self._source = host, source
        self._stopwatch = Stopwatch()
        self._queue_seconds: float | None = None
        self._start = now()
        self._recorded = False
        self._task: asyncio.Task[Any] | None = None
        self._reason: BackendError | None = None

    @abstractmethod
    async def complete(self) -> dict[str, Any]:
        """Return the whole answer."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response that are about this answer."""
        return {"x-request-id": self.id, **self._source.headers()}

    def interrupt(self, reason: BackendError) -> None:
        """End the answer with this error; does nothing before it begins and after its end."""
        if self._task and not self._recorded:
            self._reason = reason
            self._task.cancel()

    def record_success(self) -> None:
        """Record the complete answer before its last bytes are sent."""
        self._record("", 200)

    @asynccontextmanager
    async def recorded(self) -> AsyncIterator[None]:
        """Limit the block's duration, and record how it ends.

        A time-out, an interruption and the end of the server's drain period become `BackendError`s.
        """
        error_kind, code = "internal", 500
        failure: BackendError | None = None
        self._task = asyncio.current_task()
        try:
            async with self._limited():
                yield
            error_kind, code = "", 200
        except BackendError as error:
            failure = error
            error_kind, code = kind(error), status(error)
            raise
        except asyncio.CancelledError:
            error_kind, code = ("given_up", FAILED_DEPENDENCY) if self.abandoned else ("left", CLIENT_CLOSED_REQUEST)
            raise
        finally:
            self._record(error_kind, code, failure)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        seconds = self._host.settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise TimedOut(f"The answer took longer than {seconds:g} s.", "Ask for a shorter one.") from error
        except asyncio.CancelledError as error:
            if self._reason and self._task:
                self._task.uncancel()
                raise self._reason from error
            if not self._host.answers.expired:
                raise
            raise ShuttingDown("The server is shutting down.", "Try again.", retry_after=1) from error

    def _record(self, error_kind: str, code: int, error: BackendError | None = None) -> None:
        if self._recorded:
            return
        self._recorded = True
        metrics = self._host.metrics
        metrics.requests.labels(self.dialect, str(code)).inc()
        if error_kind:
            metrics.errors.labels(error_kind).inc()
        if self._queue_seconds is not None:
            metrics.observe(self._stopwatch, self._queue_seconds)
        seconds = now() - self._start
        more = self._source.ended(Ending(error_kind, code, error, seconds, self._queue_seconds, self._stopwatch))
        fields = self._log_fields(seconds) | {"status": code, **more}
        logger.info(error_kind or "answered", extra={"fields": fields})

    def _log_fields(self, seconds: float) -> dict[str, Any]:
        """Times and counts of the answer, never its text."""
        stopwatch = self._stopwatch
        fields: dict[str, Any] = {"request_id": self.id, "dialect": self.dialect, "stream": self._stream}
        fields["seconds"] = round(seconds, 4)
        if self._queue_seconds is not None:
            fields["queue_seconds"] = round(self._queue_seconds, 4)
        if stopwatch.first_token_seconds is not None:
            fields["first_token_seconds"] = round(stopwatch.first_token_seconds, 4)
        if stopwatch.usage:
            fields |= {"input_tokens": stopwatch.usage.input_tokens, "output_tokens": stopwatch.usage.output_tokens}
        return fields | ({"finish_reason": stopwatch.finish_reason} if stopwatch.finish_reason else {})


class Generation(Work):
    """The answer to one completion request."""

    _source: Source

    def __init__(self, host: Host, source: Source, request: CompletionRequest) -> None:
        super().__init__(host, source, request_id=request.id, dialect=request.dialect, stream=request.stream)
        self.request = request

    @property
    def has_text(self) -> bool:
        """Whether part of the answer has arrived."""
        return bool(self._stopwatch.arrivals)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        """Wait for a slot and yield the answer's events; the exit releases the slot."""
        async with self._source.slot() as self._queue_seconds:
            stream = self._stopwatch.record(self._source.stream(self.request.chat))
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

    _source: Source

    def __init__(
        self,
        host: Host,
        source: Source,
        texts: Sequence[str],
        write: Callable[[Embeddings], dict[str, Any]],
        *,
        request_id: str,
        dialect: str,
    ) -> None:
        super().__init__(host, source, request_id=request_id, dialect=dialect)
        self._texts, self._write = texts, write

    async def complete(self) -> dict[str, Any]:
        async with self.recorded(), self._source.slot() as self._queue_seconds:
            return self._write(await self._source.embed(self._texts))
