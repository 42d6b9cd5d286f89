"""Recognizes sentences that define a term."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

_DEFINES = re.compile(
    r"\b(?:is|are|was|were) (?:defined|described|understood) (?:as|to)\b|\b(?:is|are) used to (?:refer|describe|mean)\b"
    r"|\b(?:refers? to|(?<!\bby )(?<!\bthe )means(?! of\b)|(?:(?<=\bshall )|(?<=[”\"’'] ))mean|stands? for)\b",
    re.IGNORECASE,
)
# What can stand after a term, or before it, in a sentence that says what it is.
_EXPLAINS = re.compile(
    r"\b(?:is|are|was|were|be|being|means?|meaning|refers?|stands?|denotes?|includes?|compris\w+|consists?|represents?"
    r"|presents?|describes?|reflects?|shows?|relates?|that is|i\.e)\b|[(:=–—”\"]|, or\b",
    re.IGNORECASE,
)
_CALLS = re.compile(r"\b(?:called|termed|known as|named|defined as|described as|considered|or)\W", re.IGNORECASE)
# "Affiliate: any entity" is a definition, "a list of each affiliate: Acme" is none.
_ENTRY = re.compile(r"^([^\n=:]{1,100})[=:]\s", re.MULTILINE)
_IS_A = re.compile(r"\s(?:is|are|was|were)\s(?:an?|the|one|some)\s")
_BRACKETS = re.compile(r"\([^()]*\)")
_REACH = 40  # characters between the beginning of a term and what defines it, without the term


def defines(question: Question, unit: Unit) -> bool:
    """Return whether a sentence defines the term that the question asks for: "Shift work refers to …"."""
    if not question.defined or unit.cell:
        return False
    reach = _REACH + sum(map(len, question.defined))
    starts = (match.start() for match in _DEFINES.finditer(unit.text))
    entries = (_BRACKETS.sub(" ", match[1]) for match in _ENTRY.finditer(unit.text))
    return any(question.defined <= set(stems([unit.text[max(0, start - reach) : start]])) for start in starts) or any(
        question.defined == set(stems([entry])) - STOP_WORDS for entry in entries
    )


def says_what_it_is(question: Question, unit: Unit) -> bool:
    """Return whether a sentence says what the only thing is that the question asks for: "A marl is a kind of clay"."""
    if unit.cell or not question.asks_what_it_is or not (copula := _IS_A.search(unit.text)):
        return False
    return set(stems([unit.text[: copula.start()]])) - STOP_WORDS == set(question.stems)


def may_define(question: Question, unit: Unit) -> bool:
    """Return whether a sentence can say what a term is, because it goes on after the term or calls something so."""
    reach = _REACH + sum(map(len, question.defined))
    before = (unit.text[max(0, each.start() - reach) : each.start()] for each in _EXPLAINS.finditer(unit.text))
    after = (unit.text[each.end() : each.end() + reach] for each in _CALLS.finditer(unit.text))
    return any(question.defined <= set(stems([text])) for text in (*before, *after))
