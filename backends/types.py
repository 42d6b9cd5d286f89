"""The values that a caller and a backend exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant", "tool"]
Kind = Literal["answer", "thought"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a message: the bytes of a file, and its media type; `backends.pictures` reads and resizes files."""

    data: bytes = field(repr=False)
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for, complete; the caller runs it and answers with a message of the role "tool"."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; its content never includes the thoughts of earlier answers.

    `content` is text, or a sequence of texts and pictures. An assistant's message repeats its `tool_calls`; a tool's
    message has the result as its content and the call's id as `tool_call_id`.
    """

    role: Role
    content: str | tuple[str | Picture, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.content, str):
            object.__setattr__(self, "content", tuple(self.content))
        object.__setattr__(self, "tool_calls", tuple(self.tool_calls))

    @property
    def text(self) -> str:
        """The content without its pictures."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part for part in self.content if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(part for part in self.content if isinstance(part, Picture))


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation for a model to continue, and the sampling parameters.

    `model=None` uses the target's default; `max_tokens` counts output tokens, including thoughts. `tool_choice` is
    "auto", "none", "required" or a tool's name. `schema` is the JSON schema that the answer must match: an answer
    that doesn't ends in `InvalidAnswer`. With `validate` false, the model gets the schema and the answer isn't checked:
    a stranger's schema can take exponential time. `logprobs` asks for the log probability of each token of the answer,
    with so many alternatives, 0 to 20.
    """

    messages: tuple[Message, ...]
    model: str | None = None
    max_tokens: int = 512
    temperature: float = 0.2
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    schema: Mapping[str, Any] | None = None
    validate: bool = True
    logprobs: int | None = None

    def __post_init__(self) -> None:
        # Callers usually have a list; a tuple keeps the request immutable.
        for name in ("messages", "stop", "tools"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def offers_tools(self) -> bool:
        """Whether the model may call a tool."""
        return bool(self.tools) and self.tool_choice != "none"

    @property
    def must_call(self) -> bool:
        """Whether the model has to call a tool."""
        return self.offers_tools and self.tool_choice != "auto"

    @property
    def has_pictures(self) -> bool:
        return any(message.pictures for message in self.messages)


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
class TokenLogprob:
    """A token of an answer with its natural log probability, and the same of the most likely tokens at its place."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a stream; `usage` and `logprobs` are what the server reported, never an estimate."""

    finish_reason: str | None
    usage: Usage | None
    logprobs: tuple[TokenLogprob, ...] | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What a reachable target reports.

    `model` is the name it serves; `context` its context window in tokens, or None if the server doesn't say.
    """

    model: str
    context: int | None = None
    detail: str = ""


Event = Delta | ToolCall | Done


@runtime_checkable
class Backend(Protocol):
    """One model on one platform.

    `stream` yields zero or more `Delta`, then the `ToolCall`s, then exactly one `Done`; a failure raises a
    `BackendError`.
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
