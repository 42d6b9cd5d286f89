"""Decides whether the passages say what a sentence says, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TypeVar

from rag.answering.verification.clauses import Clause, figure_clauses, find_direction
from rag.answering.verification.figure_match import is_same_figure
from rag.answering.verification.figures import Period, find_periods
from rag.answering.verification.names import Name, find_names, find_phrases, normalize
from rag.answering.verification.statements import MONTHS_OF_QUARTER, Statement, Statements
from rag.answering.verification.support import Sources, content_tokens, sentence_spans
from rag.answering.verification.surroundings import Surroundings
from rag.documents import Document, Passage

K = TypeVar("K")
# For each group of statements, the words of a clause that tell them apart, and how well another figure's have them.
Rivals = dict[tuple[str, int], tuple[frozenset[str], float]]
# "The passages don't mention it" needs no passage.
_SAYS_NOTHING = re.compile(
    r"(?:\bnot?\b|n't|cannot|\bunable\b).{0,60}?\b(?:mention|contain|provid|specif|stat|includ|inform|answer|found|find|say|sa[iy]d"
    r"|give|address|discuss|determin|refer)|\b(?:keine?|nicht|ningun|aucun)\b",
    re.IGNORECASE,
)
# A sentence with fewer content words, without a figure or a name, makes no claim.
MIN_WORDS = 4
# A sentence with more figures isn't supported. Each is compared with all of the passages, 3 ms for a large table.
MAX_FIGURES = 40
# Passages with more figures are compared in a thread: a sentence would take up to 0.2 s.
MANY_STATEMENTS = 100
# The share of a figure's words, by weight, that its row, column or clause and their surroundings must have; and by how
# much another row may have more of them.
MIN_ROLE, RIVAL_MARGIN, MIN_RIVAL = 0.5, 0.3, 0.5
UNKNOWN_WEIGHT = 0.4
CLEAR_RIVAL, CLEAR_MARGIN = 0.95, 0.1
# The share of the words that a passage must have to be cited for a sentence without figures, and to be its source.
MIN_CITED, MIN_SUPPORTED = 0.6, 0.35


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part of a passage that supports a sentence, in characters of the passage's text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the passages say what a sentence says, and the evidence, at most one part of each passage."""

    supported: bool
    evidence: tuple[Evidence, ...] = ()


