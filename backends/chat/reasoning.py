"""Splits a model's reasoning from its answer: text between tags such as `<think>` becomes deltas of kind "thought"."""

from __future__ import annotations

import re
from typing import Literal

from backends.types import Delta, Kind

# How a target's text is split: "auto" at tags that begin the answer, "opened" if the model's template has already
# opened the thought ("auto" asks some servers: see `backends.chat.opened_thoughts`), "none" not at all.
Reasoning = Literal["auto", "opened", "none"]
OPEN, CLOSE = "<think>", "</think>"
TAGS = {
    OPEN: CLOSE,
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
# The format of gpt-oss: a header with a role and a channel, then the channel's text.
_CHANNELS = ("<|channel|>", "<|start|>")
_CHANNEL_TOKEN = re.compile(r"<\|(start|channel|message|end|return|call|constrain)\|>")
_MOST_BLANK = 1000  # characters before a tag; more of them are an answer, and don't wait for its first word
_LONGEST_HEADER = 200  # characters; the channel stands at its beginning
_LONGEST_TOKEN = len("<|constrain|>")


class CharacterJoiner:
    """Joins characters that a server cut into surrogates; a lone half becomes U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return the complete characters; half a character at the end waits for the rest."""
        if not self._half and _is_encodable(text):
            return text
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return text[: len(text) - len(self._half)].encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def flush(self) -> str:
        """Return the replacement for a half that is still waiting at the end of the stream."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class ThoughtSplitter:
    """Splits streamed text at the tags of a thought, wherever the chunks are cut.

    A thought comes first: a tag after the first word of the answer is text about the tag, and stays. A tag that is
    never closed makes the rest a thought. Blank space between a thought and the answer is dropped.

    With "opened", or an `opened_tag` that closes the thought, the text begins inside of one.
    """

    def __init__(self, reasoning: Reasoning = "auto", opened_tag: str = "") -> None:
        self._joiner = CharacterJoiner()
        self._pending = ""  # may be the beginning of a tag
        self._opened_tag = opened_tag or (CLOSE if reasoning == "opened" else "")
        self._unclosed: list[str] = []  # a thought that only the template opened
        self._closing_tag = ""
        self._state: Literal["start", "thought", "channels", "answer"] = "answer" if reasoning == "none" else "start"
        self._channels = ChannelSplitter()
        self._after_thought = False

    def feed(self, text: str) -> list[Delta]:
        """Return the deltas that are certain after `text`; text that may become a tag waits."""
        text = self._joiner.feed(text)
        if self._state == "answer":
            return [Delta(text)] if text else []
        deltas: list[Delta] = []
        text, self._pending = self._pending + text, ""
        while text:
            if self._state == "start":
                text = self._read_start(text)
            elif self._state == "thought":
                text = self._read_thought(text, deltas)
            else:
                deltas += self._channels.feed(text) if self._state == "channels" else [Delta(text)]
                text = ""
        return deltas

    def start_answer(self) -> None:
        """Expect no opened thought: the server sends the thoughts apart from the answer."""
        self._opened_tag = ""

    def flush(self, *, whole: bool = False) -> list[Delta]:
        """Return the text that is still waiting at the end of the stream.

        In a `whole` answer that never closes the thought that its template opened, the model didn't think: all of the
        text is the answer, which comes once more as that.
        """
        kind: Kind = "thought" if self._state == "thought" else "answer"
        text, self._pending = self._pending + self._joiner.flush(), ""
        if whole and self._unclosed:
            return [Delta("".join(self._unclosed) + text)]
        if self._state == "channels":
            return [*self._channels.feed(text), *self._channels.flush()]
        return [Delta(text, kind)] if text and not (self._after_thought and text.isspace()) else []

    def _read_start(self, text: str) -> str:
        """Decide what the answer begins with; return the text that isn't read yet."""
        begin = text.lstrip()
        waits = len(text) - len(begin) <= _MOST_BLANK
        if waits and any(tag.startswith(begin[: len(tag)]) and len(begin) < len(tag) for tag in (*TAGS, *_CHANNELS)):
            self._pending = text
            return ""
        if begin.startswith(_CHANNELS):
            self._state = "channels"
            return begin
        for tag, closing_tag in TAGS.items():
            if begin.startswith(tag):
                self._state, self._closing_tag, self._opened_tag = "thought", closing_tag, ""
                return begin[len(tag) :]
        if self._opened_tag:
            self._state, self._closing_tag, self._opened_tag = "thought", self._opened_tag, ""
            self._unclosed.append("")
            return begin
        self._state = "answer"
        return begin if self._after_thought else text

    def _read_thought(self, text: str, deltas: list[Delta]) -> str:
        at = text.find(self._closing_tag)
        if at < 0:
            at = len(text) - _overlap(text, self._closing_tag)
            self._pending, rest = text[at:], ""
        else:
            self._state, self._after_thought, rest = "start", True, text[at + len(self._closing_tag) :]
            self._unclosed.clear()
        if at:
            deltas.append(Delta(text[:at], "thought"))
            if self._unclosed:
                self._unclosed.append(text[:at])
        return rest


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


def _overlap(text: str, tag: str) -> int:
    """Return the length of the end of `text` that may be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
