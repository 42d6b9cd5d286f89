"""The work on one request for pictures: it waits for the slot, and makes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from backends.diffusion.types import PictureEvent, PictureRequest, Pictures, Progress, Queued
from backends.stopwatch import now
from backends.streams import closing
from diffusion.answers import PictureWork
from diffusion.service import DiffusionService


class Draw(PictureWork):
    """Makes the pictures of one prompt."""

    def __init__(
        self, service: DiffusionService, request: PictureRequest, *, request_id: str, dialect: str, stream: bool = False
    ) -> None:
        super().__init__(service, service, request_id=request_id, dialect=dialect, stream=stream)
        self._service, self._request = service, request
        self._generator = service.ready()
        self._steps = 0

    async def events(self) -> AsyncIterator[PictureEvent]:
        """Wait for the slot, and yield the place in the queue, the progress and the pictures."""
        self._service.begin(self)
        try:
            async with contextlib.AsyncExitStack() as stack:
                waited = False
                async for place in self._wait(stack):
                    waited = True
                    yield place
                if waited:  # otherwise the answer has no status yet, which an error must be able to choose
                    yield Progress(0, self._request.steps or self._service.settings.steps)
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
