"""Finds the parts of a sentence that have the kind of answer a question asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.amounts import has_bare_price, no_amounts
from rag.answering.evidence.units.kind_patterns import COMPILED, MONTH, TIME_UNIT, WEEKDAY
from rag.answering.evidence.units.series import Span
from rag.answering.numbers import CODE, CURRENCY_AFTER, NUMBER, PERCENT, SCALE, SIGNS
from rag.search.bm25 import STOP_WORDS, stems

# "increased 2% or $1.5 billion" has no sales figure, "increased to $1.5 billion" has one.
_CHANGE = (
    r"\b(?:(?:in|de)creas\w{1,3}|declin\w{1,3}|grew|grow\w{0,3}|rose|ris(?:en?|es|ing)|fell|fall\w{0,3}|drop\w{0,4})"
)
_BEFORE_CHANGE = re.compile(
    rf"{_CHANGE}\s(?:(?:in|of|by|approximately|about|nearly|almost|over)\s)*"
    rf"(?:{SIGNS}?\s?{NUMBER}\s?(?:{PERCENT}|{SCALE})?,?\s(?:or\s|\())?$",
    re.IGNORECASE,
)
_AFTER_CHANGE = re.compile(
    rf"(?:{_CHANGE}|\b(?:up|down))\s(?:(?:by|of|approximately|about|nearly|almost|over)\s)*$", re.IGNORECASE
)
_ASKS_CHANGE = re.compile(
    rf"{_CHANGE}|\b(?:chang\w{{1,3}}|more|less|fewer|higher|lower|up|down|differ\w*|gain\w*|added?|lost|reduc\w*)\b",
    re.IGNORECASE,
)
_NAMES = {Kind.PERSON, Kind.PLACE}
_NO_NAME = re.compile(
    rf"(?:(?:After|Before|By|From|In|Last|Next|On|Since|This|Until)\s)?(?:{MONTH}|{WEEKDAY}|[A-Z])"
    r"|If|While|Al?though|However|Moreover|But|Thus|Also|Another|Each|One|No|Not|Yes|Once|Because|Later|Then"
    r"|(?:No|Any|Some|Every)(?:body|one)|No one|(?:The )?(?:Many|Most|Several|Users|People|Others|Both|All)(?: of)?"
)
# "Jane Doe (TSC)": a committee or her initials.
SHORT_NAME, _BEFORE_SHORT_NAME = re.compile(r"[A-Z]{2,6}"), re.compile(r"\w\s?\($")
# "Acme Corporation" and the "Executive Committee" aren't persons, but "Board Chair Jane Doe" is one.
_ORGANIZATION = (
    r"(?:corporation|company|companies|inc|ltd|llc|plc|committee|board|department|commission|securities|exchange|act)"
)
_ORGANIZATIONS = frozenset(stems(re.findall(r"\w+", _ORGANIZATION)))
_PERSON_AFTER = re.compile(rf"\b(?i:{_ORGANIZATION})\b(?:[’']s|\.)?\s(?=[A-Z][\w’'.-]*\s[A-Z])")
# "555" of a telephone number has digits beside it, "450" in "in 2023 450 people" has a year.
_BEFORE_NUMBER = re.compile(rf"\b{CODE}\s$|(?:(?<!\b[12]\d\d)|(?<=\d [12]\d\d))\d[ -]$")
_AFTER_NUMBER = re.compile(
    rf"\s?(?:{CURRENCY_AFTER}|{PERCENT}|[kKmMT]€)|[\s-]{TIME_UNIT}\b|\s?(?:Uhr|o['’]clock)\b|[ -]0\d"
    r"|(?<=\d{4})\s\d{4}(?!\d)"
)
_SHORT_YEAR = re.compile(r"\d\d")
# A time, a fraction or a date, and digits with a space that can be two numbers or one: "page 12 345".
_TORN_BEFORE, _GROUP_BEFORE = re.compile(r"\d[:/]$"), re.compile(r"(?<!\d)\d{1,3}[\s]$")
_TORN_AFTER, _GROUP_AFTER = re.compile(r"[:/]\d"), re.compile(r"\s\d{3}(?!\d)")
_IS_GROUP, _HAS_FIRST_GROUP = re.compile(r"\d{3}(?!\d)"), re.compile(r"(?<!\d)\d{1,3}$")
_WORD = re.compile(r"\w+")
_NEXT, _NEXT_CHARACTERS = 3, 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part of a sentence that has a kind of answer; `words` are its stems, `is_change` says that it's one.

    `is_organization` says that a name is that of a company, a committee or the like.
    """

    start: int
    end: int
    words: frozenset[str]
    is_change: bool
    is_organization: bool = False


Finder = Callable[[Kind, str], Sequence[Candidate]]


