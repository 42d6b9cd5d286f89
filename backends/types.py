"""The values that a caller and a backend exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant"]
Kind = Literal["answer", "thought"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; its content never includes the thoughts of earlier answers."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation for a model to continue, and the sampling parameters.

    `model=None` uses the target's default; `max_tokens` counts output tokens, including thoughts.
    """

    messages: tuple[Message, ...]
    model: str | None = None
    max_tokens: int = 512
    temperature: float = 0.2
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        # Callers usually have a list; a tuple keeps the request immutable.
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
    """The end of a stream; `usage` is what the server reported, never an estimate."""

    finish_reason: str | None
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Health:
    """What a reachable target reports.

    `model` is the name it serves; `context` its context window in tokens, or None if the server doesn't say.
    """

    model: str
    context: int | None = None
    detail: str = ""


Event = Delta | Done


@runtime_checkable
class Backend(Protocol):
    """One model on one platform.

    `stream` yields zero or more `Delta`, then exactly one `Done`; a failure raises a `BackendError`.
    Closing or cancelling the iterator frees the connection at once, and the server stops generating.
    """

    @property
    def local(self) -> bool:
        """Whether the model runs in this process or its child, so that `check` would load it."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]: ...

    async def check(self) -> Health: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Downloadable(Protocol):
    """A backend that can download its model before the first question."""

    def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Yield the current step and its progress from 0 to 1, or None if that is unknown."""
        ...
