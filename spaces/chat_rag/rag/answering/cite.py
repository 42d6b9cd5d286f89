"""Verified citations: each marker `[n]` in an answer names a passage that the model received.

The text streams through as it arrives. The model's marker stays if its passage exists. A sentence without a marker
is attributed to the passage that contains its words and all of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.markers import (
    Marker,
    ModelMarker,
    is_link_target_prefix,
    is_marker_prefix,
    link_target_end,
    parse_marker,
)
from rag.answering.support import Sources, content_tokens, ends_sentence, has_figures
from rag.documents import Passage

_LINE_START = re.compile(r"\W*(?:\d+[.)]\s*)?")
_FULL_STOPS = ("。", "！", "？")  # no space follows these
_LIST_NUMBER = re.compile(r"^\s*\d+[.)]\s")
_MAX_RUN = 200  # how many backticks or white-space characters to wait for
_BACKTICKS = re.compile(f"`{{1,{_MAX_RUN}}}")
_SPACE = re.compile(rf"\s{{0,{_MAX_RUN}}}")
# A longer text without an end isn't a claim. Without a limit, each of its words would cost as much as all before it.
_MAX_SENTENCE = 1000
# A sentence with fewer content words makes no claim that can be attributed.
MIN_WORDS = 3
# The share of its words that a passage must contain, besides every number. Figures identify a sentence, so a sentence
# with figures needs a smaller share.
MIN_SHARE, MIN_SHARE_WITH_FIGURES = 0.6, 0.4


@dataclass(frozen=True, slots=True)
class Claim:
    """A marker of an answer and the span of the passage that supports it.

    `start` and `end` are character offsets into `Passage.text`.
    """

    marker: Marker
    start: int = 0
    end: int = 0

    @property
    def number(self) -> int:
        return self.marker.number


@dataclass(slots=True)
class Citer:
    """Passes an answer through and checks its citations.

    Without passages the answer is a plain chat and stays as it is.
    """

    passages: Sequence[Passage]
    min_share: float = MIN_SHARE
    min_share_with_figures: float = MIN_SHARE_WITH_FIGURES
    claims: list[Claim] = field(default_factory=list)
    """One for each marker of the answer, in the order of the text."""
    invalid_markers: int = 0
    """How many of the model's markers named no passage."""
    _sources: Sources = field(init=False)
    _length: int = 0  # characters of the answer so far
    _pending: str = ""  # text that may be the beginning of a marker
    _sentence: str = ""
    _raw: str = ""  # the sentence with the markers of the model
    _open_claims: int = 0  # how many of the last claims belong to the current sentence
    _reported: int = 0  # how many markers `new_markers` has returned
    _after_marker: bool = False
    _marker_starts_line: bool = False
    _code: str = ""  # the backticks that end the code, if the text is in code

    def __post_init__(self) -> None:
        self._sources = Sources(self.passages)

    @property
    def attribution(self) -> dict[int, bool]:
        """The number of each cited passage, and whether all of its citations are attributed."""
        numbers: dict[int, bool] = {}
        for claim in self.claims:
            numbers[claim.number] = numbers.get(claim.number, True) and claim.marker.attributed
        return numbers

    def spans(self, number: int) -> tuple[tuple[int, int], ...]:
        """For each marker of a passage, in the order of the answer, the part of its text that supports the claim."""
        return tuple((claim.start, claim.end) for claim in self.claims if claim.number == number)

    def feed(self, text: str) -> str:
        """Return the part of the answer that is final after `text`."""
        return "".join(self._settle(self._pending + text, last=False)) if self.passages else text

    def flush(self) -> str:
        """Return the rest of the answer."""
        return "".join(self._settle(self._pending, last=True))

    def new_markers(self) -> list[Marker]:
        """Return the markers that were added since the last call."""
        markers = [claim.marker for claim in self.claims[self._reported :]]
        self._reported = len(self.claims)
        return markers

    def _settle(self, text: str, *, last: bool) -> Iterator[str]:
        position = 0
        while position < len(text):
            step = self._step(text, position, last)
            if step is None:
                break
            output, position = step
            self._length += len(output)
            yield output
        self._pending = text[position:]
        if last:
            output = self._close_sentence()
            self._length += len(output)
            yield output

    def _step(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        """Return the output for the text at `position` and where to continue, or None if more text is needed first."""
        character = text[position]
        if character == "`":
            return self._backticks(text, position, last)
        if self._code:
            if self._code != "```" and character == "\n":  # a single backtick in a sentence isn't code
                self._code = ""
            return self._take(character), position + 1
        if self._after_marker and self._makes_link(text, position):
            return self._without_link(text, position, last)
        if character in "[［【":
            if marker := parse_marker(text, position):
                return self._markers(marker), marker.end
            if not last and is_marker_prefix(text, position):
                return None
        closing = ""
        if (character.isspace() or self._sentence.endswith(_FULL_STOPS)) and self._ends_sentence(character):
            # A marker often follows the full stop: wait for what comes after the space.
            following = _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it also matches nothing
            marker = parse_marker(text, following)
            if not last and not marker and (following == len(text) or is_marker_prefix(text, following)):
                return None
            if not marker:
                closing = self._close_sentence()
        return closing + self._take(character), position + 1

    def _take(self, text: str) -> str:
        if len(self._sentence) >= _MAX_SENTENCE:
            self._end_sentence()
        self._sentence += text
        self._raw += text
        self._after_marker = False
        return text

    def _backticks(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        run = _BACKTICKS.match(text, position)[0]  # type: ignore[index]  # the text at `position` is a backtick
        if not last and position + len(run) == len(text):
            return None
        fence = "`" * min(len(run), 3)
        if not self._code:
            self._code = fence
        elif self._code == fence:
            self._code = ""
        return self._take(run), position + len(run)

    def _makes_link(self, text: str, position: int) -> bool:
        """Whether Markdown would turn the last marker and the text at `position` into a link or its definition."""
        character = text[position]
        return (
            character == "("
            or (character == ":" and self._marker_starts_line)
            or (character == "[" and not parse_marker(text, position))
        )

    def _without_link(self, text: str, position: int, last: bool) -> tuple[str, int] | None:
        """Drop a link target; separate any other text from the marker by a space."""
        end = link_target_end(text, position)
        if end is not None:
            return "", end
        if not last and (is_link_target_prefix(text, position) or is_marker_prefix(text, position)):
            return None
        return " " + self._take(text[position]), position + 1

    def _ends_sentence(self, following: str) -> bool:
        if not self._sentence.strip():
            return False
        return following == "\n" or ends_sentence(self._sentence.rstrip())

    def _markers(self, model_marker: ModelMarker) -> str:
        """Return the markers of the answer for one marker of the model."""
        output = ""
        unknown = 0
        quoted_from = self._sources.quoting(self._raw, model_marker.text)
        for number in model_marker.numbers:
            if 1 <= number <= len(self.passages) and (not quoted_from or number in quoted_from):
                marker = Marker(self._length + len(output), number)
                self.claims.append(Claim(marker))
                self._open_claims += 1
                output += marker.text
            else:
                unknown += 1
        self.invalid_markers += min(unknown, 1) if model_marker.is_range else unknown
        self._marker_starts_line = bool(_LINE_START.fullmatch(self._raw.rpartition("\n")[2]))
        self._raw = self._raw[-_MAX_SENTENCE:] + model_marker.text
        self._after_marker = bool(output)
        return output

    def _support_claims(self) -> None:
        """Set the spans for the claims of the sentence that ends."""
        first = len(self.claims) - self._open_claims
        numbers = {claim.number for claim in self.claims[first:]}
        spans = {number: self._sources.best_span(number, self._sentence) for number in numbers}
        for index, claim in enumerate(self.claims[first:], start=first):
            start, end = spans[claim.number]
            self.claims[index] = replace(claim, start=start, end=end)

    def _end_sentence(self) -> None:
        if self._open_claims:
            self._support_claims()
        self._sentence, self._raw, self._open_claims = "", "", 0

    def _close_sentence(self) -> str:
        """Return the marker for the sentence that ends here, if it needs one; a short piece joins the next sentence."""
        if self._open_claims:
            self._end_sentence()
            return ""
        sentence = _LIST_NUMBER.sub("", self._sentence)
        if self._code or len(set(content_tokens(sentence))) < MIN_WORDS:
            return ""
        self._end_sentence()
        number, share = self._sources.best_match(sentence)
        if number is None or share < (self.min_share_with_figures if has_figures(sentence) else self.min_share):
            return ""
        marker = Marker(self._length + 1, number, attributed=True)
        self.claims.append(Claim(marker, *self._sources.best_span(number, sentence)))
        return f" {marker.text}"