def find_candidates(kind: Kind, text: str) -> list[Candidate]:
    """Return the parts of a sentence that have a kind of answer, for any question."""
    if kind not in COMPILED:
        return []
    matches = list(COMPILED[kind].finditer(text))
    dates = no_amounts(text) if kind is Kind.NUMBER and matches else []
    parts = []
    for match in matches:
        start = _start_of_person(match[0], match.start()) if kind is Kind.PERSON else match.start()
        words = frozenset(stems([text[start : match.end()]]))
        is_date = any(start <= match.start() < end for start, end in dates)  # "28" of "April 28"
        if (
            words
            and not is_date
            and not (kind in FIGURES - {Kind.DATE} and _is_torn(text, match))
            and not (kind is Kind.NUMBER and _is_other_figure(text, match))
            and not (kind in _NAMES and _is_no_name(text, match, words))
        ):
            is_change = bool(_BEFORE_CHANGE.search(text[max(0, match.start() - 60) : match.start()]))
            is_organization = kind is Kind.PERSON and bool(words & _ORGANIZATIONS)
            parts.append(Candidate(start, match.end(), words, is_change, is_organization))
    return parts


def _is_no_name(text: str, match: re.Match[str], words: Collection[str]) -> bool:
    """Return whether a capitalized word is a month, begins the sentence, or is short for the name before it."""
    is_short = SHORT_NAME.fullmatch(match[0]) and _BEFORE_SHORT_NAME.search(text[: match.start()][-60:])
    return bool(is_short or _NO_NAME.fullmatch(match[0]) or _starts_sentence(text, match, words))


def _start_of_person(name: str, start: int) -> int:
    """Return where a person's name begins after that of a board or company; `start` is the place of the whole."""
    return start + max((match.end() for match in _PERSON_AFTER.finditer(name)), default=0)


def candidates(kind: Kind, text: str, question: Question, find: Finder = find_candidates) -> Iterator[Span]:
    """Yield the parts of a sentence that have the kind of answer and aren't words of the question."""
    for each in sorted(find(kind, text), key=lambda each: each.is_organization):
        if each.is_organization and question.asks_role:
            continue
        words = each.words - STOP_WORDS if kind in _NAMES else each.words  # "The guests" is no other name than "guests"
        new = words.difference(question.stems, question.years)
        is_new = bool(new) and (kind is not Kind.PERSON or 2 * len(new) > len(words) or _begins_with(text, each, new))
        if is_new and not (each.is_change and _asks_level(question)):
            yield each.start, each.end


def _begins_with(text: str, name: Candidate, new: frozenset[str]) -> bool:
    """Return whether the new words of a name begin it: "Ada Lund" is another Lund, "Lund and Ada" has Lund as well."""
    first = _WORD.search(text, name.start, name.end)
    return 2 * len(new) == len(name.words - STOP_WORDS) and bool(first and new & set(stems([first[0]])))


def _asks_level(question: Question) -> bool:
    """Return whether the question asks how much there is of something, not by how much it changed."""
    return question.kind in (Kind.MONEY, Kind.NUMBER) and not _ASKS_CHANGE.search(question.text)


def has_price(text: str, question: Question, find: Finder = find_candidates) -> bool:
    """Return whether a text has an amount of money or a share of one, perhaps without its currency: "12.50"."""
    kinds = (Kind.MONEY, Kind.PERCENT)
    return has_bare_price(text) or any(any(candidates(kind, text, question, find)) for kind in kinds)


def counts(text: str, question: Question, find: Finder = find_candidates) -> bool:
    """Return whether a text has a number of what the question counts: "six rooms", "two small rooms"."""
    return bool(question.counted) and any(
        question.counted & stems_after(text, end, _NEXT) for _, end in candidates(Kind.NUMBER, text, question, find)
    )


def stems_after(text: str, end: int, count: int) -> set[str]:
    """Return the stems of the first words after a place of a text."""
    return set(stems(_WORD.findall(text, end, end + _NEXT_CHARACTERS)[:count]))


def follows_change(text: str, start: int) -> bool:
    """Return whether the words before a figure say that something rose or fell by it."""
    return bool(_AFTER_CHANGE.search(text[max(0, start - 60) : start]))


def _is_other_figure(text: str, number: re.Match[str]) -> bool:
    """Return whether a number is of money, time or a share, and doesn't say how many there are of something."""
    before = text[max(0, number.start() - 8) : number.start()]
    is_year = _SHORT_YEAR.fullmatch(number[0]) and before.endswith(("'", "’"))  # "the cup of '98"
    return bool(is_year or _BEFORE_NUMBER.search(before) or _AFTER_NUMBER.match(text, number.end()))


def _is_torn(text: str, number: re.Match[str]) -> bool:
    """Return whether digits beside a number can be a part of it."""
    before, end = text[max(0, number.start() - 6) : number.start()], number.end()
    return bool(
        (number[0][0].isdecimal() and _TORN_BEFORE.search(before))
        or (number[0][-1].isdecimal() and _TORN_AFTER.match(text, end))
        or (_IS_GROUP.match(number[0]) and _GROUP_BEFORE.search(before))
        or (_HAS_FIRST_GROUP.search(number[0]) and _GROUP_AFTER.match(text, end))
    )


def _starts_sentence(text: str, match: re.Match[str], words: Collection[str]) -> bool:
    """Return whether a single capitalized word is only the first one of the sentence."""
    return len(words) == 1 and not text[: match.start()].strip(" \"'“(#-*")
