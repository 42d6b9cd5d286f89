"""The answer to one request for pictures, in one piece or as events, from any generator."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import AsyncIterator, Collection
from typing import Any

from starlette.types import Send

from backends import BackendError, Interrupted
from backends.chat.sse import encode_event
from backends.chat.writer import error_body
from backends.diffusion.types import GeneratedPicture, PictureEvent, Pictures, Progress, Queued
from backends.stopwatch import now, wall_clock
from backends.streams import closing
from inference.answers.generation import Host, Work
from inference.errors import CLIENT_CLOSED_REQUEST, Refused, status
from inference.http.answer_streams import EventResponse, send_body

EVENT = "image_generation"


class PictureWork(Work):
    """The pictures of one prompt."""

    @abstractmethod
    def events(self) -> AsyncIterator[PictureEvent]:
        """Wait for the slot, and yield the progress and the pictures."""

    async def complete(self) -> dict[str, Any]:
        """Return the pictures in OpenAI's shape."""
        pictures = Pictures(())
        async with self.recorded(), closing(events := self.events()):
            async for event in events:
                if isinstance(event, Pictures):
                    pictures = event
        return _document(pictures)


class PictureStream(EventResponse):
    """The events of one request: its place in the queue, each step, previews, then each picture."""

    def __init__(self, host: Host, work: PictureWork, *, silence_seconds: float) -> None:
        super().__init__(host, work, silence_seconds=silence_seconds)
        self._draw = work
        self._previews = 0
        self._step = -1

    def failure(self, error: BackendError) -> bytes:
        return encode_event(error_body(error, status(error)), "error")

    async def stream(self, send: Send) -> None:
        pictures: Pictures | None = None
        async with closing(events := self._draw.events()):
            async for event in events:
                self._last = now()
                await self.send_start(send)
                if isinstance(event, Pictures):
                    pictures = event
                else:
                    await send_body(send, self._encode(event))
        if pictures is None:
            raise Interrupted("The picture was cut off.", "Try again.")
        # Without the slot: a slow client must not hold up the next request.
        self._draw.record_success()  # first: a client may read the metrics after the last bytes
        self._finishing = True
        await self._send_pictures(send, pictures)

    def _encode(self, event: Queued | Progress) -> bytes:
        if isinstance(event, Queued):
            return _event("queued", {"position": event.ahead + 1, "id": self._draw.id})
        progress = b""
        if event.step != self._step:  # a server behind this one tells a step and its preview one after the other
            self._step = event.step
            progress = _event("progress", {"step": event.step, "steps": event.steps, "id": self._draw.id})
        if event.preview is None:
            return progress
        self._previews += 1
        fields = {"partial_image_index": self._previews - 1, "output_format": "jpeg", "b64_json": _text(event.preview)}
        return progress + _event("partial_image", fields)

    async def _send_pictures(self, send: Send, event: Pictures) -> None:
        last = len(event.pictures) - 1
        for index, picture in enumerate(event.pictures):
            fields = {"index": index, **_item(picture), "output_format": "png", "withheld": event.withheld}
            await send_body(send, _event("completed", fields), more=index < last)


def cancel(works: Collection[Work]) -> int:
    """Cancel requests, and return how many there were; `Refused` if there is none."""
    if not works:
        remedy = "It has ended, or its ID is another one: see the header x-request-id."
        raise Refused("There is no such request.", remedy, status=404)
    for work in works:
        work.interrupt(Refused("The request was cancelled.", "Ask again.", status=CLIENT_CLOSED_REQUEST))
    return len(works)


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    name = f"{EVENT}.{kind}"
    return encode_event({"type": name, **fields, "created_at": int(wall_clock())}, name)


def _document(pictures: Pictures) -> dict[str, Any]:
    data = [_item(picture) for picture in pictures.pictures]
    return {"created": int(wall_clock()), "data": data, "output_format": "png", "withheld": pictures.withheld}


def _item(picture: GeneratedPicture) -> dict[str, Any]:
    return {"b64_json": _text(picture.data), "seed": picture.seed}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
