"""The texts of a chunk, under all the names that servers give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.types import Kind

# Some servers send the same thought under several names.
_THOUGHTS = ("reasoning_text", "thinking", "thinking_blocks", "reasoning_details")
_TEXTS = ("text", "thinking", "reasoning", "summary", "content", "value")
_MAX_DEPTH = 8


def thought_text(part: Mapping[str, Any]) -> str:
    """The thought of a delta or a message."""
    thought = part.get("reasoning") or part.get("reasoning_content")
    if isinstance(thought, str):
        return thought
    if not thought and len(part) == 1 and "content" in part:  # as most chunks have it
        return ""
    return plain_text(thought) or next((text for name in _THOUGHTS if (text := plain_text(part.get(name)))), "")


def plain_text(value: Any, depth: int = 0) -> str:
    """The text of a value: itself, that of its parts, or what it has under a usual name."""
    if isinstance(value, str):
        return value
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        return next((text for name in _TEXTS if (text := plain_text(value.get(name), depth + 1))), "")
    if depth < _MAX_DEPTH and isinstance(value, list):
        return "".join(plain_text(each, depth + 1) for each in value)
    return ""


def content_parts(content: Any) -> Iterator[tuple[Kind | None, str]]:
    """Yield the kind and the text of each part of a message's content; a refusal has none."""
    for part in [content] if isinstance(content, Mapping) else content:
        if isinstance(part, str):
            yield "answer", part
        elif refused := part.get("refusal"):
            yield None, plain_text(refused)
        else:
            name = str(part.get("type"))
            is_thought = "think" in name or "reason" in name or "thinking" in part
            yield "thought" if is_thought else "answer", plain_text(part)
