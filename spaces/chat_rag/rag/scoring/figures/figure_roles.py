"""The role of each figure in an answer: the answer itself, a comparison, or a step of a calculation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.verification.sentences.clauses import figure_clauses, role_words
from rag.answering.verification.sentences.figures import Period, find_periods
from rag.scoring.figures.amounts import Amount, amount, scale_note, spaced
from rag.scoring.figures.signs import FALL, RISE

# Before a figure, since the last one: it's there to compare with.
_REFERENCE = re.compile(
    r"\b(?:compar\w+|versus|vs|against|than|year[ -]ago|gegenüber|verglichen|vergleich|rapport|frente)\b|相比|相较",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:from|von|de|desde)\W{1,3}(?:about|approximately|around|roughly)?\W{0,3}$", re.IGNORECASE)
_CHANGE = re.compile(rf"(?<!\w)(?:{FALL}|{RISE}|chang\w*)(?!\w)", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\W*(?:or|oder|ou|o|或|或者)\W*", re.IGNORECASE)
_NEGATION = re.compile(
    r"(?:\b(?:not|never|nor|instead of|rather than|nicht|kein\w*|pas|sino|no)|n['’]t|不是)"
    r"(?:\W+(?:a|an|the|of|at|by)\b)?\W{0,4}$",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"^\s?(?:[+×*/÷−–-]|plus|minus|times|less|divided by)\s")
_RESULT = re.compile(r"[=≈]|\b(?:equals|gives|yields|results? in)\b")
_HEDGE = frozenset(
    role_words("may might could can possibly perhaps maybe probably either alternatively else answer value be")
)
_CLAUSE_END = re.compile(r"[;，；(]|,(?!\s?(?:19|20)\d\d)")
_GROUP, _GROUP_ANYWHERE = re.compile(r"\s*\([^()]*\)"), re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A figure of an answer: its amount, the words and periods that it is tied to, and the text around it.

    `is_reference` says that it is there to compare with, or to calculate with; `is_denied`, that it is not the answer.
    `is_alternative` says that "or" stands between the figure before and it.
    `words` is None if nothing says what it is: it then answers the question.
    """

    amount: Amount
    words: frozenset[str] | None
    periods: tuple[Period, ...]
    before: str
    after: str
    is_reference: bool
    is_denied: bool
    is_alternative: bool


def find_mentions(statements: Sequence[str], *, is_foreign: bool) -> list[Mention]:
    """Return the figures of an answer, in their order."""
    note = scale_note(" ".join(statements))
    mentions: list[Mention] = []
    subject: frozenset[str] | None = None
    for statement in statements:
        new_mentions = _mentions(spaced(statement), note, subject, is_foreign=is_foreign)
        mentions += new_mentions
        subject = next((mention.words for mention in new_mentions if mention.words), subject)
    return mentions


def _mentions(text: str, note: float | None, subject: frozenset[str] | None, *, is_foreign: bool) -> list[Mention]:
    clauses = figure_clauses(text)
    ends = [0, *(clause.figure.end for clause in clauses)]
    starts = [*(clause.figure.start for clause in clauses), len(text)]
    result = max((match.end() for match in _RESULT.finditer(text)), default=0)
    mentions: list[Mention] = []
    for at, clause in enumerate(clauses):
        figure, is_last = clause.figure, at + 1 == len(clauses)
        before, after = text[ends[at] : figure.start], text[figure.end : starts[at + 1]]
        own_end = len(text) if is_last else figure.end + _own_length(after)
        value = amount(text, figure, note, is_foreign=is_foreign)
        earlier = role_words(mentions[-1].amount.noun) if mentions else frozenset[str]()
        mentions.append(
            Mention(
                value,
                ((clause.words - _HEDGE - earlier) | role_words(value.noun)) or subject,
                tuple(period for period in clause.periods if period.start < own_end),
                before,
                after if is_last else after[: _own_length(after)],
                _is_reference(text, before) or _is_operand(before, after, at) or 0 < figure.end <= result,
                bool(_NEGATION.search(before)),
                bool(mentions) and bool(_ALTERNATIVE.fullmatch(before)),
            )
        )
    return mentions


def _own_length(after: str) -> int:
    """Return how much of the text between two figures is still about the first one."""
    if group := _GROUP.match(after):
        return group.end()
    end = _CLAUSE_END.search(after)
    return end.start() if end else len(after)


def _is_reference(text: str, before: str) -> bool:
    return bool(_REFERENCE.search(before)) or (bool(_FROM.search(before)) and bool(_CHANGE.search(text)))


def _is_operand(before: str, after: str, at: int) -> bool:
    """Return whether a figure is one that another one is calculated from."""
    before, after = (_GROUP_ANYWHERE.sub("", part) for part in (before, after))
    return bool(_OPERATOR.match(after)) or (at > 0 and bool(_OPERATOR.match(before)))


@dataclass(frozen=True, slots=True)
class WantedFigure:
    """What a question asks for, as far as its words and times say."""

    words: frozenset[str]
    periods: tuple[Period, ...]

    @classmethod
    def of(cls, question: str) -> WantedFigure:
        """Read a question."""
        return cls(role_words(question) - _HEDGE, tuple(find_periods(question)))

    def coverage(self, mention: Mention) -> float:
        """Return the share of the question's words that a figure is tied to."""
        if mention.words is None or not self.words:
            return 1.0
        return len(self.words & mention.words) / len(self.words)

    def time(self, mention: Mention) -> int:
        """Return 1 if a figure is of the time of the question, -1 if it's of another one, and 0 if nothing tells."""
        agreements = [
            any(own.value == each.value for own in mention.periods if own.kind == each.kind)
            for each in self.periods
            if any(own.kind == each.kind for own in mention.periods)
        ]
        base = any(period.kind == "base" for period in mention.periods) and not self._asks_base
        if base or not all(agreements):
            return -1
        return int(bool(agreements))

    @property
    def _asks_base(self) -> bool:
        return any(period.kind == "base" for period in self.periods)


def stands_beside(other: Mention, right: Mention, wanted_figure: WantedFigure) -> bool:
    """Return whether another figure answers the question as much as the right one: a reader can't tell which it is."""
    if other.is_denied or (other.is_reference and not right.is_reference):
        return False
    other_time, right_time = wanted_figure.time(other), wanted_figure.time(right)
    if other_time != right_time:
        return other_time > right_time
    other_words, right_words = wanted_figure.coverage(other), wanted_figure.coverage(right)
    if other_words != right_words:
        return other_words > right_words
    return other.words is None or right.words is None or other.words <= right.words
