"""Finds the statement of the passages with the figure of a clause in its role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import log
from typing import TypeVar

from rag.answering.verification.figure_match import is_same_figure
from rag.answering.verification.sentences.clauses import Clause
from rag.answering.verification.sentences.figures import Period
from rag.answering.verification.sentences.names import Name
from rag.answering.verification.sources.statements import MONTHS_OF_QUARTER, Statement, Statements
from rag.answering.verification.sources.surroundings import Surroundings

K = TypeVar("K")
# For each group of statements, the words of a clause that tell them apart, and how well another figure's have them.
Rivals = dict[tuple[str, int], tuple[frozenset[str], float]]
# The share of a figure's words, by weight, that its row, column or clause and their surroundings must have; and by how
# much another row may have more of them.
MIN_ROLE, RIVAL_MARGIN, MIN_RIVAL = 0.5, 0.3, 0.5
UNKNOWN_WEIGHT = 0.4
CLEAR_RIVAL, CLEAR_MARGIN = 0.95, 0.1


class FigureChecks:
    """Compares the figures of sentences with those of some passages."""

    def __init__(self, statements: Statements, surroundings: Surroundings) -> None:
        self._statements, self._surroundings = statements, surroundings

    def prepare(self) -> None:
        """Count the words of the passages."""
        self._weights  # noqa: B018  # the first access counts them

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

    def best_statement(self, clause: Clause, names: Sequence[Name], used: set[int]) -> Statement | None:
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
