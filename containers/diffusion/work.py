"""The answer to one request for pictures, in one piece or as events."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Send

from backends import BackendError, Interrupted
from backends.chat.sse import encode_event
from backends.chat.writer import error_body
from backends.diffusion.types import GeneratedPicture, PictureEvent, PictureRequest, Pictures, Progress, Queued
from backends.stopwatch import now, wall_clock
from backends.streams import closing
from diffusion.service import DiffusionService
from inference.answers.generation import Work
from inference.errors import status
from inference.http.answer_streams import EventResponse, send_body

EVENT = "image_generation"


class Draw(Work):
    """Makes the pictures of one prompt."""

    def __init__(
        self, service: DiffusionService, request: PictureRequest, *, request_id: str, dialect: str, stream: bool = False
    ) -> None:
        super().__init__(service, service, request_id=request_id, dialect=dialect, stream=stream)
        self._service, self._request = service, request
        self._generator = service.ready()
        self._steps = 0

    async def complete(self) -> dict[str, Any]:
        """Return the pictures in OpenAI's shape."""
        pictures = Pictures(())
        async with self.recorded(), closing(events := self.events()):
            async for event in events:
                if isinstance(event, Pictures):
                    pictures = event
        return _document(pictures)

    async def events(self) -> AsyncIterator[PictureEvent]:
        """Wait for the slot, and yield the place in the queue, the progress and the pictures."""
        self._service.begin(self)
        try:
            async with contextlib.AsyncExitStack() as stack:
                async for place in self._wait(stack):
                    yield place
                start = now()
                stream = self._timed(self._generator.generate(self._request))
                async with closing(stream):
                    async for event in stream:
                        yield event
                self._service.metrics.duration.observe(now() - start + (self._queue_seconds or 0))
        finally:
            self._service.end(self)

    async def _wait(self, stack: contextlib.AsyncExitStack) -> AsyncIterator[Queued]:
        """Yield the place in the queue whenever it changes, until `stack` holds the slot."""
        places: asyncio.Queue[int | None] = asyncio.Queue()
        slot = asyncio.create_task(stack.enter_async_context(self._service.slot(places.put_nowait)))
        slot.add_done_callback(lambda _: places.put_nowait(None))
        last = -1
        try:
            while (ahead := await places.get()) is not None:
                if ahead != last:
                    last = ahead
                    yield Queued(ahead)
            self._queue_seconds = await slot
        finally:
            if not slot.done():
                slot.cancel()
                await asyncio.wait([slot])

    async def _timed(self, stream: AsyncIterator[PictureEvent]) -> AsyncIterator[PictureEvent]:
        """Yield the events, and count steps and pictures."""
        metrics, last = self._service.metrics, now()
        async with closing(stream):
            async for event in stream:
                if isinstance(event, Progress):
                    metrics.steps.observe(now() - last)
                    self._steps, last = event.step, now()
                elif isinstance(event, Pictures):
                    metrics.pictures.inc(len(event.pictures))
                    metrics.withheld.inc(event.withheld)
                yield event

    def _log_fields(self, seconds: float) -> dict[str, Any]:
        return super()._log_fields(seconds) | {"pictures": self._request.count, "steps": self._steps}


class PictureStream(EventResponse):
    """The events of one request: its place in the queue, each step, previews, then each picture."""

    def __init__(self, service: DiffusionService, work: Draw) -> None:
        super().__init__(service, work, silence_seconds=service.settings.silence_seconds)
        self._draw = work
        self._previews = 0

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
