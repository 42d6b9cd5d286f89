"""What a request asks of a target: an answer in text, vectors, labels or pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from backends import ChatRequest
from gateway.billing.bills import Size

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One request. `name` is a task of the catalogue, `start` begins the events of a backend's answer.

    `chat` is the request of one for text, the only one whose answers are kept. `is_end` tells the last event; without
    it, the first one is the whole answer.
    """

    name: str
    size: Size
    start: Callable[[Any], AsyncIterator[Any]]
    is_end: Callable[[Any], bool] = lambda event: True
    chat: ChatRequest | None = None


async def once(answer: Callable[[], Awaitable[T]]) -> AsyncIterator[T]:
    """Yield an answer that comes as a whole."""
    yield await answer()
