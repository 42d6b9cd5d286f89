"""The answer to a request of any server: it waits for a slot, is limited in time, and is recorded at its end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends import BackendError, Overloaded, Stopwatch, TimedOut, Unreachable
from backends.stopwatch import now
from inference.errors import CLIENT_CLOSED_REQUEST, FAILED_DEPENDENCY, kind, status
from inference.lifecycle import Lifecycle

logger = logging.getLogger(__name__)


class Work(ABC):
    """The answer to one request, from the queue to its end."""

    def __init__(self, service: Lifecycle, *, request_id: str, dialect: str, stream: bool = False) -> None:
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
