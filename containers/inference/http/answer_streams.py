"""HTTP responses that generate their answer while they are sent, and cancel it when the client disconnects."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backends import BackendError, Delta, Done, Interrupted
from backends.stopwatch import now
from inference.answers.generation import Generation, Host, Work
from inference.errors import Unauthorized, response, status
from inference.formats.cloud_platforms import FormatResponse

KEEP_ALIVE = b": still here\n\n"  # a comment in the event stream, which clients ignore
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until they fill a buffer
]


class GeneratedResponse(Response, ABC):
    """A response whose generation stops when the client disconnects; a draining server waits for it."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._finishing = False  # the rest is ready: send it even if the client seems to be gone
        self._is_disconnected = False

    @abstractmethod
    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = asyncio.current_task()
        assert answer  # noqa: S101 - the server runs each request in a task
        tasks = self._host.answers.tasks
        tasks.add(answer)
        disconnect = asyncio.create_task(self._cancel_on_disconnect(receive, answer))
        try:
            await self.respond(scope, receive, send)
        except asyncio.CancelledError:
            # The end of the drain period is in the answer's record, and needs no traceback.
            if not (self._is_disconnected or self._host.answers.expired):
                raise
            answer.uncancel()
        finally:
            disconnect.cancel()
            tasks.discard(answer)

    async def _cancel_on_disconnect(self, receive: Receive, answer: asyncio.Task[Any]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._finishing:
            self._is_disconnected = True
            answer.cancel()


class JSONAnswer(GeneratedResponse):
    """One JSON body for one answer, or for several that are made concurrently."""

    def __init__(
        self, host: Host, work: Sequence[Work], format_response: FormatResponse, *, concurrency: int = 1
    ) -> None:
        super().__init__(host)
        self._work = work
        self._format_response = format_response
        self._concurrency = concurrency

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = self._work[0]
        try:
            completions = await _complete_all(self._work, concurrency=self._concurrency)
            answer = self.make_response(self._format_response(completions), work.headers)
        except BackendError as error:
            answer = response(error, work.headers, dialect=work.dialect)
        self._finishing = True
        await answer(scope, receive, send)

    def make_response(self, content: Any, headers: dict[str, str]) -> Response:
        """Return the response with the answers."""
        return JSONResponse(content, headers=headers)


class EventResponse(GeneratedResponse, ABC):
    """Server-sent events. The status is sent with the first event, so that a refusal can have its own."""

    def __init__(self, host: Host, work: Work, *, silence_seconds: float) -> None:
        super().__init__(host)
        self._work = work
        self._silence_seconds = silence_seconds
        self._started = False
        self._last = now()

    @abstractmethod
    async def stream(self, send: Send) -> None:
        """Send the events; raises a `BackendError`."""

    @abstractmethod
    def failure(self, error: BackendError) -> bytes:
        """Return the last event of a stream that fails."""

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        keep_alive = asyncio.create_task(self._keep_alive(send))
        work = self._work
        try:
            async with work.recorded():
                await self.stream(send)
        except BackendError as error:
            self._finishing = True
            if not self._started:
                answer = response(error, work.headers, dialect=work.dialect)
                await answer(scope, receive, send)
                return
            await send_body(send, self.failure(error), more=False)
        finally:
            keep_alive.cancel()

    async def _keep_alive(self, send: Send) -> None:
        """Send a comment after each `silence_seconds` without an event."""
        silence = self._silence_seconds
        while not self._finishing:
            await asyncio.sleep(max(0.0, self._last + silence - now()))
            if now() - self._last >= silence and not self._finishing:
                self._last = now()
                await self.send_start(send)
                await send_body(send, KEEP_ALIVE)

    async def send_start(self, send: Send) -> None:
        """Send the status and the headers, unless they are sent."""
        if not self._started:
            self._started = True
            encoded = [(name.encode(), value.encode()) for name, value in self._work.headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS + encoded})


class EventStream(EventResponse):
    """The events of an answer in text."""

    def __init__(self, host: Host, generation: Generation, *, silence_seconds: float) -> None:
        super().__init__(host, generation, silence_seconds=silence_seconds)
        self._generation = generation

    def failure(self, error: BackendError) -> bytes:
        is_cut = self._generation.has_text and not isinstance(error, Unauthorized)
        final = Interrupted(error.message, error.remedy) if is_cut else error
        return self._generation.request.writer.failure(final, status(final))

    async def stream(self, send: Send) -> None:
        writer = self._generation.request.writer
        head = writer.opening()
        async with self._generation.events() as events:
            async for event in events:
                self._last = now()
                if head:
                    await self.send_start(send)
                if isinstance(event, Delta):
                    await send_body(send, head + writer.delta(event))
                elif not isinstance(event, Done):
                    await send_body(send, head + writer.tool_call(event))
                else:
                    tail = head + writer.closing(event)
                    self._generation.record_success()  # first: a client may read the metrics after the last bytes
                    self._finishing = True
                    await send_body(send, tail, more=False)
                head = b""


async def _complete_all(work: Sequence[Work], *, concurrency: int) -> list[dict[str, Any]]:
    """Return all answers, or raise the first error and cancel the rest.

    Runs at most `concurrency` at once, as many as there are slots: one large request to an idle server doesn't fill
    the queue.
    """
    semaphore = asyncio.Semaphore(concurrency)

    async def complete(each: Work) -> dict[str, Any]:
        async with semaphore:
            try:
                return await each.complete()
            except BackendError:
                for other in work:
                    other.abandoned = True
                raise

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(complete(each)) for each in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def send_body(send: Send, body: bytes, *, more: bool = True) -> Awaitable[None]:
    """Send a part of the body."""
    return send({"type": "http.response.body", "body": body, "more_body": more})
