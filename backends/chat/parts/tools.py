"""Tools in the OpenAI format: the functions that a request offers, and the calls in an answer or a conversation."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.errors import BackendError, InvalidAnswer
from backends.text import to_json
from backends.types import ChatRequest, Tool, ToolCall

_MODES = ("auto", "none", "required")
_QUOTED_CHARACTERS = 200
_MAX_REPEATED = 20_000  # characters of arguments that a server may send twice


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
    size: int = 0  # of the parts, in characters

    @property
    def arguments(self) -> str:
        return "".join(self.parts)

    @property
    def is_complete(self) -> bool:
        """Whether the arguments are an object already; long ones are not looked at, which would be for each piece."""
        if not self.parts or self.size > _MAX_REPEATED or not self.parts[-1].rstrip().endswith("}"):
            return False
        return parse_arguments(self.arguments) is not None

    def add(self, name: str, text: str) -> None:
        """Add a piece: a part of the name or of the arguments, or what came before once more."""
        if name and not self.parts and not name.startswith(self.name):
            self.name += name  # in pieces
        elif name.startswith(self.name) and not self.parts:
            self.name = name
        if text.startswith("{") and self.parts and self.is_complete:  # of an empty object, or of the whole call
            self.parts.clear()
            self.size = 0
        if text:
            self.parts.append(text)
            self.size += len(text)


class ToolCallAssembler:
    """Assembles the calls of one answer from the pieces that its events have."""

    def __init__(self) -> None:
        self._calls: list[_Pieces] = []
        self._by_index: dict[Any, _Pieces] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, pieces: Any) -> None:
        """Read the `tool_calls` of one event, or its `function_call`, which older servers send."""
        if isinstance(pieces, Mapping):
            is_call = "function" in pieces or "name" in pieces or "arguments" in pieces
            pieces = [pieces] if is_call else pieces.values()
        for position, piece in enumerate(filter(None, pieces)):
            index = piece.get("index")
            function = piece.get("function") or piece
            name = function.get("name") or ""
            arguments = function.get("arguments") if "arguments" in function else function.get("parameters")
            text = arguments if isinstance(arguments, str) else "" if arguments is None else to_json(arguments)
            call = self._call(str(position if index is None else index), piece.get("id") or "", name, text)
            call.add(name, text)

    def finish(self, quote: Callable[[str], str], finish_reason: str | None) -> list[ToolCall]:
        """Return the calls; `InvalidAnswer` if one has no name, or arguments that aren't a JSON object."""
        calls = []
        for number, pieces in enumerate(self._calls, 1):
            arguments = _parse_arguments(pieces.arguments)
            if arguments is None or not pieces.name:
                raise _invalid(pieces, quote, finish_reason)
            calls.append(ToolCall(pieces.id or f"call_{number}", pieces.name, arguments))
        return calls

    def _call(self, index: str, call_id: str, name: str, text: str) -> _Pieces:
        """Return the call that a piece belongs to.

        Some servers give all calls one index, and some give each piece a new id: a new id with a name is a new call. So
        is a name, without ids, after arguments that are complete.
        """
        call = self._by_index.get(index)
        is_other = call is not None and bool(call_id and call.id and call_id != call.id)
        if call is None or (name and (is_other or (not call_id and call.is_complete))):
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


def _parse_arguments(text: str) -> dict[str, Any] | None:
    """As `parse_arguments`, also for a server that writes them as JSON inside of JSON inside of JSON."""
    if text[:1] == '"':
        with contextlib.suppress(ValueError):
            text = str(json.loads(text))
    return parse_arguments(text)


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
