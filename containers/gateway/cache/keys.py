"""The key of a cached answer: a hash over everything that can change the answer, and over who may see it."""

from __future__ import annotations

import hashlib
from typing import Any

from backends import ChatRequest, Message
from backends.text import to_json

FORMAT = 2  # of an entry: one of another version is ignored, because its key differs and it names its version


def is_cacheable(request: ChatRequest) -> bool:
    """Whether the same request gets the same answer."""
    return request.temperature == 0


def answer_key(request: ChatRequest, *, target: str, owner: str) -> str:
    """The key for `request` to `target`; owners never share answers.

    The order of a schema's names is part of it, because a model writes them in that order. `target` should also change
    when its settings do, because another model answers then.
    """
    content = {
        "format": FORMAT,
        "owner": owner,
        "target": target,
        "messages": [_message(message) for message in request.messages],
        "max_tokens": request.max_tokens,
        "top_p": request.top_p,
        "stop": sorted(request.stop),
        "seed": request.seed,
        "tools": [[tool.name, tool.description, tool.parameters] for tool in request.tools],
        "tool_choice": request.tool_choice if request.tools else "",
        "schema": request.schema,
        "logprobs": request.logprobs,
    }
    return hashlib.sha256(to_json(content).encode(errors="surrogatepass")).hexdigest()


def _message(message: Message) -> list[Any]:
    content = message.content
    parts = [content] if isinstance(content, str) else content
    return [
        message.role,
        [part if isinstance(part, str) else [part.media_type, hashlib.sha256(part.data).hexdigest()] for part in parts],
        [[call.id, call.name, call.arguments] for call in message.tool_calls],
        message.tool_call_id,
    ]
