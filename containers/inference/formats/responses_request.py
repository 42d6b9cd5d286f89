"""Reads the body of OpenAI's responses API into that of a chat completion. Nothing is stored between requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inference.formats.reading import BodyReader, Part, call_part, picture_part, text_part

_FIELDS = {"max_tokens": "max_output_tokens", "messages": "input", "response_format": "text.format"}
_read = BodyReader("a response to create", 'Send {"input": "…"}.', _FIELDS)
translate_errors = _read.translate_errors
_TEXTS = ("input_text", "output_text", "text")
# Fields that need what earlier requests stored, or a model of OpenAI's.
_UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
    "background": (None, False),
    "conversation": (None,),
    "previous_response_id": (None,),
    "prompt": (None,),
    "top_logprobs": (None, 0),
}
_SAME_NAMES = ("model", "temperature", "top_p", "stream")


def to_chat_completion(body: Any) -> dict[str, Any]:
    """Return the chat completion for a body; `Rejected` says what is wrong with it."""
    body = _read.object("it", body)
    _read.unsupported(body, _UNSUPPORTED)
    completion = {name: body[name] for name in _SAME_NAMES if body.get(name) is not None}
    completion["messages"] = list(_messages(body))
    if body.get("max_output_tokens") is not None:
        completion["max_tokens"] = body["max_output_tokens"]
    if body.get("tools"):
        tools = enumerate(_read.list("tools", body["tools"]))
        completion["tools"] = [_tool(f"tools[{at}]", tool) for at, tool in tools]
    choice = body.get("tool_choice")
    if choice is not None and completion.get("tools"):
        completion["tool_choice"] = {"function": choice} if isinstance(choice, Mapping) else choice
    text = _read.object("text", body.get("text") or {})
    if text.get("format"):
        completion["response_format"] = _response_format(_read.object("text.format", text["format"]))
    return completion


def _messages(body: Mapping[str, Any]) -> Iterator[Part]:
    if body.get("instructions"):
        yield {"role": "system", "content": _read.text("instructions", body["instructions"])}
    given = body.get("input")
    if isinstance(given, str):
        yield {"role": "user", "content": given}
        return
    calls: list[Part] = []
    for at, item in enumerate(_read.list("input", given)):
        path = f"input[{at}]"
        message = _item(path, _read.object(path, item))
        if calls and not (message and "tool_calls" in message):
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            calls = []
        if message and "tool_calls" in message:  # the calls of one answer are items of their own here
            calls += message["tool_calls"]
        elif message:
            yield message
    if calls:
        yield {"role": "assistant", "content": None, "tool_calls": calls}


def _item(path: str, item: Mapping[str, Any]) -> Part | None:
    """Return the message of an item, or None for a thought of an earlier answer."""
    kind = item.get("type", "message")
    if kind == "message":
        return {"role": item.get("role"), "content": _read.content(f"{path}.content", item.get("content"), _part)}
    if kind == "reasoning":
        return None
    if kind in ("function_call", "function_call_output"):
        call_id = _read.text(f"{path}.call_id", item.get("call_id"))
    if kind == "function_call":
        name, arguments = (_read.text(f"{path}.{field}", item.get(field)) for field in ("name", "arguments"))
        return {"tool_calls": [call_part(call_id, name, arguments)]}
    if kind == "function_call_output":
        content = _read.content(f"{path}.output", item.get("output"), _part)
        return {"role": "tool", "tool_call_id": call_id, "content": content}
    raise _read.invalid(f"{path} is of the type {str(kind)[:40]!r}, which this server doesn't have")


def _part(path: str, part: Mapping[str, Any]) -> Part | None:
    if part.get("type") in _TEXTS:
        return text_part(_read.text(f"{path}.text", part.get("text")))
    if part.get("type") == "input_image":
        return picture_part(part.get("image_url"))
    raise _read.invalid(f"{path} is neither text nor a picture")


def _tool(path: str, tool: Any) -> Part:
    tool = _read.object(path, tool)
    if tool.get("type") != "function":
        raise _read.invalid(f"{path} is not a function; this server has no tools of its own")
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


def _response_format(form: Mapping[str, Any]) -> Part:
    if form.get("type") == "json_schema":
        return {"type": "json_schema", "json_schema": form}
    return dict(form)
