"""The arguments of Ollama's chat call for a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.chat.parts.logprobs import logprobs_body
from backends.chat.parts.tools import write_tool
from backends.errors import Rejected
from backends.types import ChatRequest, Message


def chat_arguments(request: ChatRequest, window: int) -> dict[str, Any]:
    """The messages, options, tools and schema of a request; `Rejected` for a tool choice that Ollama doesn't have.

    `window` is the context window that Ollama allocates, in tokens.
    """
    arguments: dict[str, Any] = {"messages": _messages(request.messages), "options": _options(request, window)}
    if request.must_call:
        message = f"Ollama can't be made to call a tool (tool_choice {request.tool_choice!r})."
        raise Rejected(message, 'Ask with tool_choice "auto".', status=400)
    if request.offers_tools:
        arguments["tools"] = [write_tool(tool) for tool in request.tools]
    if request.schema is not None:
        arguments["format"] = dict(request.schema)
    arguments |= logprobs_body(request.logprobs)
    return arguments


def _options(request: ChatRequest, window: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": window,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    # Ollama's messages have a tool's name where others have the id of its call.
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [_message(message, names) for message in messages]


def _message(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.pictures:
        body["images"] = [picture.data for picture in message.pictures]
    if message.tool_calls:
        calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in message.tool_calls]
        body["tool_calls"] = [{"function": call} for call in calls]
    if message.tool_call_id is not None:
        body["tool_name"] = names.get(message.tool_call_id, message.tool_call_id)
    return body
