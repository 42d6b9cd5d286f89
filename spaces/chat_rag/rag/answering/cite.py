"""Markers that hold: each `[n]` in an answer names a passage that was sent, or it is not there.

The text streams through as it comes. A marker of the model stays when its number exists; a sentence that
the model left without one is attributed to the passage that holds its words and all of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.markers import Written, address_end, may_be_address, may_begin, written_at
from rag.answering.support import Searched, ends_sentence, tokens
from rag.documents import Passage

_LINE_BEGIN = re.compile(r"\W*(?:\d+[.)]\s*)?")
_FULL_STOPS = ("。", "！", "？")  # no space follows these
_LIST_NUMBER = re.compile(r"^\s*\d+[.)]\s")
_COPIED_CHARACTERS, _COPIED_WORDS = 24, 2
# Two characters that no answer holds, so that no text of the model can look like a marker of ours.
OPEN, CLOSE = "\ue000", "\ue001"
_PRIVATE = {ord(OPEN): None, ord(CLOSE): None}
# A sentence needs this many words of meaning before it claims something that can be attributed …
MIN_WORDS = 3
# … and this share of them must stand in the passage, besides every number. A sentence with figures is known
# by them, so fewer of its words are asked for.
MIN_SHARE, MIN_SHARE_WITH_FIGURES = 0.6, 0.4
# Where fewer words stand there but at least this share, the meaning may decide, by this cosine. The app does not
# give `alike`: benchmarks/citations.py shows at which cosine it would hold.
MIN_SHARE_TO_COMPARE, MIN_ALIKE = 0.2, 0.8


def plain_marker(number: int, attributed: bool) -> str:
    """The marker for plain text: `[n]`, whoever set it."""
    return f"[{number}]"


@dataclass(frozen=True, slots=True)
class Claim:
    """One marker of an answer: the passage it names, and the span of that passage's text that supports it.

    `start` and `end` are character offsets into `Passage.text`; `attributed` if we set it and not the model.
    """

    number: int
    attributed: bool
    start: int
    end: int


@dataclass(slots=True)
class Citer:
    """Passes an answer through and settles its citations.

    `show(number, attributed)` writes a marker. Without passages the text is a plain chat and stays as it is.
    `alike(a, b)` is the cosine of two texts, for sentences whose words do not decide; it makes `feed` slow where a
    sentence ends, so whoever gives it calls `feed` in a thread.
    """

    passages: Sequence[Passage]
    show: Callable[[int, bool], str] = plain_marker
    min_share: float = MIN_SHARE
    min_share_with_figures: float = MIN_SHARE_WITH_FIGURES
    alike: Callable[[str, str], float] | None = None
    min_alike: float = MIN_ALIKE
    claims: list[Claim] = field(default_factory=list)
    """One for each marker that was shown, in the order of the text."""
    removed: int = 0
    _texts: dict[int, Searched] = field(default_factory=dict)
    _held: str = ""
    _sentence: str = ""
    _raw: str = ""  # the sentence with the markers that were taken out
    _open_claims: int = 0  # how many of the last claims belong to the sentence that is still open
    _after_marker: bool = False
    _begins_line: bool = False  # the last marker stands first on its line
    _code: str = ""  # the backticks that will end the code, if the text is in code

    def __post_init__(self) -> None:
        self._texts = {passage.number: Searched(passage.text) for passage in self.passages}

    @property
    def cited(self) -> dict[int, bool]:
        """Number of each cited passage, and whether all of its citations are attributions of ours."""
        numbers: dict[int, bool] = {}
        for claim in self.claims:
            numbers[claim.number] = numbers.get(claim.number, True) and claim.attributed
        return numbers

    def spans(self, number: int) -> tuple[tuple[int, int], ...]:
        """For each marker of a passage, in the order of the answer, the part of its text that supports the claim."""
        return tuple((claim.start, claim.end) for claim in self.claims if claim.number == number)

    def feed(self, text: str) -> str:
        """The part of the answer that is certain after `text`."""
        text = text.translate(_PRIVATE)
        return "".join(self._settle(self._held + text, last=False)) if self.passages else text

    def flush(self) -> str:
        """The rest, at the end of the answer."""
        return "".join(self._settle(self._held, last=True))

    def _settle(self, text: str, *, last: bool) -> Iterator[str]:
        at = 0
        while at < len(text):
            step = self._step(text, at, last)
            if step is None:
                break
            shown, at = step
            yield shown
        self._held = text[at:]
        if last:
            yield self._close_sentence()

    def _step(self, text: str, at: int, last: bool) -> tuple[str, int] | None:
        """What is shown of the text at `at` and where to go on, or None where more text must come first."""
        character = text[at]
        if character == "`":
            return self._backticks(text, at, last)
        if self._code:
            if self._code != "```" and character == "\n":  # a lone backtick in a sentence is no code
                self._code = ""
            return self._take(character), at + 1
        if self._after_marker and self._makes_link(text, at):
            return self._no_link(text, at, last)
        if character in "[［【":
            if written := written_at(text, at):
                return self._markers(written), written.end
            if not last and may_begin(text, at):
                return None
        closing = ""
        if (character.isspace() or self._sentence.endswith(_FULL_STOPS)) and self._ends_sentence(character):
            # A marker often follows the full stop: wait for what comes after the space.
            rest = text[at:].lstrip()
            marked = written_at(rest, 0)
            if not last and not marked and (not rest or may_begin(rest, 0)):
                return None
            if not marked:
                closing = self._close_sentence()
        return closing + self._take(character), at + 1

    def _take(self, shown: str) -> str:
        self._sentence += shown
        self._raw += shown
        self._after_marker = False
        return shown

    def _backticks(self, text: str, at: int, last: bool) -> tuple[str, int] | None:
        run = re.match("`+", text[at:])[0]  # type: ignore[index]  # there is at least one
        if not last and at + len(run) == len(text):
            return None
        fence = "`" * min(len(run), 3)
        if not self._code:
            self._code = fence
        elif self._code == fence:
            self._code = ""
        return self._take(run), at + len(run)

    def _makes_link(self, text: str, at: int) -> bool:
        """Whether Markdown would make a link, or its definition, of the marker before and what begins at `at`."""
        character = text[at]
        return (
            character == "("
            or (character == ":" and self._begins_line)
            or (character == "[" and not written_at(text, at))
        )

    def _no_link(self, text: str, at: int, last: bool) -> tuple[str, int] | None:
        """An address is dropped, all else stands apart from the marker."""
        end = address_end(text, at)
        if end is not None:
            return "", end
        if not last and (may_be_address(text, at) or may_begin(text, at)):
            return None
        return " " + self._take(text[at]), at + 1

    def _ends_sentence(self, following: str) -> bool:
        if not self._sentence.strip():
            return False
        return following == "\n" or ends_sentence(self._sentence.rstrip())

    def _markers(self, written: Written) -> str:
        """The shown markers for one of the model's."""
        shown: list[str] = []
        absent = 0
        elsewhere = self._copied_from(written.text)
        for number in written.numbers:
            if 1 <= number <= len(self.passages) and (not elsewhere or number in elsewhere):
                self.claims.append(Claim(number, False, 0, 0))
                self._open_claims += 1
                shown.append(self.show(number, False))
            else:
                absent += 1
        self.removed += min(absent, 1) if written.spread else absent
        self._begins_line = bool(_LINE_BEGIN.fullmatch(self._raw.rpartition("\n")[2]))
        self._raw += written.text
        self._after_marker = bool(shown)
        return "".join(shown)

    def _copied_from(self, marker: str) -> set[int]:
        """The passages that hold the marker with the words before it: then it is the document's, not the model's."""
        before = _spaced(self._raw[-4 * _COPIED_CHARACTERS :])[-_COPIED_CHARACTERS:]
        if len(before.split()) < _COPIED_WORDS:
            return set()
        copied = f"{before}{marker}".replace(" ", "")
        return {passage.number for passage in self.passages if copied in _spaced(passage.text).replace(" ", "")}

    def _support_claims(self) -> None:
        """The spans for the claims of the sentence that ends."""
        first = len(self.claims) - self._open_claims
        numbers = {claim.number for claim in self.claims[first:]}
        spans = {number: self._texts[number].support(self._sentence) for number in numbers}
        for index, claim in enumerate(self.claims[first:], start=first):
            start, end = spans[claim.number]
            self.claims[index] = replace(claim, start=start, end=end)

    def _close_sentence(self) -> str:
        """The marker for the sentence that ends here, if one is due; short pieces wait for the next."""
        if self._open_claims:
            self._support_claims()
            self._sentence, self._raw, self._open_claims = "", "", 0
            return ""
        if self._code or len(set(tokens(_LIST_NUMBER.sub("", self._sentence)))) < MIN_WORDS:
            return ""
        claim = self._attributed(_LIST_NUMBER.sub("", self._sentence))
        self._sentence = self._raw = ""
        if claim is None:
            return ""
        self.claims.append(claim)
        return " " + self.show(claim.number, True)

    def _attributed(self, sentence: str) -> Claim | None:
        """The passage that holds the sentence's words and all of its numbers, or None."""
        figures = any(token[0].isdigit() and len(token) > 1 for token in tokens(sentence))
        enough = self.min_share_with_figures if figures else self.min_share
        shares = [(*self._texts[passage.number].share(sentence), passage) for passage in self.passages]
        candidates = [(held, passage) for held, all_numbers, passage in shares if all_numbers]
        held, best = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or held < enough:
            best = self._alike(sentence, [passage for held, passage in candidates if held >= MIN_SHARE_TO_COMPARE])
        return Claim(best.number, True, *self._texts[best.number].support(sentence)) if best else None

    def _alike(self, sentence: str, passages: Sequence[Passage]) -> Passage | None:
        """The passage whose supporting span means most nearly the same, if it is near enough."""
        if self.alike is None or not passages:
            return None
        spans = [slice(*self._texts[passage.number].support(sentence)) for passage in passages]
        scores = [self.alike(sentence, passage.text[span]) for passage, span in zip(passages, spans, strict=True)]
        best = max(range(len(scores)), key=scores.__getitem__)
        return passages[best] if scores[best] >= self.min_alike else None


def _spaced(text: str) -> str:
    return " ".join(text.split())
