"""The values that travel between a caller and a model, wherever the model lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant"]
Kind = Literal["answer", "thought"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; thoughts of earlier answers are never part of its content."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is asked of a model: the conversation and how to sample from it.

    `model=None` leaves the choice to the target; `max_tokens` counts output tokens, thoughts included.
    """

    messages: tuple[Message, ...]
    model: str | None = None
    max_tokens: int = 512
    temperature: float = 0.2
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        # A list is what callers have at hand; freezing it here keeps the request a value.
        object.__setattr__(self, "messages", tuple(self.messages))
        object.__setattr__(self, "stop", tuple(self.stop))


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text as it arrived: never empty, never cut inside a character."""

    text: str
    kind: Kind = "answer"


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the server reported them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a stream; `usage` is what the server reported, or None: it is never guessed."""

    finish_reason: str | None
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Health:
    """What a reachable target says of itself.

    `model` is the name it serves; `context` its window in tokens, where it tells.
    """

    model: str
    context: int | None = None
    detail: str = ""


Event = Delta | Done


@runtime_checkable
class Backend(Protocol):
    """One place where a model lives.

    `stream` gives zero or more `Delta`, then exactly one `Done`; a failure raises a `BackendError`.
    Closing or cancelling the iterator frees the connection at once, and the server stops generating.
    """

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]: ...

    async def check(self) -> Health: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Downloads(Protocol):
    """A backend whose model can be fetched ahead of the first question."""

    def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Yield what is being done and the share that is done, from 0 to 1 or None."""
        ...
