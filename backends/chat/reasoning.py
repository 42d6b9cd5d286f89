"""Splits a model's reasoning from its answer: text inside `<think>` tags becomes deltas of kind "thought"."""

from __future__ import annotations

from backends.types import Delta, Kind

OPEN, CLOSE = "<think>", "</think>"


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
    """Splits streamed text at `<think>` and `</think>`, wherever the chunks are cut.

    A tag in backticks is text about the tag and stays. A tag that is never closed makes the rest a thought;
    a closing tag without an opening one is dropped.
    """

    def __init__(self) -> None:
        self._kind: Kind = "answer"
        self._joiner = CharacterJoiner()
        self._pending = ""  # may be the beginning of a tag
        self._before = ""  # the character before `_pending`

    def feed(self, text: str) -> list[Delta]:
        """Return the deltas that are certain after `text`; text that may become a tag waits."""
        text = self._joiner.feed(text)
        deltas: list[Delta] = []
        if not self._pending and "<" not in text:
            self._emit(text, deltas)
            return deltas
        text, self._pending = self._pending + text, ""
        while text:
            at, tag = self._next_tag(text)
            self._emit(text[:at], deltas)
            if not tag:
                self._pending = text[at:]
                break
            self._kind = "thought" if tag == OPEN else "answer"
            self._before = ">"
            text = text[at + len(tag) :]
        return deltas

    def flush(self) -> list[Delta]:
        """Return the text that is still waiting at the end of the stream."""
        deltas: list[Delta] = []
        self._emit(self._pending + self._joiner.flush(), deltas)
        self._pending = ""
        return deltas

    def _emit(self, text: str, deltas: list[Delta]) -> None:
        if text:
            self._before = text[-1]
            deltas.append(Delta(text, self._kind))

    def _next_tag(self, text: str) -> tuple[int, str]:
        """The position of the next tag and the tag; without one, the start of a possible tag (or the end) and ""."""
        at = text.find("<")
        while at >= 0:
            in_code = (text[at - 1] if at else self._before) == "`"
            for tag in (OPEN, CLOSE):
                # A thought may end in code, so a backtick before its closing tag means nothing.
                if in_code and not (tag == CLOSE and self._kind == "thought"):
                    continue
                candidate = text[at : at + len(tag)]
                if tag.startswith(candidate):
                    return at, tag if candidate == tag else ""
            at = text.find("<", at + 1)
        return len(text), ""
