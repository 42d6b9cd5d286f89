"""Names with a number, such as "version 1.4": the number says which one of several is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import YEAR
from rag.answering.evidence.units.kind_patterns import MONTH, TIME_UNIT
from rag.documents import Span
from rag.search.bm25 import STOP_WORDS

# Things that have a number instead of a name; a section or a table has its number far above what it says.
_THINGS = (
    r"versions?|releases?|editions?|phases?|stages?|levels?|grades?|types?|class|tiers?|zones?|rounds?|seasons?|episodes?"
    r"|models?|series|groups?|platforms?|rules?|options?|steps?"
)
_NUMBERED = re.compile(
    rf"(?<![\w.-])(?P<name>[A-Z][\w+#]{{0,40}}|{_THINGS}|[a-z]{{1,40}}(?=[ -]v?\d{{1,4}}\.\d{{1,4}}\.\d))[ -]"
    rf"v?(?P<number>\d{{1,4}}(?:\.\d{{1,4}}){{0,4}})(?![\w%°]|[.,:/]\d|\s(?:%|percent\b|{TIME_UNIT}\b))"
)
_NUMBER = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d{1,4}){0,4}(?!\d)")
_WORD_AND_NUMBER = re.compile(r"\b([^\W\d_][\w+#]{0,40}?)[ -]?v?(\d{1,4}(?:\.\d{1,4}){0,4})(?!\d)")
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d")
_NO_NAME = re.compile(rf"{MONTH}|Q|FY|Section|Chapter|Page|Table|Figure|Article|Appendix|Item|Note")
_MOST = 4  # of a question: each is looked for in a text


def numbered_names(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names with a number in a question, and their numbers."""
    for _, match in zip(range(_MOST), _NUMBERED.finditer(text), strict=False):
        name, number = match["name"], match["number"]
        is_no_name = YEAR.fullmatch(number) or _NO_NAME.fullmatch(name) or name.lower() in STOP_WORDS
        if number.count(".") > 1 or not is_no_name:
            yield name, number


def has_number(text: str, number: str) -> bool:
    """Return whether a text has a number, also as the beginning of a longer one: 3 in "3.8"."""
    return any(_is_number(found, number) for found in _NUMBER.findall(text))


def has_numbered(text: str, name: str, number: str = "") -> bool:
    """Return whether a text has a name with a number, or with any."""
    return any(not number or _is_number(found[2], number) for found in _places(text, name))


def has_other_number(text: str, name: str, number: str) -> bool:
    """Return whether a text has a name with other numbers only, or another version than a version."""
    if has_numbered(text, name, number):
        return False
    return has_numbered(text, name) or bool(_VERSION.match(number) and _VERSION.search(text))


def spans_of_number(spans: Sequence[Span], text: str, question: Question) -> Sequence[Span]:
    """Return the spans between the question's numbered name and the next one in a text with several; or all."""
    for name, number in numbered_names(question.text) if len(spans) > 1 else ():
        places = list(_places(text, name))
        own = next((at for at, place in enumerate(places) if place[2] == number), None)
        if own is not None and len(places) > 1:
            end = places[own + 1].start() if own + 1 < len(places) else len(text)
            return [span for span in spans if places[own].end() <= span[0] < end] or spans
    return spans


def _places(text: str, name: str) -> Iterator[re.Match[str]]:
    """Yield the places of a name with a number in a text."""
    return (match for match in _WORD_AND_NUMBER.finditer(text) if match[1].lower() == name.lower())


def _is_number(found: str, number: str) -> bool:
    return found == number or found.startswith(f"{number}.")
