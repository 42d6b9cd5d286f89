"""Rejects prompts that are too large, before the engine renders and tokenizes them, which can take it many seconds.

An engine can't stop in the middle of that when its client disconnects, so the limits must hold before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends import Rejected
from inference.http.schema_limits import check_schemas
from inference.settings import ChatServerSettings

MAX_CHARACTERS_PER_TOKEN = 100


def check_size(completions: Sequence[Mapping[str, Any]], settings: ChatServerSettings, context: int | None) -> None:
    """Raise `Rejected` if the completions of one HTTP request have too many messages or characters.

    Messages and characters are limited for all completions together, because they can share one long text; each must
    also fit into the model's context.
    """
    count = total = 0
    for completion in completions:
        length = 0
        for text in _texts(completion.get("messages")):
            count += 1
            length += len(text)
            if count > settings.max_messages:
                raise _too_many(settings.max_messages)
        length += check_schemas(completion)
        total += length
        if total > settings.max_prompt_characters:
            raise _too_long(settings.max_prompt_characters)
        if context and length > context * MAX_CHARACTERS_PER_TOKEN:
            message = f"The prompt has {length:,} characters, far more than fit into {context:,} tokens of context."
            raise Rejected(message, "Send fewer passages or a shorter conversation.", status=400)


def _texts(messages: Any) -> Iterator[str]:
    """Yield the text of each message, content part and tool call, "" for what has none: its error comes later."""
    for message in messages if isinstance(messages, list) else []:
        fields = message if isinstance(message, Mapping) else {}
        content, calls = fields.get("content"), fields.get("tool_calls")
        for part in content if isinstance(content, list) and content else [content]:
            yield _text(part, "text")
        for call in calls if isinstance(calls, list) else []:
            yield _text(call.get("function") if isinstance(call, Mapping) else None, "arguments")


def _text(value: Any, name: str) -> str:
    text = value.get(name) if isinstance(value, Mapping) else value
    return text if isinstance(text, str) else ""


def _too_many(limit: int) -> Rejected:
    message = f"The request has more than {limit:,} messages, content parts and tool calls."
    return Rejected(message, "Send fewer, or raise SPACEPORT_MAX_MESSAGES.", status=400)


def _too_long(limit: int) -> Rejected:
    message = f"The request has more than {limit:,} characters."
    return Rejected(message, "Send less, or raise SPACEPORT_MAX_PROMPT_CHARACTERS.", status=413)