class Verifier:
    """Checks sentences against some passages."""

    def __init__(self, passages: Sequence[Passage], documents: Mapping[str, Document]) -> None:
        self._passages = passages
        self._statements = Statements(passages, documents)
        self._surroundings = Surroundings(self._statements)

    def prepare(self) -> None:
        """Read the passages, which takes longer than a check: the thread that serves the pages must not do it."""
        self._statements.read()
        self._weights  # noqa: B018  # the first access counts their words

    @property
    def is_slow(self) -> bool:
        """Whether a check can take long enough to keep others waiting."""
        return len(self._statements.all) > MANY_STATEMENTS

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self._passages)

    @cached_property
    def _weights(self) -> dict[str, float]:
        """How much a word says about a figure: less if many rows and sentences have it."""
        groups = {(each.group, each.start): each.clause.words for each in self._statements.all}
        counts = Counter(word for words in groups.values() for word in words)
        return {word: log(1 + len(groups) / count) for word, count in counts.items()}

    @cached_property
    def _groups(self) -> dict[tuple[str, int], list[Statement]]:
        """The statements that are alternatives of each other."""
        return _grouped(self._statements.all, lambda statement: statement.group)

    @cached_property
    def _places(self) -> dict[tuple[tuple[str, int], int], list[Statement]]:
        """The statements of each sentence and row."""
        return _grouped(self._statements.all, lambda statement: (statement.group, statement.start))

    @cached_property
    def _unknown_weight(self) -> float:
        """The weight of a word that the passages don't have; it may be a verb of the answer."""
        return UNKNOWN_WEIGHT * max(self._weights.values(), default=1.0)

    def check(self, sentence: str, preferred: Sequence[int] = ()) -> Verdict | None:
        """Return the verdict on a sentence, or None if it claims nothing; passages in `preferred` are cited first."""
        clauses = figure_clauses(sentence)
        if sentence.rstrip("*_ ").endswith("?") or (not clauses and _SAYS_NOTHING.search(sentence)):
            return None
        if not self._claims_something(sentence, clauses):
            return None
        if len(clauses) > MAX_FIGURES or not self._has_phrases(sentence):
            return Verdict(supported=False)
        if not clauses:
            return self._check_words(sentence, preferred)
        names = find_names(sentence)
        chosen: list[Statement] = []
        for clause in clauses:
            used = {statement.passage.number for statement in chosen} or set(preferred)
            statement = self._best_statement(clause, names, used)
            if statement is None:
                return Verdict(supported=False)
            chosen.append(statement)
        return Verdict(supported=True, evidence=_merge(chosen))

    def _claims_something(self, sentence: str, clauses: Sequence[Clause]) -> bool:
        if clauses:  # a lone digit is no claim
            return any(clause.words or len(clause.figure.text) > 1 for clause in clauses)
        named = any(not name.begins for name in find_names(sentence))
        return named or len(set(content_tokens(sentence))) >= MIN_WORDS

    def _best_statement(self, clause: Clause, names: Sequence[Name], used: set[int]) -> Statement | None:
        """Return the statement with this figure in this role, or None."""
        rivals: Rivals = {}
        best: tuple[float, bool, int] | None = None
        result: Statement | None = None
        for at, statement in enumerate(self._statements.all):
            if not is_same_figure(clause, statement) or not self._same_periods(clause, statement):
                continue
            if not self._surroundings.have_names(names, statement.passage):
                continue
            role = self._role(clause, statement, names, rivals)
            if role is None:
                continue
            rank = (round(role, 2), statement.passage.number in used, -at)
            if best is None or rank > best:
                best, result = rank, statement
        return result

    def _role(self, clause: Clause, statement: Statement, names: Sequence[Name], rivals: Rivals) -> float | None:
        """Return how well the words of both agree, from 0 to 1, or None if the figure has another role there."""
        around = statement.clause.words | statement.context
        # The name of a company stands in the title, seldom beside a figure: it was checked before.
        words = clause.words - (self._surroundings.role_words(" ".join(name.word for name in names)) - around)
        if not words:
            return 1.0
        share = self._share(words, around)
        if share < MIN_ROLE:
            return None
        own, rival = self._against_others(clause, statement, rivals)
        margin = CLEAR_MARGIN if rival >= CLEAR_RIVAL else RIVAL_MARGIN
        return None if rival >= MIN_RIVAL and rival - own > margin else (share + own) / 2

    def _against_others(self, clause: Clause, statement: Statement, rivals: Rivals) -> tuple[float, float]:
        """Return how well the figure's own row or clause agrees, and the best one of another figure beside it.

        Only the words that some of them have can tell them apart. `rivals` has what is the same for a whole group.
        """
        if statement.group not in rivals:
            group = self._groups[statement.group]
            words = clause.words & frozenset().union(*(each.clause.words for each in group))
            others = {each.clause.words for each in group if not is_same_figure(clause, each)} if words else ()
            rivals[statement.group] = words, max((self._share(words, other) for other in others), default=0.0)
        words, rival = rivals[statement.group]
        return (self._share(words, statement.clause.words), rival) if words else (1.0, 0.0)

    def _share(self, words: frozenset[str], others: frozenset[str]) -> float:
        unknown = self._unknown_weight
        total = sum(self._weights.get(word, unknown) for word in words)
        return sum(self._weights.get(word, unknown) for word in words & others) / total

    def _same_periods(self, clause: Clause, statement: Statement) -> bool:
        return all(self._same_period(period, clause, statement) for period in clause.periods)

    def _same_period(self, period: Period, clause: Clause, statement: Statement) -> bool:
        """Return whether a figure's time is that of the statement, or its passage has it and nothing contradicts."""
        if period.kind in ("year", "quarter") and _fiscal_quarter(clause) in statement.fiscal_quarters:
            return True
        own = {each.value for each in statement.clause.periods if each.kind == period.kind}
        if own:
            return period.value in own
        if period.kind == "quarter" and statement.months > MONTHS_OF_QUARTER:
            return False
        if period.kind in ("months", "quarter", "base"):
            return True  # a document says once which quarter it is about, in its own way
        if period.kind == "year" and self._has_rival_of_year(period.value, statement):
            return False
        time = period.kind, period.value
        return time in self._surroundings.nearby_periods(statement.passage) or time in self._surroundings.periods_above(
            statement.passage
        )

    def _has_rival_of_year(self, year: int, statement: Statement) -> bool:
        """Return whether another figure of the same sentence is the one of this year."""
        return any(
            each.kind == "year" and each.value == year
            for other in self._places[statement.group, statement.start]
            if other is not statement
            for each in other.clause.periods
        )

    def _has_phrases(self, sentence: str) -> bool:
        phrases = find_phrases(sentence)
        texts = [normalize(passage.text) for passage in self._passages] if phrases else []
        return all(any(phrase in text for text in texts) for phrase in phrases)

    def _check_words(self, sentence: str, preferred: Sequence[int]) -> Verdict:
        """Check a sentence without figures by its names, its times and its words."""
        shares = self._sources.shares(sentence)
        best = max(shares, key=lambda number: (shares[number], number in preferred, -number), default=0)
        passage = next((passage for passage in self._passages if passage.number == best), None)
        if (
            passage is None
            or shares[best] < MIN_SUPPORTED
            or not self._surroundings.have_names(find_names(sentence), passage)
        ):
            return Verdict(supported=False)
        start, end = self._sources.best_span(best, sentence)
        source = passage.text[start:end]
        if not self._has_periods(sentence, passage, source) or _is_opposite(sentence, source):
            return Verdict(supported=False)
        # A passage that the model names needs fewer of the words than one that is added.
        cited = [number for number in preferred if shares.get(number, 0) >= MIN_SUPPORTED]
        cited = cited or [best] * (shares[best] >= MIN_CITED)
        return Verdict(True, tuple(Evidence(number, *self._sources.best_span(number, sentence)) for number in cited))

    def _has_periods(self, sentence: str, passage: Passage, source: str) -> bool:
        """Return whether the times of a sentence are those of its source, or around it if the source has none."""
        around = f"{passage.text} {passage.heading} {self._statements.title(passage.document_id)}"
        own, nearby = ({(each.kind, each.value) for each in find_periods(text)} for text in (source, around))
        kinds = {kind for kind, _ in own}
        times = {(each.kind, each.value) for each in find_periods(sentence) if each.kind in ("year", "day")}
        return all(time in own if time[0] in kinds else time in nearby for time in times)


