"""Markers that hold: each `[n]` in an answer names a passage that was sent, or it is not there.

The text streams through as it comes. A marker of the model stays when its number exists; a sentence that
the model left without one is attributed to the passage that holds its words and all of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rag.lexical import STOP_WORDS
from rag.retrieve import Passage

_MARKER = re.compile(r"\[\s*(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*\]")
_MAYBE_MARKER = re.compile(r"\[[\d\s,;]{0,24}$")
_LIST_NUMBER = re.compile(r"^\s*\d+[.)]\s")
_TOKEN = re.compile(r"\d[\d,.]*\d|\w+")
# A sentence needs this many words of meaning before it claims something that can be attributed …
MIN_WORDS = 3
# … and this share of them must stand in the passage, besides every number. A sentence with figures is known
# by them, so fewer of its words are asked for.
MIN_SHARE, MIN_SHARE_WITH_FIGURES = 0.6, 0.4


def plain_marker(number: int, attributed: bool) -> str:
    """The marker for plain text: `[n]`, whoever set it."""
    return f"[{number}]"


@dataclass(slots=True)
class Citer:
    """Passes an answer through and settles its citations.

    `show(number, attributed)` writes a marker. Without passages the text is a plain chat and stays as it is.
    """

    passages: Sequence[Passage]
    show: Callable[[int, bool], str] = plain_marker
    cited: dict[int, bool] = field(default_factory=dict)
    """Number of each cited passage, and whether all of its citations are attributions of ours."""
    removed: int = 0
    _held: str = ""
    _sentence: str = ""
    _marked: bool = False
    _code: bool = False
    _words: list[tuple[Passage, frozenset[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._words = [(passage, frozenset(_tokens(passage.text))) for passage in self.passages]

    def feed(self, text: str) -> str:
        """The part of the answer that is certain after `text`."""
        if not self.passages:
            return text
        return self._settle(self._held + text, last=False)

    def flush(self) -> str:
        """The rest, at the end of the answer."""
        return self._settle(self._held, last=True)

    def _settle(self, text: str, *, last: bool) -> str:
        out: list[str] = []
        at = 0
        while at < len(text):
            character = text[at]
            if character == "`":
                self._code = not self._code
            if character == "[" and not self._code:
                if marker := _MARKER.match(text, at):
                    out.append(self._markers(marker[1]))
                    at = marker.end()
                    continue
                if not last and _MAYBE_MARKER.match(text, at):
                    break
            if character.isspace() and self._ends_sentence(character):
                # A marker often follows the full stop: wait for what comes after the space.
                rest = text[at:].lstrip()
                if not last and (not rest or _MAYBE_MARKER.match(rest)):
                    break
                if not _MARKER.match(rest):
                    out.append(self._close_sentence())
            self._sentence += character
            out.append(character)
            at += 1
        self._held = text[at:]
        if last:
            out.append(self._close_sentence())
        return "".join(out)

    def _ends_sentence(self, following: str) -> bool:
        if self._code or not self._sentence.strip():
            return False
        return following == "\n" or self._sentence.rstrip("\"'”’)*_").endswith((".", "!", "?"))

    def _markers(self, numbers: str) -> str:
        shown: list[str] = []
        for number in map(int, re.findall(r"\d+", numbers)):
            if 1 <= number <= len(self.passages):
                self.cited[number] = False
                shown.append(self.show(number, False))
            else:
                self.removed += 1
        self._marked = self._marked or bool(shown)
        return "".join(shown)

    def _close_sentence(self) -> str:
        """The marker for the sentence that ends here, if one is due; short pieces wait for the next."""
        if self._marked or self._code:
            self._sentence, self._marked = "", False
            return ""
        if len(set(_tokens(_LIST_NUMBER.sub("", self._sentence)))) < MIN_WORDS:
            return ""
        number = self._supporting(self._sentence)
        self._sentence = ""
        if number is None:
            return ""
        self.cited.setdefault(number, True)
        return " " + self.show(number, True)

    def _supporting(self, sentence: str) -> int | None:
        claimed = frozenset(_tokens(_LIST_NUMBER.sub("", sentence)))
        numbers = {token for token in claimed if token[0].isdigit()}
        enough = MIN_SHARE_WITH_FIGURES if any(len(token) > 1 for token in numbers) else MIN_SHARE
        best: tuple[float, int] | None = None
        for passage, words in self._words:
            share = len(claimed & words) / len(claimed)
            if numbers <= words and share >= enough and (best is None or share > best[0]):
                best = share, passage.number
        return best[1] if best else None


def _tokens(text: str) -> list[str]:
    """Words of meaning without their plural s, and numbers as they are written."""
    found = (token.lower().rstrip(".,") for token in _TOKEN.findall(text))
    return [token.removesuffix("s") if len(token) > 3 else token for token in found if token not in STOP_WORDS]
