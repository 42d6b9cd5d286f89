"""Writes an answer in the format of OpenAI's responses API: items, each with its parts and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends import Done, SpaceportError, ToolCall, Usage
from backends.chat.sse import encode_event
from backends.text import to_json
from backends.types import Kind
from inference.formats.writer import BlockWriter

# Fields of the request that a response repeats, with their values for a request without them.
_REPEATED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesWriter(BlockWriter):
    """One response; every event has a number."""

    def __init__(self, body: Mapping[str, Any], *, request_id: str, model: str, created: int) -> None:
        super().__init__()
        self._id = request_id
        repeated = {name: body.get(name, default) for name, default in _REPEATED.items()}
        self._head: dict[str, Any] = {
            "id": f"resp_{request_id}",
            "object": "response",
            "created_at": created,
            "model": model,
            **repeated,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "text": body.get("text") or {"format": {"type": "text"}},
            "truncation": "disabled",
        }
        self._events = 0

    def opening(self) -> bytes:
        """The response before its first text."""
        response = self._response("in_progress")
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def closing(self, done: Done) -> bytes:
        """The complete response."""
        tail = self.end_block()
        document = self._document(done)
        return tail + self._event(f"response.{document['status']}", response=document)

    def failure(self, error: SpaceportError, status: int) -> bytes:
        """The response as failed. The second event makes the official client raise the error."""
        reason = {"code": "server_error", "message": str(error)}
        tail = self.end_block() + self._event("response.failed", response=self._response("failed", error=reason))
        return tail + self._event("error", **reason, param=None, error={**reason, "type": "server_error"})

    def _begin_text(self, kind: Kind) -> bytes:
        item, part = self._text_item(kind, "", "in_progress"), self._text_part(kind, "")
        added = self._event("response.output_item.added", output_index=len(self.blocks), item={**item, "content": []})
        return added + self._event("response.content_part.added", **self._place(kind), part=part)

    def _text(self, kind: Kind, text: str) -> bytes:
        more: dict[str, Any] = {"logprobs": []} if kind == "answer" else {}
        return self._event(f"response.{_text_type(kind)}.delta", **self._place(kind), delta=text, **more)

    def _end_text(self, kind: Kind, text: str) -> bytes:
        place, item = self._place(kind), self._text_item(kind, text, "completed")
        more: dict[str, Any] = {"logprobs": []} if kind == "answer" else {}
        events = self._event(f"response.{_text_type(kind)}.done", **place, text=text, **more)
        events += self._event("response.content_part.done", **place, part=self._text_part(kind, text))
        return events + self._add(item)

    def _call(self, call: ToolCall) -> bytes:
        place = {"output_index": len(self.blocks), "item_id": self._item_id("fc")}
        arguments = to_json(dict(call.arguments))
        item = {"id": place["item_id"], "type": "function_call", "call_id": call.id, "name": call.name}
        started = {**item, "arguments": "", "status": "in_progress"}
        events = self._event("response.output_item.added", output_index=len(self.blocks), item=started)
        events += self._event("response.function_call_arguments.delta", **place, delta=arguments)
        events += self._event("response.function_call_arguments.done", **place, name=call.name, arguments=arguments)
        return events + self._add({**item, "arguments": arguments, "status": "completed"})

    def _document(self, done: Done) -> dict[str, Any]:
        reason = _INCOMPLETE.get(done.finish_reason or "")
        details = {"reason": reason} if reason else None
        return self._response("incomplete" if reason else "completed", incomplete_details=details, usage=done.usage)

    def _response(
        self,
        status: str,
        *,
        error: Mapping[str, Any] | None = None,
        incomplete_details: Mapping[str, Any] | None = None,
        usage: Usage | None = None,
    ) -> dict[str, Any]:
        end = {"status": status, "error": error, "incomplete_details": incomplete_details}
        return {**self._head, **end, "output": list(self.blocks), "usage": _write_usage(usage) if usage else None}

    def _add(self, item: dict[str, Any]) -> bytes:
        event = self._event("response.output_item.done", output_index=len(self.blocks), item=item)
        self.blocks.append(item)
        return event

    def _text_item(self, kind: Kind, text: str, status: str) -> dict[str, Any]:
        content = [self._text_part(kind, text)]
        if kind == "thought":
            return {"id": self._item_id("rs"), "type": "reasoning", "summary": [], "content": content, "status": status}
        item = {"id": self._item_id("msg"), "type": "message", "role": "assistant", "status": status}
        return {**item, "content": content}

    def _text_part(self, kind: Kind, text: str) -> dict[str, Any]:
        if kind == "thought":
            return {"type": "reasoning_text", "text": text}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _place(self, kind: Kind) -> dict[str, Any]:
        prefix = "rs" if kind == "thought" else "msg"
        return {"item_id": self._item_id(prefix), "output_index": len(self.blocks), "content_index": 0}

    def _item_id(self, prefix: str) -> str:
        return f"{prefix}_{self._id}_{len(self.blocks)}"

    def _event(self, name: str, /, **fields: Any) -> bytes:
        event = {"type": name, "sequence_number": self._events, **fields}
        self._events += 1
        return encode_event(event, name)


def _text_type(kind: Kind) -> str:
    return "reasoning_text" if kind == "thought" else "output_text"


def _write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
