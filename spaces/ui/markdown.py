"""Markdown from a model, made safe to display."""

from __future__ import annotations

import re

ZERO_WIDTH_SPACE = "\u200b"
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
# The first character of a tag, of an image, and of a code fence that a renderer turns into a diagram.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|[`~](?=[`~]{2,}\s*mermaid)", re.IGNORECASE)


def safe_markdown(text: str) -> str:
    """Return the Markdown text so that it loads nothing from another server.

    The address of a remote image or tag could leak the content of a document to the server's owner. A zero-width space
    after the first character disables each of them, in code as well: renderers don't agree on what is code, and an
    attacker can use the difference.
    """
    return _ACTIVE.sub(f"\\g<0>{ZERO_WIDTH_SPACE}", text)


def split_code(text: str) -> list[tuple[str, bool]]:
    """Split a Markdown text into parts, each with whether it is code."""
    return [(part, bool(index % 2)) for index, part in enumerate(_CODE.split(text))]
