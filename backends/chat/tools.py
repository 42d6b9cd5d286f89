"""Tools in the OpenAI format: the functions that a request offers, and the calls in an answer or a conversation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.errors import BackendError, InvalidAnswer
from backends.text import to_json
from backends.types import ChatRequest, Tool, ToolCall

_MODES = ("auto", "none", "required")
_QUOTED_CHARACTERS = 200


def tools_body(request: ChatRequest) -> dict[str, Any]:
    """The fields of a request for its tools; none if it has no tools."""
    if not request.tools:
        return {}
    choice: Any = request.tool_choice
    if choice not in _MODES:
        choice = {"type": "function", "function": {"name": choice}}
    return {"tools": [write_tool(tool) for tool in request.tools], "tool_choice": choice}


def write_tool(tool: Tool) -> dict[str, Any]:
    """One tool as JSON."""
    function = {"name": tool.name, "parameters": dict(tool.parameters)}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def write_call(call: ToolCall, **more: Any) -> dict[str, Any]:
    """One call as JSON; in this format, the arguments are JSON inside of JSON."""
    function = {"name": call.name, "arguments": to_json(dict(call.arguments))}
    return {"id": call.id, "type": "function", "function": function, **more}


@dataclass(slots=True)
class _Pieces:
    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)  # of the arguments

    @property
    def arguments(self) -> str:
        return "".join(self.parts)


class ToolCallAssembler:
    """Assembles the calls of one answer from the pieces that its events have."""

    def __init__(self) -> None:
        self._calls: list[_Pieces] = []
        self._by_index: dict[Any, _Pieces] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, pieces: Iterable[Mapping[str, Any]]) -> None:
        """Read the `tool_calls` of one event."""
        for position, piece in enumerate(pieces):
            index = piece.get("index")
            call = self._call(position if index is None else index, piece.get("id") or "")
            function = piece.get("function") or {}
            call.name = call.name or function.get("name") or ""
            arguments = function.get("arguments")
            if arguments is not None:
                call.parts.append(arguments if isinstance(arguments, str) else to_json(arguments))

    def finish(self, quote: Callable[[str], str], finish_reason: str | None) -> list[ToolCall]:
        """Return the calls; `InvalidAnswer` if one has no name, or arguments that aren't a JSON object."""
        calls = []
        for number, pieces in enumerate(self._calls, 1):
            arguments = parse_arguments(pieces.arguments)
            if arguments is None or not pieces.name:
                raise _invalid(pieces, quote, finish_reason)
            calls.append(ToolCall(pieces.id or f"call_{number}", pieces.name, arguments))
        return calls

    def _call(self, index: Any, call_id: str) -> _Pieces:
        """Return the call that a piece belongs to. Some servers give all calls one index; a new id is a new call."""
        call = self._by_index.get(index)
        if call is None or (call_id and call.id and call_id != call.id):
            call = self._by_index[index] = _Pieces()
            self._calls.append(call)
        call.id = call.id or call_id
        return call


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments of a call, or None if they aren't a JSON object; an empty text stands for no arguments."""
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def _invalid(pieces: _Pieces, quote: Callable[[str], str], finish_reason: str | None) -> BackendError:
    if finish_reason == "length":
        message, remedy = f"The answer ended in a call of {pieces.name or 'a tool'}.", "Raise max_tokens."
    elif not pieces.name:
        message, remedy = "The model called a tool without a name.", "Look at the server's parser of tool calls."
    else:
        text = quote(pieces.arguments)[:_QUOTED_CHARACTERS]
        message = f"The arguments of the model's call of {quote(pieces.name)} are not a JSON object: “{text}”."
        remedy = "Try again, or choose a model that was trained to call tools."
    return InvalidAnswer(message, remedy, text=pieces.arguments)