def _fiscal_quarter(clause: Clause) -> tuple[int, int]:
    """Return the year and the quarter of a figure; 0 and 0 if it doesn't have one of each."""
    years, quarters = (
        {period.value for period in clause.periods if period.kind == kind} for kind in ("year", "quarter")
    )
    return (years.pop(), quarters.pop()) if len(years) == len(quarters) == 1 else (0, 0)


def _grouped(statements: Iterable[Statement], key: Callable[[Statement], K]) -> dict[K, list[Statement]]:
    groups: dict[K, list[Statement]] = {}
    for statement in statements:
        groups.setdefault(key(statement), []).append(statement)
    return groups


def _is_opposite(sentence: str, source: str) -> bool:
    """Return whether a sentence says "increased" where its source says "decreased", or the other way round."""
    directions = {find_direction(source[start:end]) for start, end in sentence_spans(source)} - {0}
    return bool(directions) and find_direction(sentence) == -next(iter(directions)) and len(directions) == 1


def _merge(statements: Sequence[Statement]) -> tuple[Evidence, ...]:
    """Return the evidence: for each passage the part with all its statements."""
    parts: dict[int, tuple[int, int]] = {}
    for statement in statements:
        start, end = parts.get(statement.passage.number, (statement.start, statement.end))
        parts[statement.passage.number] = min(start, statement.start), max(end, statement.end)
    return tuple(Evidence(number, *span) for number, span in parts.items())
