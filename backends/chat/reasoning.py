"""One shape for what models think aloud: `<think>` tags in the text become deltas of kind "thought"."""

from __future__ import annotations

from backends.types import Delta, Kind

OPEN, CLOSE = "<think>", "</think>"


class CharacterJoiner:
    """Joins characters that a server cut into surrogates; a half that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Give the whole characters; half of one at the end is held back."""
        if not self._half and _is_whole(text):
            return text
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return text[: len(text) - len(self._half)].encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def flush(self) -> str:
        """Give what was held back, at the end of the stream."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class ThoughtSplitter:
    """Splits streamed text at `<think>` and `</think>`, wherever the chunks are cut.

    A tag in backquotes is text about the tag and stays. A tag that is never closed makes the rest a
    thought; a closing tag that was never opened is dropped.
    """

    def __init__(self) -> None:
        self._kind: Kind = "answer"
        self._joiner = CharacterJoiner()
        self._held = ""  # might be the beginning of a tag
        self._before = ""  # the character before `_held`

    def feed(self, text: str) -> list[Delta]:
        """Give the deltas that are certain after `text`; what may still become a tag is held back."""
        text = self._joiner.feed(text)
        deltas: list[Delta] = []
        if not self._held and "<" not in text:
            self._emit(text, deltas)
            return deltas
        text, self._held = self._held + text, ""
        while text:
            at, tag = self._next_tag(text)
            self._emit(text[:at], deltas)
            if not tag:
                self._held = text[at:]
                break
            self._kind = "thought" if tag == OPEN else "answer"
            self._before = ">"
            text = text[at + len(tag) :]
        return deltas

    def flush(self) -> list[Delta]:
        """Give what was held back, at the end of the stream."""
        deltas: list[Delta] = []
        self._emit(self._held + self._joiner.flush(), deltas)
        self._held = ""
        return deltas

    def _emit(self, text: str, deltas: list[Delta]) -> None:
        if text:
            self._before = text[-1]
            deltas.append(Delta(text, self._kind))

    def _next_tag(self, text: str) -> tuple[int, str]:
        """Where the next tag starts, and the tag; without one, where what may become one starts, or the end."""
        at = text.find("<")
        while at >= 0:
            quoted = (text[at - 1] if at else self._before) == "`"
            for tag in (OPEN, CLOSE):
                # A thought may end in code: there a backquote before the closing tag means nothing.
                if quoted and not (tag == CLOSE and self._kind == "thought"):
                    continue
                seen = text[at : at + len(tag)]
                if tag.startswith(seen):
                    return at, tag if seen == tag else ""
            at = text.find("<", at + 1)
        return len(text), ""
