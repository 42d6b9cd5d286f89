"""Which sentences or rows of a text hold what a claim says, by its words of meaning and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from rag.search.bm25 import STOP_WORDS

# Such languages put no space between words; their text is told apart by pairs of characters.
_EAST_ASIAN = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_TOKEN = re.compile(rf"\d[\d,.]*\d|{_EAST_ASIAN}+|(?:(?!{_EAST_ASIAN})\w)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SENTENCE_END = re.compile(r"[.!?]['\"”’)\]*_]*(?=\s)|[。！？]|\n")
_ABBREVIATION = re.compile(r"(?:^|[\s(.])(?:[A-Za-z]|Inc|Corp|Ltd|Co|Mr|Mrs|Ms|Dr|St|No|vs|approx|Fig)\.$")
_ROW = re.compile(r"^\s*(?:[-*+|#>•]|\d+[.)]\s)")
# A line at least this long that ends in a word or a comma was probably broken by the margin.
_BROKEN_LINE = 45
# A number tells more than a word does; each piece that is added, and its length, must be worth it.
_NUMBER_WEIGHT, _PER_PIECE, _PER_CHARACTER, _MOST_PIECES = 3.0, 0.75, 0.5 / 80, 4


def tokens(text: str) -> list[str]:
    """Words of meaning without their plural s, and numbers without the commas between thousands."""
    found: list[str] = []
    for token in _TOKEN.findall(text.lower()):
        token = token.rstrip(".,")
        if token in STOP_WORDS or (len(token) == 1 and token.isascii() and token.isalpha()):
            continue
        if _THOUSANDS.fullmatch(token):
            found.append(token.replace(",", ""))
        elif len(token) > 1 and re.match(_EAST_ASIAN, token):
            found += [token[at : at + 2] for at in range(len(token) - 1)]
        else:
            found.append(token.removesuffix("s") if len(token) > 3 else token)
    return found


def ends_sentence(text: str) -> bool:
    """Whether `text` stops where a sentence does, which “the U.S.” does not."""
    bare = text.rstrip("\"'”’)*_")
    return bare.endswith((".", "!", "?", "。", "！", "？")) and not _ABBREVIATION.search(bare)


def support(claim: str, text: str) -> tuple[int, int]:
    """The span of `text` (offsets of characters) whose sentences or rows hold most of the claim.

    It is the whole text, without white space around it, where nothing of the claim stands in it.
    """
    return Searched(text).support(claim)


class Searched:
    """A text that many claims are looked up in; it is taken apart at the first one."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _pieces(self) -> list[tuple[int, int, frozenset[str]]]:
        """The sentences and rows: start, end, and what they hold."""
        return [(start, end, frozenset(tokens(self._text[start:end]))) for start, end in sentences(self._text)]

    @cached_property
    def _tokens(self) -> frozenset[str]:
        return frozenset(tokens(self._text))

    def share(self, claim: str) -> tuple[float, bool]:
        """The share of the claim's words and numbers that stand in the text, and whether all its numbers do."""
        claimed = frozenset(tokens(claim))
        if not claimed:
            return 0.0, True
        numbers = {token for token in claimed if token[0].isdigit()}
        return len(claimed & self._tokens) / len(claimed), numbers <= self._tokens

    def support(self, claim: str) -> tuple[int, int]:
        """What the function of this name tells."""
        claimed = frozenset(tokens(claim))
        low = len(self._text) - len(self._text.lstrip())
        best, found = float("-inf"), (low, max(low, len(self._text.rstrip())))
        pieces = self._pieces
        for first in range(len(pieces)):
            held: frozenset[str] = frozenset()
            for last in range(first, min(first + _MOST_PIECES, len(pieces))):
                held |= pieces[last][2] & claimed
                start, end = pieces[first][0], pieces[last][1]
                cost = (last - first) * _PER_PIECE + (end - start) * _PER_CHARACTER
                score = sum(_weight(token) for token in held) - cost
                if held and score > best:
                    best, found = score, (start, end)
        return found


def _weight(token: str) -> float:
    return _NUMBER_WEIGHT if token[0].isdigit() else 1.0


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the sentences and rows of a text, without the white space between them."""
    start = 0
    for end in _ends(text):
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        start = end


def _ends(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        if match[0] == "\n":
            if not _wrapped(text, match.start()):
                yield match.end()
        elif ends_sentence(text[max(0, match.start() - 12) : match.end()]):
            yield match.end()
    yield len(text)


def _wrapped(text: str, at: int) -> bool:
    """Whether the line end at `at` is one of a paragraph's: a table's row or a heading ends for good."""
    line = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    following = text[at + 1 : at + 200].split("\n", 1)[0].strip()
    if len(line) < _BROKEN_LINE or not following or _ROW.match(line) or _ROW.match(following):
        return False
    if ": " in line and line.split(": ")[0] == following.split(": ")[0]:  # rows of a CSV file name their columns
        return False
    return line[-1].isalpha() or line[-1] in ",-–(" or following[0].islower()
