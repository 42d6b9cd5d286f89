"""Rejects prompts that are too large, before the engine renders and tokenizes them, which can take it many seconds.

An engine can't stop in the middle of that when its client disconnects, so the limits must hold before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends import Rejected
from backends.text import to_json
from inference.settings import Settings

MAX_CHARACTERS_PER_TOKEN = 100
MAX_SCHEMA_CHARACTERS, MAX_SCHEMA_BOUND = 20_000, 1000
_BOUNDS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def check_size(completions: Sequence[Mapping[str, Any]], settings: Settings, context: int | None) -> None:
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
        length += _more_characters(completion)
        total += length
        if total > settings.max_prompt_characters:
            raise _too_long(settings.max_prompt_characters)
        if context and length > context * MAX_CHARACTERS_PER_TOKEN:
            message = f"The prompt has {length:,} characters, far more than fit into {context:,} tokens of context."
            raise Rejected(message, "Send fewer passages or a shorter conversation.", status=400)


def _texts(messages: Any) -> Iterator[str]:
    """Yield the text of each message or content part, and "" for what isn't text: its error comes later."""
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, Mapping) else None
        for part in content if isinstance(content, list) and content else [content]:
            text = part.get("text") if isinstance(part, Mapping) else part
            yield text if isinstance(text, str) else ""


def _more_characters(completion: Mapping[str, Any]) -> int:
    """Return the size of the tools and the schema. The engine makes a grammar of them, so they have a limit too."""
    fields = {name: completion[name] for name in ("tools", "response_format") if completion.get(name)}
    if not fields:
        return 0
    length = len(to_json(fields))
    if length > MAX_SCHEMA_CHARACTERS:
        message = f"The tools and the schema have {length:,} characters."
        raise Rejected(message, f"Send at most {MAX_SCHEMA_CHARACTERS:,}.", status=400)
    if max(_counts(fields), default=0) > MAX_SCHEMA_BOUND:
        message = f"A schema has a minimum or maximum of more than {MAX_SCHEMA_BOUND:,} items or characters."
        raise Rejected(message, "Leave that bound out.", status=400)
    return length


def _counts(fields: Mapping[str, Any]) -> Iterator[float]:
    """Yield the minima and maxima of a schema. Each repetition becomes a part of the grammar."""
    rest: list[Any] = [fields]  # not by recursion: JSON can be deeper than Python's stack
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            yield from (count for name, count in value.items() if name in _BOUNDS and isinstance(count, (int, float)))
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _too_many(limit: int) -> Rejected:
    message = f"The request has more than {limit:,} messages and content parts."
    return Rejected(message, "Send fewer, or raise SPACEPORT_MAX_MESSAGES.", status=400)


def _too_long(limit: int) -> Rejected:
    message = f"The request has more than {limit:,} characters."
    return Rejected(message, "Send less, or raise SPACEPORT_MAX_PROMPT_CHARACTERS.", status=413)
