"""Pictures from prompts, on the wire of the diffusion server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from backends import Rejected
from backends.diffusion.types import PictureEvent, Pictures, Queued
from diffusion.answers import PictureStream, PictureWork
from diffusion.requests import read_request
from gateway.billing.bills import Size
from gateway.request_path import Call
from gateway.routes.text import required
from gateway.routing.stream import Stage
from gateway.service import Gateway
from gateway.task import Task
from inference.formats.cloud_platforms import only_answer
from inference.http.answer_streams import JSONAnswer
from inference.http.error_handlers import request_id

PATH = "/v1/images/generations"
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"example": {"model": "pictures", "prompt": "A lighthouse at dusk", "stream": True}}
        },
    }
}


def add_cancel_route(app: FastAPI, gateway: Gateway, authorize: Any) -> None:
    """Add the route that ends the work on pictures."""

    @app.delete(f"{PATH}/{{name}}", dependencies=[Depends(authorize)])
    async def cancel(request: Request, name: str) -> dict[str, Any]:
        """End the owner's requests with this ID, which a client can choose as x-request-id."""
        return {"id": name, "cancelled": gateway.ready().cancel(request.state.key, name)}


def answer(gateway: Gateway, call: Call, request: Request, body: Any, dialect: str) -> Response:
    """Answer a request for pictures, in one answer or as events."""
    model = body.get("model") if isinstance(body, Mapping) else None
    images = read_request(body, model if isinstance(model, str) else "")
    if images.instances:
        raise Rejected("The gateway takes one prompt a request.", "Send a prompt, not instances.", status=400)
    (picture,) = images.pictures
    call.is_stream = images.stream
    prompt = len(picture.prompt.encode()) + len(picture.negative_prompt.encode())
    size = Size(0, 0, picture_bytes=prompt, seconds=gateway.settings.request_seconds, has_tokens=False)
    task = Task("draw", size, lambda backend: backend.generate(picture), stage_of)
    call.ask(required(model), task)
    call.work = work = Draw(gateway, call, request_id=request_id(request), dialect=dialect, stream=call.is_stream)
    if call.is_stream:
        return PictureStream(gateway, work, silence_seconds=gateway.settings.silence_seconds)
    return JSONAnswer(gateway, [work], only_answer)


def stage_of(event: PictureEvent) -> Stage:
    """Return how far the pictures are."""
    if isinstance(event, Pictures):
        return Stage.ENDS
    if isinstance(event, Queued):
        return Stage.WAITS
    return Stage.GROWS if event.step or event.preview else Stage.BEGINS


class Draw(PictureWork):
    """The pictures of one prompt."""

    def __init__(self, gateway: Gateway, call: Call, *, request_id: str, dialect: str, stream: bool) -> None:
        super().__init__(gateway, call, request_id=request_id, dialect=dialect, stream=stream)
        self._call = call

    async def events(self) -> AsyncIterator[PictureEvent]:
        """Wait for the slot, and yield the progress and the pictures."""
        async with self._call.slot() as self._queue_seconds:
            async for event in self._call.events():
                if isinstance(event, Pictures):
                    self._call.pictures = len(event.pictures)
                yield event
