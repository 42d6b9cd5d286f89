"""What a sentence says of each of its figures: the words and the periods of the figure's part of the sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.answering.verification.sentences.figures import Figure, Period, read_figures
from rag.answering.verification.support import content_tokens
from rag.search.bm25 import stems

# Where the part of the next figure can begin.
_SEPARATOR = re.compile(
    r"[;，、；(]|,(?=\s)|\b(?:and|while|whereas|but|compared|versus|vs|or|up|down|und|gegen|et|contre|y)\b"
    r"|\b(?:from|to|than|against|by)\b(?=\s+(?:about |approximately |nearly |around )?\Z)",  # right before the next one
    re.IGNORECASE,
)
_RESPECTIVELY = re.compile(r"\brespective(?:ly)?\b|\bjeweils\b", re.IGNORECASE)
# Words that say how a figure moves, how exact it is or when it was, but not what it is of.
_EMPTY = frozenset(
    stems(
        """
        amount about approximately around nearly almost over more less than total totaled was were report reported
        record recorded company companies increase increased decrease decreased rise rose grow grew growth fall fell
        decline declined drop dropped up down higher lower compare compared prior previous year years quarter quarters
        month months period periods end ended fiscal same ago million millions billion billions thousand thousands
        trillion percent percentage point points dollar dollars euro euros according document documents passage
        passages respectively during first second third fourth january february march april may june july august
        september october november december also which per each annual annually accounted represent represented reach
        reached while whereas but versus from brought had has number figure value stood came expected only its both
        one two three six nine twelve
        """.split()  # noqa: SIM905  # a list with one word per line would be a page long
    )
)
_DIRECTION = re.compile(
    r"\b(?:(?P<up>increas(?:e|es|ed|ing)|rose|ris(?:e|es|en|ing)|gr[eo]w(?:s|n|ing)?|growth|climb(?:s|ed)?|gain(?:s|ed)?|up"
    r"|higher)|(?P<down>decreas(?:e|es|ed|ing)|fell|fall(?:s|en|ing)?|declin(?:e|es|ed|ing)|dropp?(?:s|ed|ing)?|down"
    r"|lower|shrank))\b",
    re.IGNORECASE,
)
# Words that texts use for each other.
_SAME = {
    word: group[0]
    for group in (
        stems(["revenue", "revenues", "sale", "sales", "turnover"]),
        stems(["income", "profit", "earning", "earnings"]),
        stems(["employee", "employees", "staff", "headcount", "worker", "workers", "people"]),
        stems(["cost", "costs", "expense", "expenses", "expenditure", "spending", "spent"]),
        stems(["repurchase", "repurchased", "buyback", "bought"]),
    )
    for word in group
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A figure with the stems of the words and the periods that its sentence ties to it.

    `direction` is 1 if its part of the sentence says that something rose, -1 if it fell, 0 otherwise.
    """

    figure: Figure
    words: frozenset[str]
    periods: tuple[Period, ...]
    direction: int = 0


def role_words(text: str) -> frozenset[str]:
    """Return the stems of the words that say what a figure is of."""
    words = [token for token in content_tokens(text) if not token[0].isdigit()]
    return frozenset(_SAME.get(stem, stem) for stem in stems(words) if stem not in _EMPTY)


def find_direction(text: str) -> int:
    """Return 1 if a text says first that something rose, -1 if it fell, and 0 otherwise."""
    match = _DIRECTION.search(text)
    return 0 if match is None else 1 if match["up"] else -1


def figure_clauses(sentence: str) -> list[Clause]:
    """Return the clauses of a sentence's figures, in their order."""
    figures, periods = read_figures(sentence)
    if not figures:
        return []
    if len(figures) > 1 and _RESPECTIVELY.search(sentence):
        return _respectively(sentence, figures, periods)
    spans = _spans(sentence, figures, periods)
    clauses: list[Clause] = []
    for figure, (start, end) in zip(figures, spans, strict=True):
        words = role_words(_without(sentence, start, end, figures))
        own = tuple(period for period in periods if start <= period.start < end)
        if clauses and not words:  # "and 4 in 2021": it has the subject of the first figure
            words = clauses[0].words
        elif clauses and _is_range(sentence, clauses[-1].figure, figure):
            words |= clauses[-1].words
        clauses.append(Clause(figure, words, own, find_direction(sentence[start:end])))
    return _with_common_periods(clauses)


def _is_range(sentence: str, figure: Figure, following: Figure) -> bool:
    """Return whether two figures are of the same thing: "from 3% to 3.5%"."""
    between = sentence[figure.end : following.start].strip()
    return between == "to" and sentence[: figure.start].rstrip().endswith(" from")


def _spans(sentence: str, figures: Sequence[Figure], periods: Sequence[Period]) -> list[tuple[int, int]]:
    """Return the part of the sentence that belongs to each figure: the parts follow each other."""
    bounds = [0]
    for figure, following in pairwise(figures):
        inside = [(period.start, period.end) for period in periods]
        cut = next(
            (
                match.start()
                for match in _SEPARATOR.finditer(sentence, figure.end, following.start)
                if not any(start <= match.start() < end for start, end in inside) and not _in_date(sentence, match)
            ),
            figure.end,
        )
        bounds.append(cut)
    return list(zip(bounds, [*bounds[1:], len(sentence)], strict=True))


def _in_date(sentence: str, match: re.Match[str]) -> bool:
    """Return whether a comma stands between a day and its year."""
    return match[0] == "," and bool(re.match(r",\s*(?:19|20)\d\d\b", sentence[match.start() : match.start() + 8]))


def _with_common_periods(clauses: list[Clause]) -> list[Clause]:
    """Give a figure without a period the one period of each kind that the sentence has, if there is only one."""
    every = [period for clause in clauses for period in clause.periods]
    common = {
        period.kind: period for period in every if len({each.value for each in every if each.kind == period.kind}) == 1
    }
    return [replace(clause, periods=clause.periods + _shared_periods(clause, common)) for clause in clauses]


def _shared_periods(clause: Clause, common: Mapping[str, Period]) -> tuple[Period, ...]:
    """Return the periods of the sentence that are a clause's too: "$5,431 million a year ago" is of the year before.

    A change that is measured from then, in percent, is of the sentence's own year.
    """
    kinds = {period.kind for period in clause.periods}
    base = next((period.value for period in clause.periods if period.kind == "base"), 0)
    if not base or clause.figure.unit == "%":
        return tuple(common[kind] for kind in common.keys() - kinds)
    other_time = {"year", "day"} if base == 1 else {"year", "day", "quarter"}
    shared = tuple(common[kind] for kind in common.keys() - kinds - other_time)
    if base == 1 and "year" in common.keys() - kinds:
        shared += (replace(common["year"], value=common["year"].value - 1),)
    return shared


def _respectively(sentence: str, figures: Sequence[Figure], periods: Sequence[Period]) -> list[Clause]:
    """Tie the figures to the periods in their order, if there are as many years as figures."""
    words = role_words(_without(sentence, 0, len(sentence), figures))
    years = [period for period in periods if period.kind == "year"]
    if len(years) != len(figures):
        return [Clause(figure, words, ()) for figure in figures]
    others = tuple(period for period in periods if period.kind == "months")
    return [Clause(figure, words, (year, *others)) for figure, year in zip(figures, years, strict=True)]


def _without(sentence: str, start: int, end: int, figures: Sequence[Figure]) -> str:
    """Return a part of the sentence without its figures."""
    parts, position = [], start
    for figure in figures:
        if start <= figure.start < end:
            parts.append(sentence[position : figure.start])
            position = figure.end
    return " ".join([*parts, sentence[position:end]])
