"""Splits a model's reasoning from its answer: text between tags such as `<think>` becomes deltas of kind "thought"."""

from __future__ import annotations

from typing import Literal

from backends.chat.thoughts.channels import CHANNELS, HEADERS, ChannelSplitter, begins_header
from backends.types import Delta, Kind

# How a target's text is split: "auto" at tags that begin the answer, "opened" if the model's template has already
# opened the thought ("auto" asks some servers: see `opened_thoughts`), "granite" also at the phrases of IBM's Granite
# 3.2, "none" not at all.
Reasoning = Literal["auto", "opened", "granite", "none"]
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
    "<|START_THINKING|>": "<|END_THINKING|>",  # Cohere's Command
    "<|inner_prefix|>": "<|inner_suffix|>",  # Apertus
    "<|channel>thought\n": "<channel|>",  # Gemma 4
    "<|open|>think<|sep|>": "<|close|>think<|sep|>",  # Kimi K3
    "<think:opensource>": "</think:opensource>",  # Hunyuan
    "<longcat_think>": "</longcat_think>",
    "<mm:think>": "</mm:think>",  # MiniMax M3
}
# Many answers begin with "Here": to wait for the rest of the phrase would delay their first words.
_PHRASES = {
    "Here is my thought process:": "Here is my response:",
    "Here's my thought process:": "Here's my response:",
}
# Special tokens around the answer. Tags such as <answer> may be what the question asked for.
_WRAPPERS = {
    "<|START_RESPONSE|>": "<|END_RESPONSE|>",
    "<|begin_of_solution|>": "<|end_of_solution|>",
    "<|open|>response<|sep|>": "<|close|>response<|sep|>",
}
_BEGINNINGS = (*TAGS, *_WRAPPERS, *CHANNELS, *TAGS.values())
_MOST_BLANK = 1000  # characters before a tag; more of them are an answer, and don't wait for its first word


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

    A thought comes first: a tag after the first word of the answer is text about the tag, and stays. Dropped are blank
    space between a thought and the answer, and a tag that closes a thought which the server has sent apart.

    With "opened", or an `opened_tag` that closes the thought, the text begins inside of one.
    """

    def __init__(self, reasoning: Reasoning = "auto", opened_tag: str = "") -> None:
        self._joiner = CharacterJoiner()
        self._pending = ""  # may be the beginning of a tag
        self._opened_tag = opened_tag or (CLOSE if reasoning == "opened" else "")
        self._unclosed: list[str] = []  # the text of a thought up to its closing tag
        self._closing_tag = ""
        self._phrases = _PHRASES if reasoning == "granite" else {}
        self._beginnings = (*_BEGINNINGS, *self._phrases)
        self._state: Literal["start", "thought", "channels", "wrapped", "answer"] = "start"
        if reasoning == "none":
            self._state = "answer"
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
            elif self._state == "wrapped":
                text = self._read_wrapped(text, deltas)
            else:
                deltas += self._channels.feed(text) if self._state == "channels" else [Delta(text)]
                text = ""
        return deltas

    def start_answer(self) -> None:
        """Expect no opened thought: the server sends the thoughts apart from the answer."""
        self._opened_tag = ""

    def flush(self, *, whole: bool = False) -> list[Delta]:
        """Return the text that is still waiting at the end of the stream.

        A `whole` answer that never closes its thought has none: it is about a tag, or of a model that didn't think.
        It comes once more as the answer.
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
        if (waits and any(tag.startswith(begin) and begin != tag for tag in self._beginnings)) or begins_header(begin):
            self._pending = text
            return ""
        if begin.startswith((*CHANNELS, *HEADERS)):
            self._state = "channels"
            return begin if begin.startswith(CHANNELS) else CHANNELS[1] + begin
        for tag, closing_tag in (*TAGS.items(), *self._phrases.items(), *_WRAPPERS.items()):
            if begin.startswith(tag):
                self._state, self._closing_tag, self._opened_tag = "thought", closing_tag, ""
                if tag in _WRAPPERS:
                    self._state = "wrapped"
                else:
                    self._unclosed.append(tag)
                return begin[len(tag) :]
            if begin.startswith(closing_tag) and tag in TAGS and not self._opened_tag:
                self._after_thought = True
                return begin[len(closing_tag) :]
        if self._opened_tag:
            self._state, self._closing_tag, self._opened_tag = "thought", self._opened_tag, ""
            self._unclosed.append("")
            return begin
        self._state = "answer"
        return begin if self._after_thought else text

    def _read_thought(self, text: str, deltas: list[Delta]) -> str:
        thought, rest = self._until_closed(text)
        if rest is not None:
            self._state, self._after_thought = "start", True
            self._unclosed.clear()
        if thought:
            deltas.append(Delta(thought, "thought"))
            if self._unclosed:
                self._unclosed.append(thought)
        return rest or ""

    def _read_wrapped(self, text: str, deltas: list[Delta]) -> str:
        """Read an answer up to the token that ends it."""
        answer, rest = self._until_closed(text)
        if rest is not None:
            self._state = "answer"
        if answer:
            deltas.append(Delta(answer))
        return (rest or "").lstrip()

    def _until_closed(self, text: str) -> tuple[str, str | None]:
        """Return the text before the closing tag and after it, None without one; what may become the tag waits."""
        before, tag, after = text.partition(self._closing_tag)
        if tag:
            return before, after
        at = len(text) - _overlap(text, self._closing_tag)
        self._pending = text[at:]
        return text[:at], None


def _overlap(text: str, tag: str) -> int:
    """Return the length of the end of `text` that may be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
