"""The messages of the OpenAI chat format: text, pictures, tool calls and their results, written and read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, get_args

from backends.chat.parts.checks import bad_request, describe, replace_surrogates
from backends.chat.parts.tools import parse_arguments, write_call
from backends.types import Message, Picture, Role, ToolCall

ROLES: dict[str, Role] = {**{role: role for role in get_args(Role)}, "developer": "system"}
_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,", re.IGNORECASE)


def write_message(message: Message) -> dict[str, Any]:
    """One message as JSON."""
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if not isinstance(message.content, str):
        body["content"] = [_write_part(part) for part in message.content]
    if message.tool_calls:
        body["tool_calls"] = [write_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        body["tool_call_id"] = message.tool_call_id
    return body


def read_messages(messages: Any) -> tuple[Message, ...]:
    """Read a client's messages; `Rejected` with status 400 says which one is wrong."""
    if not isinstance(messages, list):
        raise bad_request(f"messages is {describe(messages)}, not a list")
    if not messages:
        raise bad_request("messages is empty")
    return tuple(_read_message(f"messages[{index}]", each) for index, each in enumerate(messages))


def _write_part(part: str | Picture) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    data = base64.b64encode(part.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{data}"}}


def _read_message(path: str, message: Any) -> Message:
    if not isinstance(message, Mapping):
        raise bad_request(f"{path} is {describe(message)}, not an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        value = f"{role[:40]!r}" if isinstance(role, str) else describe(role)
        raise bad_request(f"the role of {path} is {value}, not one of {', '.join(ROLES)}")
    calls = _read_calls(f"{path}.tool_calls", message.get("tool_calls")) if role == "assistant" else ()
    content = message.get("content")
    if calls and content is None:  # an answer that only calls tools
        content = ""
    call_id = message.get("tool_call_id") if role == "tool" else None
    if role == "tool" and not isinstance(call_id, str):
        raise bad_request(f"{path}.tool_call_id is {describe(call_id)}, not text")
    return Message(ROLES[role], _read_content(f"{path}.content", content), calls, call_id)


def _read_content(path: str, content: Any) -> str | tuple[str | Picture, ...]:
    if isinstance(content, list):
        parts = [_read_part(f"{path}[{index}]", part) for index, part in enumerate(content)]
        if any(isinstance(part, Picture) for part in parts):
            return tuple(parts)
        return "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        raise bad_request(f"{path} is {describe(content)}, not text")
    return replace_surrogates(content)


def _read_part(path: str, part: Any) -> str | Picture:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "image_url":
        picture = part.get("image_url")
        return _read_picture(path, picture.get("url") if isinstance(picture, Mapping) else picture)
    text = part.get("text") if kind == "text" else None
    if not isinstance(text, str):
        raise bad_request(f"{path} is neither text nor a picture")
    return replace_surrogates(text)


def _read_picture(path: str, url: Any) -> Picture:
    """Read a data URL. An address would be a request that the client makes this server send."""
    match = _DATA_URL.match(url) if isinstance(url, str) else None
    if not match:
        raise bad_request(f"the picture of {path} is not a data URL (data:image/png;base64,…)")
    try:
        data = base64.b64decode(url[match.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"the picture of {path} is not valid base64") from error
    return Picture(data, match[1].lower())


def _read_calls(path: str, calls: Any) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise bad_request(f"{path} is {describe(calls)}, not a list")
    return tuple(_read_call(f"{path}[{index}]", call) for index, call in enumerate(calls))


def _read_call(path: str, call: Any) -> ToolCall:
    function = call.get("function") if isinstance(call, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not isinstance(call.get("id"), str):
        raise bad_request(f"{path} is not a call with an id and a function's name")
    text = function.get("arguments")
    arguments = parse_arguments(text) if isinstance(text, str) else None
    if arguments is None:
        raise bad_request(f"the arguments of {path} are not a JSON object as text")
    return ToolCall(call["id"], replace_surrogates(name), arguments)
