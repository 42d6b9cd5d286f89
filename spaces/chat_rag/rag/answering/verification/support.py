"""Finds the sentences or rows of a text that support a claim, by content words and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from rag.answering.verification.sentences.lines import MIN_WRAPPED, is_item
from rag.documents import Passage
from rag.search.languages import STOP_WORDS

# These scripts have no spaces between words, so pairs of characters stand in for words.
_EAST_ASIAN = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_EAST_ASIAN_CHARACTER = re.compile(_EAST_ASIAN)
_TOKEN = re.compile(rf"\d[\d,.]*\d|{_EAST_ASIAN}+|(?:(?!{_EAST_ASIAN})\w)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SENTENCE_END = re.compile(r"[.!?]['\"”’)\]*_]*(?=\s)|[。！？]|\n")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(.])(?:[A-Za-z]|Inc|Corp|Ltd|Co|Mr|Mrs|Ms|Dr|St|No|vs|approx|Fig|ca|cf|bzw|resp|incl|inkl|zzgl|evtl|Nr|Mio|Mrd"
    r"|Prof|Gov|Sen|Rep|Jr|Sra|Dra|Mme|Abb)\.$"
)
_ROW = re.compile(r"\s*(?:[|#>]|(?:[-*+•]|\d+[.)])\s)")
# A document wrote a bracketed number itself if it also has so many characters, and words, before it.
_COPIED_CHARACTERS, _COPIED_WORDS = 24, 2
# A number says more than a word. Each additional piece, and each character, must be worth its cost.
_NUMBER_WEIGHT, _PIECE_COST, _CHARACTER_COST, _MAX_PIECES = 3.0, 0.75, 0.5 / 80, 4


class SourceText:
    """A text that many claims are looked up in; it is split into sentences and rows at the first lookup."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _pieces(self) -> list[tuple[int, int, frozenset[str]]]:
        """The sentences and rows: start, end and tokens."""
        return [
            (start, end, frozenset(content_tokens(self._text[start:end]))) for start, end in sentence_spans(self._text)
        ]

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The content words and numbers of the text."""
        return frozenset(content_tokens(self._text))

    def best_span(self, claim: str) -> tuple[int, int]:
        """Return the span of the text, in characters, of the sentences or rows with most of the claim.

        If the text has none of the claim's tokens, this is the whole text without the white space around it.
        """
        claim_tokens = frozenset(content_tokens(claim))
        first_character = len(self._text) - len(self._text.lstrip())
        best_score, best = float("-inf"), (first_character, max(first_character, len(self._text.rstrip())))
        pieces = self._pieces
        for first in range(len(pieces)):
            matches: frozenset[str] = frozenset()
            for last in range(first, min(first + _MAX_PIECES, len(pieces))):
                matches |= pieces[last][2] & claim_tokens
                start, end = pieces[first][0], pieces[last][1]
                cost = (last - first) * _PIECE_COST + (end - start) * _CHARACTER_COST
                score = sum(_weight(token) for token in matches) - cost
                if matches and score > best_score:
                    best_score, best = score, (start, end)
        return best


class Sources:
    """The passages of an answer, by their numbers, that its claims are looked up in."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._texts = {passage.number: SourceText(passage.text) for passage in passages}
        self._unspaced = {passage.number: "".join(passage.text.split()) for passage in passages}

    def quoting(self, before: str, marker: str) -> set[int]:
        """Return the passages that contain the marker with the words before it: there the document wrote it."""
        before = _single_spaced(before[-4 * _COPIED_CHARACTERS :])[-_COPIED_CHARACTERS:]
        if len(before.split()) < _COPIED_WORDS:
            return set()
        quotation = f"{before}{marker}".replace(" ", "")
        return {number for number, text in self._unspaced.items() if quotation in text}

    def shares(self, claim: str) -> dict[int, float]:
        """Return the share of the claim's words that each passage with all of its numbers has."""
        tokens = frozenset(content_tokens(claim))
        numbers = {token for token in tokens if token[0].isdigit()}
        return {
            number: len(tokens & text.tokens) / max(1, len(tokens))
            for number, text in self._texts.items()
            if numbers <= text.tokens
        }

    def best_span(self, number: int, claim: str) -> tuple[int, int]:
        """Return the span of a passage that supports the claim: see `SourceText.best_span`."""
        return self._texts[number].best_span(claim)


def content_tokens(text: str) -> list[str]:
    """Return the content words without a plural s, and the numbers without commas between thousands."""
    tokens: list[str] = []
    for token in _TOKEN.findall(text.lower()):
        token = token.rstrip(".,")
        if token in STOP_WORDS or (len(token) == 1 and token.isascii() and token.isalpha()):
            continue
        if _THOUSANDS.fullmatch(token):
            tokens.append(token.replace(",", ""))
        elif len(token) > 1 and _EAST_ASIAN_CHARACTER.match(token):
            tokens += [token[at : at + 2] for at in range(len(token) - 1)]
        else:
            tokens.append(token.removesuffix("s") if len(token) > 3 else token)
    return tokens


def ends_sentence(text: str) -> bool:
    """Return whether `text` ends a sentence; "the U.S." doesn't."""
    text = text.rstrip("\"'”’)*_")
    return text.endswith((".", "!", "?", "。", "！", "？")) and not _ABBREVIATION.search(text)


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a text's sentences and rows, without the white space between them."""
    start = 0
    for end in _ends(text):
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        start = end


def _ends(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        if match[0] == "\n":
            if not _is_wrapped(text, match.start()):
                yield match.end()
        elif ends_sentence(text[max(0, match.start() - 12) : match.end()]):
            yield match.end()
    yield len(text)


def _is_wrapped(text: str, at: int) -> bool:
    """Return whether the line break at `at` is inside a paragraph or an item; a table row and a heading end at theirs.

    The text of an item goes on in a line that is indented, or begins with a small letter.
    """
    line = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    next_line = text[at + 1 : at + 200].split("\n", 1)[0]
    following = next_line.strip()
    if len(line) < MIN_WRAPPED or not following or _ROW.match(following):
        return False
    if _ROW.match(line):
        return is_item(line) and (next_line[0] in " \t" or following[0].islower())
    if ": " in line and line.split(": ")[0] == following.split(": ")[0]:  # each row of a CSV file names its columns
        return False
    return line[-1].isalpha() or line[-1] in ",-–(" or following[0].islower()


def _weight(token: str) -> float:
    return _NUMBER_WEIGHT if token[0].isdigit() else 1.0


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
