"""One shape for what models think aloud: `<think>` tags in the text become deltas of kind "thought"."""

from __future__ import annotations

from backends.types import Delta, Kind

OPEN, CLOSE = "<think>", "</think>"


class ThoughtSplitter:
    """Splits streamed text at `<think>` and `</think>`, wherever the chunks are cut.

    A tag in backquotes is text about the tag and stays. A tag that is never closed makes the rest a
    thought; a closing tag that was never opened is dropped. Characters cut in two (a lone surrogate at the end of a chunk) are joined again.
    """

    def __init__(self) -> None:
        self._kind: Kind = "answer"
        self._held = ""  # might be the beginning of a tag or half a character
        self._before = ""  # the character before `_held`

    def feed(self, text: str) -> list[Delta]:
        """Give the deltas that are certain after `text`; what may still become a tag is held back."""
        if not self._held and "<" not in text and text and not "\ud800" <= text[-1] <= "\udbff":
            self._before = text[-1]
            return [Delta(text, self._kind)]
        text, self._held = _join_surrogates(self._held + text), ""
        deltas: list[Delta] = []
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
        self._emit(self._held.encode("utf-8", "replace").decode(), deltas)
        self._held = ""
        return deltas

    def _emit(self, text: str, deltas: list[Delta]) -> None:
        if text:
            self._before = text[-1]
            deltas.append(Delta(text, self._kind))

    def _next_tag(self, text: str) -> tuple[int, str]:
        """Where the next tag starts, and the tag; without one, where the part to hold back starts."""
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
        return len(text) - ("\ud800" <= text[-1] <= "\udbff"), ""


def _join_surrogates(text: str) -> str:
    held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    whole = text[: len(text) - len(held)]
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace") + held
