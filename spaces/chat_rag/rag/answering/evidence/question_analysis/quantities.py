"""Which quantity a question asks for, and whether documents and quotes are about it at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rag.answering.abstention.foreign_question import are_english
from rag.answering.evidence.question_analysis.kinds import MONEY_WORDS, Kind
from rag.answering.evidence.question_analysis.mentions import has_word_like
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.amounts import has_measure, says_share
from rag.answering.evidence.units.answer_candidates import candidates
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.split import Unit
from rag.documents import Document
from rag.search.bm25 import STOP_WORDS, stems
from rag.search.languages import ENGLISH, detect_language

_ASKS = re.compile(r"what(?:['’]s| is| was| were| are) ", re.IGNORECASE)
# "What was Acme's dividend per share?" asks for a dividend: its words of money stand before the first of these.
_AFTER = re.compile(
    r"\b(?:of|in|on|at|by|to|for|from|with|per|as|during|between|and|or|that|which|when|if|after|before|under|over)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(rf"\b(?:{MONEY_WORDS})\b", re.IGNORECASE)
# These are amounts of what stands after them: "the value of the lease".
_AMOUNTS = frozenset(stems(["amounts values worth prices costs charges figures totals sums balances money"]))
# Words that documents have for one another.
_SYNONYMS = (
    "revenues sales turnover income",
    "profit income earnings gain",
    "loss deficit",
    "wages salary pay compensation remuneration",
    "fees charges costs price fare",
    "expenses costs spending expenditure",
    "fine penalty fee",
    "debt loans borrowings notes",
    "bonus incentive award",
    "premium price costs",
    "budget spending appropriation",
)
# A sentence can count these without their word: "281 deaths" are people.
PEOPLE = frozenset(stems(["people persons individuals men women times things ones percent more less fewer"]))
_NEXT_WORD = re.compile(r"[\s-]{1,3}([^\W\d_]+)")
_TOTAL = re.compile(r"\b(?:total|altogether|combined)\b", re.IGNORECASE)
# The titles of a part; "Income statement" is a title of the whole.
_PART = re.compile(
    r"\b(?:(?:non-?)?current|(?:long|short)-term|domestic|foreign|international|overseas|discontinued|other)\b",
    re.IGNORECASE,
)
# The rate is asked for itself, unlike in "the exchange rate policy" and "What is a credit score?".
_RATE = re.compile(
    r"what(?:['’]s| is| was| were| are) (?!an? )(?:[\w’'-]+ ){1,8}(?:rate|ratio|score)s?\b"
    r"(?=\W*$|\s(?:of|in|for|on|at|per|among|during)\b)",
    re.IGNORECASE,
)
_FIGURES = (Kind.NUMBER, Kind.PERCENT, Kind.MONEY)
_SIGN = re.compile(r"[$€£¥]")


def is_unknown_quantity(question: Question, documents: Iterable[Document]) -> bool:
    """Return whether a question asks for an amount of something that no document mentions, such as a dividend."""
    asks = _ASKS.match(question.text) if question.kind is Kind.MONEY else None
    words = _MONEY.findall(_AFTER.split(question.text[asks.end() :], 1)[0]) if asks else []
    documents = list(documents)
    if not words or set(stems(words)) & _AMOUNTS or not are_english(documents):
        return False
    alike = {each for word in words for each in _synonyms(word)}
    return not any(has_word_like(document, word.removesuffix("s")) for document in documents for word in alike)


def _synonyms(word: str) -> set[str]:
    """Return a word and those that documents can have for it."""
    groups = (group for group in _SYNONYMS if set(stems([word])) & set(stems([group])))
    return {word, *(other for group in groups for other in group.split())}


def lacks_counted(question: Question, unit: Unit) -> bool:
    """Return whether a question asks how many there are of what neither a unit nor the texts around it mention."""
    if question.kind is not Kind.NUMBER or not question.counted or question.counted & PEOPLE:
        return False
    if unit.cell and not (unit.measure or _SIGN.search(unit.text)):
        return False  # a table of counts needn't name what it counts; one of money has none
    if not unit.cell and _needs_no_noun(unit.text, question):
        return False
    around = (unit.heading, unit.before, unit.after, unit.label, unit.cell.column_header if unit.cell else "")
    is_english = detect_language(unit.text) == ENGLISH and are_english([unit.document])
    return is_english and not question.counted & set(stems([unit.text, *around]))


def _needs_no_noun(text: str, question: Question) -> bool:
    """Return whether a number has the symbol of its unit, or counts nothing else: "350 km", "a staff of 1,200"."""
    if any(has_measure(text[start:end]) for start, end in candidates(Kind.NUMBER, text, question)):
        return True
    start, end = answer_span(text, question)
    noun = _NEXT_WORD.match(text, end)
    return (start, end) != (0, len(text)) and not (noun and noun[1].lower() not in STOP_WORDS)


def is_part_of_total(question: Question, unit: Unit) -> bool:
    """Return whether a question asks for a total, and a cell is one of a part: "Deferred revenue" of those current."""
    cell = unit.cell
    part = _PART.search(cell.section) if cell and _TOTAL.search(question.text) else None
    if not cell or not part or part[0].lower() in question.text.lower():
        return False
    # "Total current" isn't a total of what isn't current.
    return not _TOTAL.search(f"{unit.label} {cell.column_header}") or part[0].lower() in cell.row_label.lower()


def lacks_answer(question: Question, unit: Unit, features: Mapping[str, float]) -> bool:
    """Return whether a question asks for a rate or share, and a unit with these features has none."""
    if question.kind is Kind.OTHER and not unit.cell and _RATE.match(question.text):
        has_figure = any(any(candidates(kind, unit.text, question)) for kind in _FIGURES)
        return not (has_figure or says_share(unit.text))
    return question.kind is Kind.PERCENT and bool(features["lacks a figure"])
