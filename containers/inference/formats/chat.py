"""OpenAI's chat completions, which SageMaker's and Vertex AI's routes use too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backends import Delta, Done, Event, SpaceportError, ToolCall
from backends.chat.sse import DONE, encode_event
from backends.chat.writer import ChatWriter, error_body


class ChatAnswer:
    """One chat completion; `usage` says whether a stream ends with the token counts."""

    def __init__(self, writer: ChatWriter, *, usage: bool) -> None:
        self._writer = writer
        self._usage = usage
        self._calls = 0

    def opening(self) -> bytes:
        return encode_event(self._writer.opening())

    def delta(self, delta: Delta) -> bytes:
        return encode_event(self._writer.delta(delta))

    def tool_call(self, call: ToolCall) -> bytes:
        chunk = self._writer.tool_call(call, self._calls)
        self._calls += 1
        return encode_event(chunk)

    def closing(self, done: Done) -> bytes:
        chunks = [chunk for chunk in self._writer.closing(done) if self._usage or chunk["choices"]]
        return b"".join(map(encode_event, chunks)) + encode_event(DONE)

    def failure(self, error: SpaceportError, status: int) -> bytes:
        return encode_event(error_body(error, status))

    def whole(self, events: Iterable[Event], done: Done) -> dict[str, Any]:
        return self._writer.whole(events, done)
