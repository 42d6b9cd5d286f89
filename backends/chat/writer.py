"""Writes the events of a chat completion in the OpenAI format, for a server that serves a `Backend`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backends.chat.parts.logprobs import write_logprobs
from backends.chat.parts.tools import write_call
from backends.chat.parts.usage import write_usage
from backends.errors import SpaceportError
from backends.text import to_json
from backends.types import Delta, Done, Event, Kind, ToolCall


class ChatWriter:
    """Writes one answer as chat completion chunks, for a server that serves a `Backend`."""

    def __init__(self, *, answer_id: str, model: str, created: int) -> None:
        self._head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        # The JSON of a chunk up to its text, written once: only the text changes from chunk to chunk.
        self._delta = f'{to_json(self._head)[:-1]},"choices":[{{"index":0,"delta":{{'
        self._prefix = {"answer": f'{self._delta}"content":', "thought": f'{self._delta}"reasoning_content":'}

    def opening(self) -> str:
        """The first chunk as JSON; it has only a role."""
        return f'{self._delta}"role":"assistant","content":""}},"finish_reason":null}}]}}'

    def delta(self, delta: Delta) -> str:
        """One delta as the JSON of a chunk; a thought goes into `reasoning_content`."""
        return f'{self._prefix[delta.kind]}{to_json(delta.text)}}},"finish_reason":null}}]}}'

    def tool_call(self, call: ToolCall, index: int) -> dict[str, Any]:
        """One complete call, the answer's number `index`, as a chunk."""
        return self._chunk({"tool_calls": [write_call(call, index=index)]})

    def closing(self, done: Done) -> list[dict[str, Any]]:
        """The chunk with the finish reason and all log probabilities, then one with the usage if it is known."""
        chunk = self._chunk({}, done.finish_reason or "stop")
        if done.logprobs is not None:
            chunk["choices"][0]["logprobs"] = write_logprobs(done.logprobs)
        chunks = [chunk]
        if done.usage:
            chunks.append({**self._head, "choices": [], "usage": write_usage(done.usage)})
        return chunks

    def whole(self, events: Iterable[Event], done: Done) -> dict[str, Any]:
        """The complete answer as one object, for a client that doesn't stream."""
        texts: dict[Kind, list[str]] = {"answer": [], "thought": []}
        calls = []
        for event in events:
            if isinstance(event, Delta):
                texts[event.kind].append(event.text)
            elif isinstance(event, ToolCall):
                calls.append(write_call(event))
        message: dict[str, Any] = {"role": "assistant", "content": "".join(texts["answer"])}
        if texts["thought"]:
            message["reasoning_content"] = "".join(texts["thought"])
        if calls:
            message["tool_calls"] = calls
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": done.finish_reason or "stop"}
        if done.logprobs is not None:
            choice["logprobs"] = write_logprobs(done.logprobs)
        usage = {"usage": write_usage(done.usage)} if done.usage else {}
        return {**self._head, "object": "chat.completion", "choices": [choice], **usage}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def error_body(error: SpaceportError, status: int) -> dict[str, Any]:
    """An error in the OpenAI shape, for an error response or as the last event of a stream."""
    kind = "invalid_request_error" if 400 <= status < 500 and status != 429 else "server_error"
    return {"error": {"message": str(error), "type": kind, "code": status}}
