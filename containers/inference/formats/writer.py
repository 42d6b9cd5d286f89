"""What a format needs to write one answer, and the parts that the formats of blocks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol

from backends import Delta, Done, Event, SpaceportError, ToolCall
from backends.types import Kind


class AnswerWriter(Protocol):
    """Writes one answer: the bytes of a stream's events, or one document."""

    def opening(self) -> bytes: ...

    def delta(self, delta: Delta) -> bytes: ...

    def tool_call(self, call: ToolCall) -> bytes: ...

    def closing(self, done: Done) -> bytes: ...

    def failure(self, error: SpaceportError, status: int) -> bytes:
        """The last events of a stream that failed after its first one."""
        ...

    def whole(self, events: Iterable[Event], done: Done) -> dict[str, Any]: ...


class BlockWriter(ABC):
    """Writes an answer as a list of blocks: thoughts, text and tool calls, each begun and ended by events.

    `blocks` has the complete ones; a stream's text belongs to the block that is open.
    """

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self._kind: Kind | None = None
        self._texts: list[str] = []

    def delta(self, delta: Delta) -> bytes:
        """A piece of text; the first one of its kind ends the block before and begins another."""
        head = b""
        if delta.kind != self._kind:
            head = self.end_block() + self._begin_text(delta.kind)
            self._kind = delta.kind
        self._texts.append(delta.text)
        return head + self._text(delta.kind, delta.text)

    def tool_call(self, call: ToolCall) -> bytes:
        """A complete call as a block of its own."""
        return self.end_block() + self._call(call)

    def end_block(self) -> bytes:
        """End the open block of text, if there is one."""
        if self._kind is None:
            return b""
        kind, text = self._kind, "".join(self._texts)
        self._kind, self._texts = None, []
        return self._end_text(kind, text)

    def whole(self, events: Iterable[Event], done: Done) -> dict[str, Any]:
        """The complete answer as one object."""
        for event in events:
            if isinstance(event, Delta):
                self.delta(event)
            elif isinstance(event, ToolCall):
                self.tool_call(event)
        self.end_block()
        return self._document(done)

    @abstractmethod
    def _begin_text(self, kind: Kind) -> bytes: ...

    @abstractmethod
    def _text(self, kind: Kind, text: str) -> bytes: ...

    @abstractmethod
    def _end_text(self, kind: Kind, text: str) -> bytes: ...

    @abstractmethod
    def _call(self, call: ToolCall) -> bytes: ...

    @abstractmethod
    def _document(self, done: Done) -> dict[str, Any]: ...
