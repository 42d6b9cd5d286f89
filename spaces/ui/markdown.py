"""Markdown from a model, made safe to display."""

from __future__ import annotations

import re

ZERO_WIDTH_SPACE = "\u200b"
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
# The first character of a tag and of an image.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")
# A code fence that a renderer turns into a diagram, or at which Gradio 6.31 fails with a blank message: C++, whose
# highlighter needs that of C first. Another language before the name prevents both. A match starts only at the first
# mark, and nothing is read twice: otherwise the time would grow with the square of a run of backticks.
_FENCE = re.compile(r"(?<![`~])([`~]{3,}+)(?=\s*+(mermaid|cpp))", re.IGNORECASE)
_LANGUAGES = {"mermaid": "text ", "cpp": "c "}


def safe_markdown(text: str) -> str:
    """Return the Markdown text so that it loads nothing from another server.

    The address of a remote image or tag could leak the content of a document to the server's owner. A zero-width space
    after the first character disables each of them, in code as well: renderers don't agree on what is code, and an
    attacker can use the difference.
    """
    text = with_safe_fences(text)
    # To look for a character takes a tenth of the time of a pattern, and a page draws an answer for each update.
    return _ACTIVE.sub(f"\\g<0>{ZERO_WIDTH_SPACE}", text) if "<" in text or "!" in text else text


def with_safe_fences(text: str) -> str:
    """Return the Markdown text with a harmless language at each code fence of a diagram or of C++."""
    if "```" not in text and "~~~" not in text and "`~" not in text and "~`" not in text:
        return text
    return _FENCE.sub(lambda fence: f"{fence[1]}{_LANGUAGES[fence[2].lower()]}", text)


def split_code(text: str) -> list[tuple[str, bool]]:
    """Split a Markdown text into parts, each with whether it is code."""
    return [(part, bool(index % 2)) for index, part in enumerate(_CODE.split(text))]
