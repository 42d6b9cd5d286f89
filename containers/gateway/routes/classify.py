"""Labels of pictures, on the wire of the vision server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from backends import Rejected
from backends.vision.types import Classification
from gateway.billing.bills import Size
from gateway.request_path import Call
from gateway.routes.text import required
from gateway.service import Gateway
from gateway.task import Task, once
from inference.answers.generation import Work
from inference.formats.cloud_platforms import only_answer
from inference.http.answer_streams import JSONAnswer
from inference.http.error_handlers import request_id
from vision.answers import classify_all, document
from vision.requests import ClassifyRequest, read_request
from vision.settings import VisionSettings

AT_ONCE = 4  # pictures of one request that are sent at once
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"example": {"model": "vision", "image": "iVBORw0KGgo…", "top_k": 5}},
        },
    }
}


async def read(request: Request, limit: int, large_bodies: asyncio.Semaphore) -> tuple[str | None, ClassifyRequest]:
    """Return the model and the pictures of a request; the model of a file is in the address."""
    pictures = await read_request(request, VisionSettings(max_body_mb=limit / 1e6), large_bodies)
    if not isinstance(pictures.model, str | None):
        message = f"model is {pictures.model!r:.40}, not text."
        raise Rejected(message, "Set it to a name that GET /v1/models lists.", status=400)
    return pictures.model, pictures


def answer(
    gateway: Gateway, call: Call, request: Request, body: tuple[str | None, ClassifyRequest], dialect: str
) -> Response:
    """Answer a request for labels."""
    model, pictures = body
    count = sum(map(len, pictures.pictures))
    size = Size(0, 0, picture_bytes=count, seconds=gateway.settings.request_seconds, has_tokens=False)
    task = Task(
        "classify", size, lambda backend: once(partial(classify_all, backend.classify, pictures, at_once=AT_ONCE))
    )
    name = call.ask(required(model), task).name
    write = partial(document, name, instances=pictures.instances)
    call.work = Classify(gateway, call, write, request_id=request_id(request), dialect=dialect)
    return JSONAnswer(gateway, [call.work], only_answer)


class Classify(Work):
    """The labels of the pictures of one request; `write` makes the answer of them."""

    def __init__(
        self,
        gateway: Gateway,
        call: Call,
        write: Callable[[list[Classification]], dict[str, Any]],
        *,
        request_id: str,
        dialect: str,
    ) -> None:
        super().__init__(gateway, call, request_id=request_id, dialect=dialect)
        self._call, self._write = call, write

    async def complete(self) -> dict[str, Any]:
        async with self.recorded(), self._call.slot() as self._queue_seconds:
            classifications = await self._call.whole()
            self._call.pictures = len(classifications)
        return self._write(classifications)
