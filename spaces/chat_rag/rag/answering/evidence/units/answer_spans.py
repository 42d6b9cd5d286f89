"""Finds the words of a sentence that have the kind of answer a question asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import YEAR
from rag.answering.evidence.units.series import Span, figures_of_period
from rag.answering.numbers import (
    CODE,
    CURRENCY_BEFORE,
    CURRENCY_BEHIND,
    CURRENCY_WORD,
    END,
    NUMBER,
    PERCENT,
    SCALE,
    SIGNS,
)
from rag.search.bm25 import stems

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_WORD_NUMBER = (
    r"(?:one(?! (?:or|another|such)\b)(?! of [a-z]+ (?:most|[a-z]+est)\b)(?!(?<=\b(?:is|as) one) of\b)"
    r"(?!(?<=\b(?:was|are) one) of\b)(?!(?<=\bwere one) of\b)|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen|(?<!\bin )half)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
)
_TO = r"\s?[-–—]\s?"
_SIGNED = (
    r"(?<![\w.,+])(?!\+\d{1,3}\s\d)(?:(?<!\d[€%])(?<!\d\s[€%])[-−–+])?"
    rf"{NUMBER}(?:\s?(?:{SIGNS}|%)?{_TO}(?!0\d){NUMBER})?"
)
_NUMERAL = rf"(?:{_SIGNED}(?:\s?{SCALE})?{END}|\b{_WORD_NUMBER}\b)"
_MEASURE = r"(?:°\s?[CF]|[kmc]?m²?|[km]?g|k?m/h|mph|m?l|k?Wh?|dB(?:\(A\))?|k?V|A|bar|GB|MB|lbs?|kcal)"
_NAME = r"[A-Z][\w’'.-]*(?:\s(?:(?:of|the|de|von|van|al|and)\s)*[A-Z][\w’'.-]*)*"
_TIME_UNIT = r"(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|decades?|centuries|quarters?)"
_PATTERNS: dict[Kind, str] = {
    Kind.MONEY: rf"(?<![\w.,])[-−–]?{CURRENCY_BEFORE}\s?\(?[-−–]?{NUMBER}(?:{_TO}{SIGNS}?(?!0\d){NUMBER})?"
    rf"\)?(?:\s?{SCALE}|[kKmMbB](?![\w$]))?"
    rf"|{_SIGNED}(?:\s?{SCALE})?\s?[kKmMT]?{CURRENCY_BEHIND}|\b{_WORD_NUMBER}\s{CURRENCY_WORD}\b"
    rf"|(?:{_NUMERAL}\s(?:cents|pence)|{_SIGNED}[pc¢])\b|\b(?:for free|free of charge|is free|no (?:charge|fee))\b",
    Kind.PERCENT: rf"(?:{_SIGNED}|{_NUMERAL})\s?{PERCENT}",
    Kind.NUMBER: rf"(?<!{SIGNS})(?<!{SIGNS}\s)(?!0\d){_NUMERAL}(?:\s?{_MEASURE}(?!\w))?",
    Kind.DURATION: rf"(?:{_NUMERAL}|\bseveral|\ba few|\ban?)[\s-](?:\w{{1,20}}\s)?{_TIME_UNIT}(?:\sold)?"
    rf"(?:\sand\s{_NUMERAL}\s{_TIME_UNIT})?"
    r"|\b(?:annual|month|week|dai|quarter|year)ly\b|\bannual basis\b|\b(?:each|every) \w+",
    Kind.DATE: rf"(?:{_MONTH}\s\d{{1,2}}(?!\d)(?:,?\s\d{{4}})?|\d{{1,2}}\s{_MONTH}(?:\s\d{{4}})?|{_MONTH}\s\d{{4}}"
    r"|(?<![\w,.$])(?:1[0-9]|20)\d\d(?:s|[-–]\d{2,4})?(?![\w%]|,\d)"
    r"|\b\d{1,2}(?:st|nd|rd|th)[- ]century\b|(?<!\d)\d++ (?:BC|AD)\b"
    r"|(?<![\w.:])\d{1,2}(?::\d\d(?:\s?[ap]\.?m\b)?|\s?[ap]\.?m\b)"
    rf"|\b{_WEEKDAY}\b|(?<=\b[Ii]n ){_MONTH}\b|(?<=\bfrom ){_MONTH}\b|(?<=\buntil ){_MONTH}\b)",
    Kind.PERSON: _NAME,
    Kind.PLACE: _NAME,
    Kind.REASON: r"\b(?:because|due to|as a result|result(?:ed|ing)? (?:of|from)|caused|driven by|owing to|so that"
    r"|in order to|primarily|since|attributable|reflect\w*)\b(?s:.*)",  # lines end inside a sentence of a PDF
}
# "increased 2% or $1.5 billion" has no sales figure, "increased to $1.5 billion" has one.
_CHANGE = (
    r"\b(?:(?:in|de)creas\w{1,3}|declin\w{1,3}|grew|grow\w{0,3}|rose|ris(?:en?|es|ing)|fell|fall\w{0,3}|drop\w{0,4})"
)
_BEFORE_CHANGE = re.compile(
    rf"{_CHANGE}\s(?:(?:in|of|by|approximately|about|nearly|almost|over)\s)*"
    rf"(?:{SIGNS}?\s?{NUMBER}\s?(?:{PERCENT}|{SCALE})?,?\s(?:or\s|\())?$",
    re.IGNORECASE,
)
_BEHIND_CHANGE = re.compile(
    rf"(?:{_CHANGE}|\b(?:up|down))\s(?:(?:by|of|approximately|about|nearly|almost|over)\s)*$", re.IGNORECASE
)
_ASKS_CHANGE = re.compile(
    rf"{_CHANGE}|\b(?:chang\w{{1,3}}|more|less|fewer|higher|lower|up|down|differ\w*|gain\w*|added?|lost|reduc\w*)\b",
    re.IGNORECASE,
)
_COMPILED = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}
_NAMES = {Kind.PERSON, Kind.PLACE}
# "Acme Corporation" and the "Executive Committee" are no persons, but "Board Chair Jane Doe" is one.
_ORGANIZATION = (
    r"(?:corporation|company|companies|inc|ltd|llc|plc|committee|board|department|commission|securities|exchange|act)"
)
_ORGANIZATIONS = frozenset(stems(re.findall(r"\w+", _ORGANIZATION)))
_PERSON_BEHIND = re.compile(rf"\b(?i:{_ORGANIZATION})\b(?:[’']s|\.)?\s(?=[A-Z][\w’'.-]*\s[A-Z])")
# "555" of a telephone number has digits beside it, "450" in "in 2023 450 people" has a year.
_BEFORE_NUMBER = re.compile(rf"\b{CODE}\s$|(?:(?<!\b[12]\d\d)|(?<=\d [12]\d\d))\d[ -]$")
_AFTER_NUMBER = re.compile(
    rf"\s?(?:{CURRENCY_BEHIND}|{PERCENT}|[kKmMT]€)|[\s-]{_TIME_UNIT}\b|\s?(?:Uhr|o['’]clock)\b|[ -]0\d"
    r"|(?<=\d{4})\s\d{4}(?!\d)"
)
# A time, a fraction or a date, and digits with a space that can be two numbers or one: "page 12 345".
_TORN_BEFORE, _GROUP_BEFORE = re.compile(r"\d[:/]$"), re.compile(r"(?<!\d)\d{1,3}[\s]$")
_TORN_BEHIND, _GROUP_BEHIND = re.compile(r"[:/]\d"), re.compile(r"\s\d{3}(?!\d)")
_IS_GROUP, _HAS_FIRST_GROUP = re.compile(r"\d{3}(?!\d)"), re.compile(r"(?<!\d)\d{1,3}$")
_AMOUNT = (
    r"\b(?:no|none|free|included|once|twice|each|every|several|few|(?:annual|month|week|dai)ly|annual|centur(?:y|ies)"
    r"|decades?|indefinite(?:ly)?|permanent(?:ly)?|forever|unlimited)\b"
)
_PRICE_WORDS = re.compile(
    r"\b(?:free|nothing|(?<!not )included|complimentary|waived|without charge|no (?:charge|fee|cost)s?)\b",
    re.IGNORECASE,
)
_CALENDAR = re.compile(
    rf"{_MONTH}\s\d{{1,2}}(?!\d)(?:,?\s\d{{4}})?|\d{{1,2}}\s{_MONTH}(?:\s\d{{4}})?|{_MONTH}\s\d{{4}}|\bQ[1-4]\s\d{{4}}"
    r"|\b(?:(?:in|of|since|by|until|from|year|years|fiscal|and|to|during|for|ended)\s)?"
    r"(?:19|20)\d\d\s?[-–]\s?(?:19|20)?\d\d\b(?!\s(?-i:[a-z]+s)\b)"
    r"|\b(?:in|of|since|by|until|from|year|years|fiscal|and|to|during|for|ended)\s(?:19|20)\d\d\b(?!\s(?-i:[a-z]+s)\b)",
    re.IGNORECASE,
)
# "Table 2" and "[12]" say where something is, not how much. "Tables 2, 3 and 4" are three; of "Table 2, 45 died" and
# "Tables 2 and 3, 45 died", the 45 is an amount.
_PLACE = rf"\d[\d.]*+(?!\s?(?:{PERCENT}|{SCALE}))"
_REFERENCE = re.compile(
    r"\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]|\(note \d+\)"
    r"|\b(?:Table|Tab\.|Figure|Fig\.|Note|Section|Chapter|Appendix|Annex|Item|Exhibit|Equation|Eq\.)"
    rf"\s{_PLACE}(?:[–-]{_PLACE})?"
    r"|\b(?:Tables|Figures|Figs\.|Notes|Sections|Chapters|Items|Exhibits|Equations|Eqs\.)"
    rf"\s{_PLACE}(?:\s?,\s?{_PLACE}(?!\s(?!(?:and|to)\b)[^\W\d_]))*(?:,?\s(?:and|to)\s{_PLACE}|\s?[–-]\s?{_PLACE})?"
)
# So does the "(1)" of "5.7% died from stroke (1)."; "teachers (45) and nurses (30)" are counts.
_LAST_REFERENCE = re.compile(r"(?<=[a-z,;] )\(\d{1,2}(?:\s?[,–-]\s?\d{1,2})*\)[.;:]?\s*\Z")
_IN_BRACKETS = re.compile(r"\(\d")
# And the "(3)" of "(3) Lunch is paid apart."
_LIST_MARK = re.compile(r"\A[^\w(]{0,6}\(?\d{1,2}\)[^\w(]{1,4}(?=[^\W\d_])")
_AMOUNT_PATTERN = re.compile(_AMOUNT, re.IGNORECASE)
# "The kettle holds a litre" says how much.
_ONE_MEASURE = (
    r"\ban?\s(?:lit(?:re|er)|cup|(?:table|tea)spoon|pint|gallon|pound|ounce|kilo\w{0,8}|gram(?:me)?|ton(?:ne)?|met(?:re|er)"
    r"|mile|yard|foot|inch|hectare|acre|pair|third|quarter|fifth|tenth)\b"
)
_FIGURE = re.compile(
    rf"\d|\b(?:{_WORD_NUMBER}|{_MONTH}|{_WEEKDAY})\b|{_AMOUNT}|{_ONE_MEASURE}|{_PATTERNS[Kind.DURATION]}", re.IGNORECASE
)
_SHARE_WORDS = re.compile(
    rf"{PERCENT}|\b(?:fully|entirely|completely|half|none|majority|(?:all|most) of)\b", re.IGNORECASE
)
_PRICE = re.compile(rf"\d[.,]\d\d(?!\d|\s?(?:Uhr|o['’]clock)\b)|\d\s?{SCALE}")
_MEASURED = re.compile(rf"[\d\s]{_MEASURE}$")
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
    if kind not in _COMPILED:
        return []
    matches = list(_COMPILED[kind].finditer(text))
    dates = _no_amounts(text) if kind is Kind.NUMBER and matches else []
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
            and not (kind in _NAMES and _starts_sentence(text, match, words))
        ):
            is_change = bool(_BEFORE_CHANGE.search(text[max(0, match.start() - 60) : match.start()]))
            is_organization = kind is Kind.PERSON and bool(words & _ORGANIZATIONS)
            parts.append(Candidate(start, match.end(), words, is_change, is_organization))
    return parts


def _start_of_person(name: str, start: int) -> int:
    """Return where a person's name begins behind that of a board or company; `start` is the place of the whole."""
    return start + max((match.end() for match in _PERSON_BEHIND.finditer(name)), default=0)


