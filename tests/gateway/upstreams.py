"""Streams of answers whose course a test decides, as a routed stream is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable

from backends import Delta, Done, Event, Usage
from gateway.routing.stream import Failure

USAGE = Usage(5, 2)
DONE = Done("stop", USAGE)


class ScriptedUpstream:
    """Yields events at once; stops where the script has an `asyncio.Event` until it is set, and raises its errors."""

    def __init__(self, *script: Event | asyncio.Event | Exception, target: str = "gpu") -> None:
        self.target = self.tried = ""
        self.failures: list[Failure] = []
        self.seconds = 0.0
        self.closed = False
        self.started = False
        self._name = target
        self._script = script
        self._events = self._stream()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    def __anext__(self) -> Awaitable[Event]:
        return anext(self._events)

    async def aclose(self) -> None:
        self.closed = True
        await self._events.aclose()

    async def _stream(self) -> AsyncGenerator[Event]:
        self.started = True
        for step in self._script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                self.target = self.tried = self._name
                yield step


def words(*texts: str) -> list[Event]:
    """The events of a complete answer."""
    return [*(Delta(text) for text in texts), DONE]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))
