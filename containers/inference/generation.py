"""Answers of the server for text: they wait for a slot, and use the backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from backends import ChatRequest, Done, Event
from backends.streams import closing
from backends.vectors import EmbeddingBackend, Embeddings
from inference.formats.writer import AnswerWriter
from inference.service import Service
from inference.work import Work


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A chat request with its HTTP context."""

    chat: ChatRequest
    writer: AnswerWriter
    dialect: str
    id: str
    stream: bool = False


class Generation(Work):
    """The answer to one completion request."""

    _service: Service

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