def candidates(kind: Kind, text: str, question: Question, find: Finder = find_candidates) -> Iterator[Span]:
    """Yield the parts of a sentence that have the kind of answer and aren't words of the question."""
    for each in sorted(find(kind, text), key=lambda each: each.is_organization):
        if each.is_organization and question.asks_role:
            continue
        new = each.words.difference(question.stems, question.years)
        is_new = 2 * len(new) >= len(each.words) if kind is Kind.PERSON else bool(new)
        if is_new and not (each.is_change and _asks_level(question)):
            yield each.start, each.end


def _asks_level(question: Question) -> bool:
    """Return whether the question asks how much there is of something, not by how much it changed."""
    return question.kind in (Kind.MONEY, Kind.NUMBER) and not _ASKS_CHANGE.search(question.text)


def has_figure(text: str) -> bool:
    """Return whether a text has any number, day or month: without one, it doesn't answer how much, how many or when."""
    return bool(_FIGURE.search(text))


def has_amount(text: str) -> bool:
    """Return whether a text has any number beside those of its dates and references: 2000 seats are no year."""
    last, mark = _last_reference(text), _LIST_MARK.match(text)
    text = text[mark.end() if mark else 0 : last[0] if last else None]
    return has_figure(_CALENDAR.sub(" ", _REFERENCE.sub(" ", text)))


