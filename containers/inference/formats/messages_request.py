"""Reads the body of Anthropic's messages API into that of a chat completion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.text import to_json
from inference.formats.reading import BodyReader, Part, call_part, picture_part, text_part

_EXAMPLE = 'Send {"max_tokens": 64, "messages": [{"role": "user", "content": "…"}]}.'
_FIELDS = {"stop": "stop_sequences", "response_format": "output_config.format"}
_read = BodyReader("a message to create", _EXAMPLE, _FIELDS)
translate_errors = _read.translate_errors
_UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {"top_k": (None,), "container": (None,), "mcp_servers": (None, [])}
_SAME_NAMES = {
    **{name: name for name in ("model", "max_tokens", "temperature", "top_p", "stream")},
    "stop_sequences": "stop",
}
_THOUGHTS = ("thinking", "redacted_thinking")
_TOOL_CHOICES = {"auto": "auto", "none": "none", "any": "required"}


def to_chat_completion(body: Any) -> dict[str, Any]:
    """Return the chat completion for a body; `Rejected` says what is wrong with it."""
    body = _read.object("it", body)
    _read.unsupported(body, _UNSUPPORTED)
    completion = {ours: body[name] for name, ours in _SAME_NAMES.items() if body.get(name) is not None}
    system = _read.content("system", body.get("system") or "", _part)
    messages: list[Part] = [{"role": "system", "content": system}] if system else []
    for at, message in enumerate(_read.list("messages", body.get("messages"))):
        messages += _messages(f"messages[{at}]", _read.object(f"messages[{at}]", message))
    completion["messages"] = messages
    if body.get("tools"):
        tools = enumerate(_read.list("tools", body["tools"]))
        completion["tools"] = [_tool(f"tools[{at}]", tool) for at, tool in tools]
        completion["tool_choice"] = _tool_choice(_read.object("tool_choice", body.get("tool_choice") or {}))
    config = _read.object("output_config", body.get("output_config") or {})
    if form := config.get("format") or body.get("output_format"):
        schema = _read.object("the output format", form).get("schema")
        completion["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    return completion


def _messages(path: str, message: Mapping[str, Any]) -> Iterator[Part]:
    """Yield a message; the calls and results of tools, which are blocks here, have places and messages of their own."""
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant"):
        raise _read.invalid(f"the role of {path} is not user or assistant")
    if isinstance(content, str):
        yield {"role": role, "content": content}
        return
    blocks = [
        (f"{path}.content[{at}]", _read.object(f"{path}.content[{at}]", block))
        for at, block in enumerate(_read.list(f"{path}.content", content))
    ]
    results = [(name, block) for name, block in blocks if block.get("type") == "tool_result"]
    calls = [_call(name, block) for name, block in blocks if block.get("type") == "tool_use"]
    parts = [part for name, block in blocks if (part := _part(name, block))]
    for name, block in results:
        result = _read.content(f"{name}.content", block.get("content") or "", _part)
        call_id = _read.text(f"{name}.tool_use_id", block.get("tool_use_id"))
        yield {"role": "tool", "tool_call_id": call_id, "content": result}
    if parts or calls or not results:
        yield {"role": role, "content": parts, **({"tool_calls": calls} if calls else {})}


def _part(path: str, block: Mapping[str, Any]) -> Part | None:
    """Return the part for a block, or None for one that has another place."""
    kind = block.get("type")
    if kind in (*_THOUGHTS, "tool_use", "tool_result"):
        return None
    if kind == "text":
        return text_part(_read.text(f"{path}.text", block.get("text")))
    if kind == "image":
        source = _read.object(f"{path}.source", block.get("source"))
        if source.get("type") != "base64":
            raise _read.invalid(f"the picture of {path} is not in base64")
        return picture_part(f"data:{source.get('media_type')};base64,{source.get('data')}")
    raise _read.invalid(f"{path} is of the type {str(kind)[:40]!r}, which this server doesn't have")


def _call(path: str, block: Mapping[str, Any]) -> Part:
    call_id, name = (_read.text(f"{path}.{field}", block.get(field)) for field in ("id", "name"))
    return call_part(call_id, name, to_json(dict(_read.object(f"{path}.input", block.get("input")))))


def _tool(path: str, tool: Any) -> Part:
    tool = _read.object(path, tool)
    if tool.get("type") not in (None, "custom"):
        raise _read.invalid(f"{path} is not a tool of the client; this server has no tools of its own")
    function = {"name": tool.get("name"), "description": tool.get("description")}
    return {"type": "function", "function": {**function, "parameters": tool.get("input_schema")}}


def _tool_choice(choice: Mapping[str, Any]) -> Any:
    kind = choice.get("type", "auto")
    if kind == "tool":
        return {"function": {"name": choice.get("name")}}
    if kind not in _TOOL_CHOICES:
        raise _read.invalid("tool_choice is not auto, any, none or a tool")
    return _TOOL_CHOICES[kind]
