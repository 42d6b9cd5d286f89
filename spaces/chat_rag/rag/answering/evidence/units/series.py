"""Finds the figure of a period among several: "$2.9 billion and $2.6 billion as of June 30, 2022 and 2023"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.answering.evidence.question_analysis.periods import Day, days_in, length_in, quarter_in
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import YEAR
from rag.search.bm25 import stems

Span = tuple[int, int]
_JOINT = re.compile(r",?\s{0,9}(?:,|\band\b|\bor\b)\s{0,9}")
# What can stand between two years of a series: "June 30, 2022 and September 30, 2023", "Q2 2022 and Q2 2023".
_BETWEEN_YEARS = re.compile(
    r",?\s{0,9}(?:,|\band\b|\bor\b)\s{0,9}(?:(?:Q[1-4]|the|fiscal|years?|[A-Z][a-z]{2,8}\.? \d{1,2},?)\s{1,9}){0,4}"
)
_LONGEST = 60  # characters between two years
_BEFORE = 30  # characters before a year that can name its day or quarter
_NO_DAY = Day(0, 12, 31)


@dataclass(frozen=True, slots=True)
class _Periods:
    """The ends of the periods that a text names one after the other, the number of each one's quarter, and where."""

    start: int
    end: int
    days: tuple[Day, ...]
    quarters: tuple[int, ...]


def figures_of_period(spans: Sequence[Span], text: str, question: Question) -> list[Span] | None:
    """Return the figures that a text gives for the question's period, by their places in its series of figures.

    If the question names none, it's the last one. Without a series of figures and periods, the result is None, and
    with none that fits it's empty.
    """
    series, periods = _series(spans, text), _periods(text)
    # "In 2021 and 2022 it was …" has the periods before the figures, "It was … in 2021 and 2022" after them.
    is_after = bool(series) and any(_fits(each, series[-1]) and each.start >= series[-1][-1][1] for each in periods)
    found: dict[Span, int] = {}  # with the number of the question's words before its series
    has_periods = False
    for number, figures in enumerate(series):
        start = series[number - 1][-1][1] if number else 0
        end = series[number + 1][0][0] if number + 1 < len(series) else len(text)
        of = _periods_of(figures, periods, end, is_after=is_after)
        if of is None:
            continue
        has_periods = True
        context = text[figures[-1][1] : of.end] if is_after else text[start : figures[0][0]]
        months, place = length_in(context), _place(of, question, text)
        if place is not None and (not months or not question.months or months == question.months):
            label = stems([text[start : figures[0][0]]])
            found[figures[place]] = len(set(label) & set(question.stems) - question.period_stems)
    most = max(found.values(), default=0)
    return [figure for figure, count in found.items() if count == most] if has_periods else None


def _series(spans: Sequence[Span], text: str) -> list[list[Span]]:
    """Return the spans with nothing but "and" or a comma between them, together."""
    series: list[list[Span]] = []
    for span in sorted(spans):
        if series and _JOINT.fullmatch(text, series[-1][-1][1], span[0]):
            series[-1].append(span)
        else:
            series.append([span])
    return [figures for figures in series if len(figures) > 1]


def _periods(text: str) -> list[_Periods]:
    """Return the series of years, each with the day before it or that of the year before."""
    years = list(YEAR.finditer(text))
    groups = [[year] for year in years[:1]]
    for before, year in pairwise(years):
        is_near = year.start() - before.end() <= _LONGEST
        if is_near and _BETWEEN_YEARS.fullmatch(text, before.end(), year.start()):
            groups[-1].append(year)
        else:
            groups.append([year])
    return [_with_days(text, group) for group in groups if len(group) > 1]


def _with_days(text: str, years: Sequence[re.Match[str]]) -> _Periods:
    days: list[Day] = []
    quarters: list[int] = []
    start = max(0, years[0].start() - _BEFORE)
    for year in years:
        own = days_in(text[start : year.end()])
        month_and_day = own[-1] if own else days[-1] if days else _NO_DAY
        days.append(Day(int(year[0]), month_and_day.month, month_and_day.day))
        named = quarter_in(text[start : year.start()])
        quarters.append(named or (quarters[-1] if quarters else 0))
        start = year.end()
    return _Periods(years[0].start(), years[-1].end(), tuple(days), tuple(quarters))


def _fits(periods: _Periods, figures: Sequence[Span]) -> bool:
    return len(periods.days) == len(figures)


def _periods_of(
    figures: Sequence[Span], periods: Sequence[_Periods], following: int, *, is_after: bool
) -> _Periods | None:
    """Return the periods of a series of figures: the next ones before another series, or the last ones before it."""
    fitting = [each for each in periods if _fits(each, figures)]
    if is_after:
        return next((each for each in fitting if figures[-1][1] <= each.start < following), None)
    return next((each for each in reversed(fitting) if each.end <= figures[0][0]), None)


def _place(periods: _Periods, question: Question, text: str) -> int | None:
    """Return the place of the question's period, or of the last one if it names none; None if that isn't clear.

    "Respectively" can be of something else than the periods, which a question without a period may name.
    """
    days = periods.days
    if question.days:
        places = [at for at, day in enumerate(days) if any(_is_same(day, each) for each in question.days)]
    elif question.years:
        places = [
            at
            for at, (day, quarter) in enumerate(zip(days, periods.quarters, strict=True))
            if str(day.year) in question.years and (not quarter or not question.quarter or quarter == question.quarter)
        ]
    else:
        places = [] if "respectively" in text else [at for at, day in enumerate(days) if day == max(days)]
    return places[0] if len(places) == 1 else None


def _is_same(day: Day, asked: Day) -> bool:
    return (day.year, day.month) == (asked.year, asked.month) and asked.day in (day.day, _NO_DAY.day)