def says_amount(text: str) -> bool:
    """Return whether words say how much, how many or how long: "free", "unlimited"."""
    return bool(_AMOUNT_PATTERN.search(text))


def has_measure(number: str) -> bool:
    """Return whether a number has the symbol of its unit: "350 km"."""
    return bool(_MEASURED.search(number))


def says_share(text: str) -> bool:
    """Return whether a text says which share, in words or in percent: "fully", "most of", "drei Prozent"."""
    return bool(_SHARE_WORDS.search(text))


def says_price(text: str) -> bool:
    """Return whether words say what something costs: "free of charge"."""
    return bool(_PRICE_WORDS.search(text))


def has_price(text: str, question: Question, find: Finder = find_candidates) -> bool:
    """Return whether a text has an amount of money or a share of one, perhaps without its currency: "12.50"."""
    kinds = (Kind.MONEY, Kind.PERCENT)
    return bool(_PRICE.search(text)) or any(any(candidates(kind, text, question, find)) for kind in kinds)


def counts(text: str, question: Question, find: Finder = find_candidates) -> bool:
    """Return whether a text has a number of what the question counts: "six rooms", "two small rooms"."""
    return bool(question.counted) and any(
        question.counted & set(stems(_WORD.findall(text, end, end + _NEXT_CHARACTERS)[:_NEXT]))
        for _, end in candidates(Kind.NUMBER, text, question, find)
    )


