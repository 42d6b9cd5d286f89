"""Writes an answer in the format of Anthropic's messages API: blocks of content, each with its events."""

from __future__ import annotations

from typing import Any

from backends import Done, SpaceportError, ToolCall, Usage
from backends.chat.sse import encode_event
from backends.text import to_json
from backends.types import Kind
from inference.formats.writer import BlockWriter

_STOP_REASONS = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class MessagesWriter(BlockWriter):
    """One message. Its format always has token counts: they are 0 if the model's server reports none."""

    def __init__(self, *, request_id: str, model: str) -> None:
        super().__init__()
        self._head = {"id": f"msg_{request_id}", "type": "message", "role": "assistant", "model": model}

    def opening(self) -> bytes:
        """The message without content."""
        return _event("message_start", message=self._message(None, None))

    def closing(self, done: Done) -> bytes:
        """The reason for the end, and the token counts."""
        tail = self.end_block()
        reason = {"stop_reason": self._stop_reason(done), "stop_sequence": None}
        return tail + _event("message_delta", delta=reason, usage=_write_usage(done.usage)) + _event("message_stop")

    def failure(self, error: SpaceportError, status: int) -> bytes:
        """The error, which the official client raises."""
        return encode_event(error_body(error, status), "error")

    def _begin_text(self, kind: Kind) -> bytes:
        return self._start(_text_block(kind, ""))

    def _text(self, kind: Kind, text: str) -> bytes:
        name, field = ("thinking_delta", "thinking") if kind == "thought" else ("text_delta", "text")
        return _event("content_block_delta", index=len(self.blocks), delta={"type": name, field: text})

    def _end_text(self, kind: Kind, text: str) -> bytes:
        return self._stop(_text_block(kind, text))

    def _call(self, call: ToolCall) -> bytes:
        arguments = dict(call.arguments)
        block: dict[str, Any] = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        piece = {"type": "input_json_delta", "partial_json": to_json(arguments)}
        delta = _event("content_block_delta", index=len(self.blocks), delta=piece)
        return self._start(block) + delta + self._stop({**block, "input": arguments})

    def _document(self, done: Done) -> dict[str, Any]:
        return self._message(self._stop_reason(done), done.usage)

    def _start(self, block: dict[str, Any]) -> bytes:
        return _event("content_block_start", index=len(self.blocks), content_block=block)

    def _stop(self, block: dict[str, Any]) -> bytes:
        event = _event("content_block_stop", index=len(self.blocks))
        self.blocks.append(block)
        return event

    def _stop_reason(self, done: Done) -> str:
        if any(block["type"] == "tool_use" for block in self.blocks):
            return "tool_use"
        return _STOP_REASONS.get(done.finish_reason or "", "end_turn")

    def _message(self, stop_reason: str | None, usage: Usage | None) -> dict[str, Any]:
        end = {"stop_reason": stop_reason, "stop_sequence": None, "usage": _write_usage(usage)}
        return {**self._head, "content": list(self.blocks), **end}


def error_body(error: SpaceportError, status: int) -> dict[str, Any]:
    """An error in Anthropic's shape."""
    kind = _ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": str(error)}}


def _event(name: str, /, **fields: Any) -> bytes:
    return encode_event({"type": name, **fields}, name)


def _text_block(kind: Kind, text: str) -> dict[str, Any]:
    if kind == "thought":
        return {"type": "thinking", "thinking": text, "signature": ""}
    return {"type": "text", "text": text}


def _write_usage(usage: Usage | None) -> dict[str, int]:
    counts = usage or Usage(0, 0)
    cached = {} if counts.cached_tokens is None else {"cache_read_input_tokens": counts.cached_tokens}
    # Here the input tokens are those that were not read from the cache.
    new_tokens = counts.input_tokens - (counts.cached_tokens or 0)
    return {"input_tokens": new_tokens, "output_tokens": counts.output_tokens, **cached}
