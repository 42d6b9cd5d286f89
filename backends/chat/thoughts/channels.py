"""Splits text in channels, the format of gpt-oss, in thoughts and the answer."""

from __future__ import annotations

import re

from backends.types import Delta, Kind

# The format of gpt-oss: a header with a role and a channel, then the channel's text.
CHANNELS = ("<|channel|>", "<|start|>")
# Where an answer begins inside of a header, because the template has written the first token, or the server lost it.
HEADERS = ("assistant<|channel|>", "analysis<|message|>", "final<|message|>")
_CHANNEL_TOKEN = re.compile(r"<\|(start|channel|message|end|return|call|constrain)\|>")
_LONGEST_HEADER = 200  # characters; the channel stands at its beginning
_LONGEST_TOKEN = len("<|constrain|>")


def begins_header(text: str) -> bool:
    """Return whether `text` may become a header; a part of its first word doesn't wait: it is one token."""
    return any(header.startswith(text) and header != text and len(text) >= header.index("<") for header in HEADERS)


class ChannelSplitter:
    """Splits text in channels, as gpt-oss writes it: `<|channel|>analysis<|message|>…<|end|>`."""

    def __init__(self) -> None:
        self._pending = ""
        self._header: str | None = None  # what stands before <|message|>, or None inside of a message
        self._kind: Kind = "answer"

    def feed(self, text: str) -> list[Delta]:
        """Return the deltas that are certain after `text`."""
        text, self._pending = self._pending + text, ""
        deltas: list[Delta] = []
        at = 0
        for token in _CHANNEL_TOKEN.finditer(text):
            self._read(text[at : token.start()], deltas)
            self._read_token(token[1])
            at = token.end()
        cut = text.rfind("<", max(at, len(text) - _LONGEST_TOKEN))
        if cut >= 0:
            text, self._pending = text[:cut], text[cut:]
        self._read(text[at:], deltas)
        return deltas

    def flush(self) -> list[Delta]:
        """Return the text that is still waiting at the end of the stream."""
        deltas: list[Delta] = []
        self._read(self._pending, deltas)
        return deltas

    def _read(self, text: str, deltas: list[Delta]) -> None:
        if self._header is not None:
            self._header = (self._header + text)[:_LONGEST_HEADER]
        elif text:
            deltas.append(Delta(text, self._kind))

    def _read_token(self, name: str) -> None:
        if name == "message":
            header = (self._header or "").strip()
            self._header, self._kind = None, "thought" if header.startswith(("analysis", "commentary")) else "answer"
        elif name != "constrain":
            self._header = ""