def _is_other_figure(text: str, number: re.Match[str]) -> bool:
    """Return whether a number is of money, time or a share, and doesn't say how many there are of something."""
    before = text[max(0, number.start() - 8) : number.start()]
    return bool(_BEFORE_NUMBER.search(before) or _AFTER_NUMBER.match(text, number.end()))


def _is_torn(text: str, number: re.Match[str]) -> bool:
    """Return whether digits beside a number can be a part of it."""
    before, end = text[max(0, number.start() - 6) : number.start()], number.end()
    return bool(
        (number[0][0].isdecimal() and _TORN_BEFORE.search(before))
        or (number[0][-1].isdecimal() and _TORN_BEHIND.match(text, end))
        or (_IS_GROUP.match(number[0]) and _GROUP_BEFORE.search(before))
        or (_HAS_FIRST_GROUP.search(number[0]) and _GROUP_BEHIND.match(text, end))
    )


def _no_amounts(text: str) -> list[Span]:
    """Return the dates with a month, the years, and the references; 1,500 can be a number."""
    dates = _COMPILED[Kind.DATE].finditer(text)
    spans = [date.span() for date in dates if YEAR.match(date[0]) or any(map(str.isalpha, date[0]))]
    references = (*_REFERENCE.finditer(text), *_LIST_MARK.finditer(text))
    last = _last_reference(text)
    return [*spans, *(match.span() for match in references), *([last] if last else [])]


