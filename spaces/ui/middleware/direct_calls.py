"""ASGI middleware for events that are one request: it says why one is refused, and ends those that nobody reads."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ui.middleware.refusals import Refusal


class DirectCall:
    """What the page and the middleware know of a call."""

    refusal: Refusal | None = None
    client_left = False


current_call: ContextVar[DirectCall | None] = ContextVar("current_call", default=None)


async def run_direct_call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the app, and cancel it when the client disconnects: nobody would read the answer.

    Gradio answers 500 to every event that fails; one that is refused gets the status of its refusal.
    """
    current_call.set(call := DirectCall())
    messages: asyncio.Queue[Message] = asyncio.Queue()

    async def answer(message: Message) -> None:
        await send(_with_status(message, call.refusal) if call.refusal else message)

    task = asyncio.ensure_future(app(scope, messages.get, answer))

    async def forward() -> None:
        while True:
            message = await receive()
            messages.put_nowait(message)
            if message["type"] == "http.disconnect":
                call.client_left = True
                task.cancel()
                return

    reader = asyncio.create_task(forward())
    try:
        await task
    except asyncio.CancelledError:
        if not reader.done():
            raise
    finally:
        task.cancel()
        reader.cancel()


def _with_status(message: Message, refusal: Refusal) -> dict[str, Any]:
    if message["type"] != "http.response.start":
        return dict(message)
    retry = [(b"retry-after", str(refusal.retry_after).encode())] if refusal.retry_after else []
    return {**message, "status": refusal.status, "headers": [*message["headers"], *retry]}
