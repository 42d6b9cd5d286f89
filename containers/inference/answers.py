"""Responses that make their answer while they are sent, and give it up when the client leaves."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backends import BackendError, Delta, Interrupted
from backends.chat.events import DONE, error_body
from backends.chat.sse import encode_event
from backends.stopwatch import now
from inference.errors import response, status
from inference.run import Run
from inference.service import Service

STILL_HERE = b": still here\n\n"
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would keep the events until they fill a buffer
}


class Answering(Response, ABC):
    """A response whose making stops at once when its client is gone, and which a draining server waits for."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._all_sent = False  # a client may leave then; the answer is finished nevertheless

    @abstractmethod
    async def give(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = asyncio.create_task(self.give(scope, receive, send))
        leaving = asyncio.create_task(_left(receive))
        self._service.answers.add(answer)
        try:
            await asyncio.wait({answer, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if self._all_sent:
                await asyncio.wait({answer})
        finally:
            answer.cancel()
            leaving.cancel()
            await asyncio.wait({answer, leaving})
            self._service.answers.discard(answer)
        if not answer.cancelled():
            answer.result()


class Whole(Answering):
    """One JSON body for one run, or for several that are made at the same time; `shape` puts it together."""

    def __init__(self, service: Service, runs: Sequence[Run], shape: Callable[[list[dict[str, Any]]], Any]) -> None:
        super().__init__(service)
        self._runs = runs
        self._shape = shape

    async def give(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = {"x-request-id": self._runs[0].call.id}
        try:
            wholes = await _together(self._runs, at_once=self._service.gate.slots)
            answer: Response = JSONResponse(self._shape(wholes), headers=told)
        except BackendError as error:
            answer = response(error, told)
        self._all_sent = True
        await answer(scope, receive, send)


class Events(Answering):
    """Server-sent events, each as it comes. The status waits for the first, so that a refusal has its own."""

    def __init__(self, service: Service, run: Run) -> None:
        super().__init__(service)
        self._run = run
        self._opened = False
        self._last = now()

    async def give(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = asyncio.create_task(self._still_here(send))
        try:
            async with self._run.recorded():
                await self._stream(send)
        except BackendError as error:
            if not self._opened:
                self._all_sent = True
                await response(error, {"x-request-id": self._run.call.id})(scope, receive, send)
                return
            broken = Interrupted(error.message, error.remedy) if self._run.spoke else error
            self._all_sent = True
            await _body(send, encode_event(error_body(broken, status(broken))), more=False)
        finally:
            waiting.cancel()

    async def _stream(self, send: Send) -> None:
        call = self._run.call
        head = encode_event(call.writer.opening())
        async with self._run.events() as events:
            async for event in events:
                self._last = now()
                if head:
                    await self._open(send)
                if isinstance(event, Delta):
                    await _body(send, head + encode_event(call.writer.delta(event)))
                else:
                    chunks = [chunk for chunk in call.writer.closing(event) if call.usage or chunk["choices"]]
                    last = head + b"".join(map(encode_event, chunks)) + encode_event(DONE)
                    self._run.done()  # first: a client that has the last bytes may look at the figures
                    self._all_sent = True
                    await _body(send, last, more=False)
                head = b""

    async def _still_here(self, send: Send) -> None:
        """Tell a client that has heard nothing for long that it is still worked on."""
        silence = self._service.settings.silence_seconds
        while not self._all_sent:
            await asyncio.sleep(max(0.0, self._last + silence - now()))
            if now() - self._last >= silence and not self._all_sent:
                self._last = now()
                await self._open(send)
                await _body(send, STILL_HERE)

    async def _open(self, send: Send) -> None:
        if not self._opened:
            self._opened = True
            told = HEADERS | {"x-request-id": self._run.call.id}
            headers = [(name.encode(), value.encode()) for name, value in told.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _together(runs: Sequence[Run], *, at_once: int) -> list[dict[str, Any]]:
    """All answers, or the first error; then the others are given up.

    So many at once as there are slots, so that one large request on an idle server does not fill its own queue.
    """
    turn = asyncio.Semaphore(at_once)

    async def whole(run: Run) -> dict[str, Any]:
        async with turn:
            try:
                return await run.whole()
            except BackendError:
                for other in runs:
                    other.given_up = True
                raise

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(whole(run)) for run in runs]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


async def _left(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(send: Send, body: bytes, *, more: bool = True) -> Awaitable[None]:
    return send({"type": "http.response.body", "body": body, "more_body": more})
