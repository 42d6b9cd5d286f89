"""What a request asks of a target: an answer in text, vectors, labels or pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from backends import ChatRequest
from gateway.billing.bills import Size
from gateway.routing.stream import Stage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One request. `name` is a task of the catalogue, `start` begins the events of a backend's answer.

    `chat` is the request of one for text, the only one whose answers are kept. `stage_of` tells how far an answer is
    with an event; without it, the first one is the whole answer.
    """

    name: str
    size: Size
    start: Callable[[Any], AsyncIterator[Any]]
    stage_of: Callable[[Any], Stage] = lambda event: Stage.ENDS
    chat: ChatRequest | None = None


async def once(answer: Callable[[], Awaitable[T]]) -> AsyncIterator[T]:
    """Yield an answer that comes as a whole."""
    yield await answer()