def _last_reference(text: str) -> Span | None:
    """Return the place of the numbers in brackets that end a sentence, if it has no others in brackets."""
    match = _LAST_REFERENCE.search(text)
    return match.span() if match and len(_IN_BRACKETS.findall(text)) == 1 else None


def answer_span(text: str, question: Question) -> Span:
    """Return the part of a sentence that answers: the candidate nearest to the question's words, or all of it."""
    spans = _without_other_counts(_spans(text, question), text, question)
    if not spans:
        return 0, len(text)
    if len(spans) > 1:
        of_period = figures_of_period(spans, text, question)
        if of_period == [] or (of_period is None and "respectively" in text):
            return 0, len(text)
        spans = of_period or spans
    places = [word.span() for word in _WORD.finditer(text) if set(stems([word[0]])) & set(question.stems)]
    return min(spans, key=lambda span: _distance(span, places))


def _spans(text: str, question: Question) -> list[Span]:
    """Return the parts of a sentence that have the kind of answer, or else another figure for a question for money."""
    spans = list(candidates(question.kind, text, question))
    if question.asks_change:
        amounts = [*spans, *candidates(Kind.PERCENT, text, question), *candidates(Kind.MONEY, text, question)]
        return [span for span in amounts if _BEHIND_CHANGE.search(text[max(0, span[0] - 60) : span[0]])]
    if not spans and question.may_be_money:
        return list(candidates(Kind.MONEY, text, question))
    if not spans and question.kind is Kind.MONEY:
        spans = list(candidates(Kind.PERCENT, text, question)) or list(candidates(Kind.NUMBER, text, question))
    return spans


def _without_other_counts(spans: Sequence[Span], text: str, question: Question) -> Sequence[Span]:
    """Return the numbers without those that count something else: "272 incidents" are no people, if others are."""
    others = set(question.stems) - question.counted
    if question.kind is not Kind.NUMBER or not question.counted:
        return spans
    rest = [
        span for span in spans if not others & set(stems(_WORD.findall(text, span[1], span[1] + _NEXT_CHARACTERS)[:1]))
    ]
    return rest or spans


def _distance(span: Span, places: Sequence[Span]) -> float:
    """Return the mean distance of the nearest three words of the question."""
    distances = sorted(max(start - span[1], span[0] - end, 0) for start, end in places)[:3]
    return sum(distances) / len(distances) if distances else 0.0


def _starts_sentence(text: str, match: re.Match[str], words: Collection[str]) -> bool:
    """Return whether a single capitalized word is only the first one of the sentence."""
    return len(words) == 1 and not text[: match.start()].strip(" \"'“(#-*")
