"""Marks an answer by the dates of a gold answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.answering.verification.sentences.clauses import role_words
from rag.scoring.marks import Mark
from rag.scoring.texts.dates import Date, find_dates
from rag.scoring.texts.words import is_denied

_OR = re.compile(r"\W{1,3}(?:or|oder|ou|o|或|或者)\b\W?", re.IGNORECASE)

_SUBJECT = re.compile(r"([^,;:]{0,80}?)\b(?:was|were|is|are|will|has|have|had)\b")


def mark_dates(question: str, gold: Sequence[Date], lines: Sequence[str]) -> Mark:
    """Return whether the lines of an answer give all dates of a gold answer, and none that answers as much as one."""
    dated_lines = [(line, find_dates(line)) for line in lines]
    for each in gold:
        said = [(line, dates, at) for line, dates in dated_lines for at, date in enumerate(dates) if date.says(each)]
        if not said:
            return Mark(False, "the answer doesn't give the date")
        if all(is_denied(line, dates[at].start) for line, dates, at in said):
            return Mark(False, "the answer says that it isn't this date")
        if any(_has_alternative(line, dates, at) for line, dates, at in said):
            return Mark(False, "the answer gives another date as well")
        lines_with_it = ((line, dates) for line, dates in dated_lines if any(date.says(each) for date in dates))
        if not any(_fits(question, gold, each, line, dates) for line, dates in lines_with_it):
            return Mark(False, "the answer gives another date for what was asked")
    return Mark(True, "it gives the date")


def _has_alternative(text: str, dates: Sequence[Date], at: int) -> bool:
    """Return whether another date stands on the other side of an "or"."""
    for first, second in pairwise(dates[max(0, at - 1) : at + 2]):
        is_same = first.says(second) or second.says(first)
        if not is_same and _OR.fullmatch(text, first.end, second.start):
            return True
    return False


def _fits(question: str, gold: Sequence[Date], wanted: Date, line: str, dates: Sequence[Date]) -> bool:
    """Return whether no other date of a line has all words of the question that the wanted date has, and more."""
    question_words = role_words(question)
    own, others = list[frozenset[str]](), set[frozenset[str]]()
    for date, words in zip(dates, _clauses(line, dates), strict=True):
        if date.says(wanted):
            own.append(question_words & words)
        elif _is_as_exact(date, wanted) and not any(date.says(each) or each.says(date) for each in gold):
            others.add(question_words & words)
    return not all(any(words < other for other in others) for words in set(own))


def _clauses(line: str, dates: Sequence[Date]) -> list[frozenset[str]]:
    """Return the subject and the words before each date; if the line begins with a date, the words after each."""
    ends, starts = [0, *(date.end for date in dates)], [*(date.start for date in dates), len(line)]
    parts = [role_words(line[end:start]) for end, start in zip(ends, starts, strict=True)]
    begins_with_date = not parts[0] and len(line[: starts[0]].split()) <= 2  # "On August 2"
    if begins_with_date:
        return parts[1:]
    subject = _SUBJECT.match(line[: starts[0]])
    shared = role_words(subject[1]) if subject else frozenset[str]()
    return [part | shared for part in parts[:-1]]


def _is_as_exact(date: Date, wanted: Date) -> bool:
    pairs = ((date.year, wanted.year), (date.month, wanted.month), (date.day, wanted.day))
    return all(theirs is None or ours is not None for ours, theirs in pairs)
