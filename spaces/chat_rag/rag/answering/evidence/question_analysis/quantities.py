"""Which quantity a question asks for, and whether documents and quotes are about it at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.mentions import has_word_like
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.answer_spans import candidates
from rag.answering.evidence.units.split import Unit
from rag.documents import Document
from rag.search.bm25 import stems

# "What was Acme's dividend per share?" asks for a dividend, the last noun before the first of these words.
_BEHIND = r"of|in|on|at|by|to|for|from|with|per|as|during|between|and|or|that|which|when|if|after|before|under|over"
_QUANTITY = re.compile(
    rf"^what(?:['’]s| is| was| were| are) (?:(?!(?:{_BEHIND})\b)[\w&’'.-]+ ){{0,8}}?(?!(?:{_BEHIND})\b)([^\W\d_]+)\W*"
    rf"(?=$|\b(?:{_BEHIND})\b)",
    re.IGNORECASE,
)
# These are amounts of what stands behind them: "the value of the lease".
_AMOUNTS = frozenset(stems(["amounts values prices costs charges figures totals sums balances"]))
# A sentence can count these without their word: "281 deaths" are people.
_GENERAL = frozenset(stems(["people persons individuals men women times things ones percent more less fewer"]))
_TOTAL = re.compile(r"\b(?:total|altogether|combined)\b", re.IGNORECASE)
_RATE = re.compile(r"what(?:['’]s| is| was| were| are) (?:[\w’'-]+ ){1,8}(?:rate|ratio|score)s?\b", re.IGNORECASE)
# A reason without "because": "to save money", "as it rained", "led to a loss".
_GIVES_REASON = re.compile(
    r"\b(?:(?:[Tt]o|[Ss]o|[Ff]or) [a-z]+|[Aa]s (?:[a-z]+ )+[a-z]+"
    r"|(?:led|made|help|impact|effect|affect|influenc|allow|enabl|purpose)[a-z]*)\b"
)
_FIGURES = (Kind.NUMBER, Kind.PERCENT, Kind.MONEY)
_SIGN = re.compile(r"[$€£¥]")


def is_unknown_quantity(question: Question, documents: Iterable[Document]) -> bool:
    """Return whether a question asks for an amount of something that no document mentions, such as a dividend."""
    quantity = _QUANTITY.match(question.text) if question.kind is Kind.MONEY else None
    if not quantity or set(stems([quantity[1]])) <= _AMOUNTS:
        return False
    return not any(has_word_like(document, quantity[1]) for document in documents)


def lacks_counted(question: Question, unit: Unit) -> bool:
    """Return whether a question asks how many there are of what neither a unit nor the texts around it mention."""
    if question.kind is not Kind.NUMBER or not question.counted or question.counted & _GENERAL:
        return False
    if unit.cell and not (unit.measure or _SIGN.search(unit.text)):
        return False  # a table of counts needn't name what it counts; one of money has none
    around = (unit.heading, unit.before, unit.after, unit.label, unit.cell.column_header if unit.cell else "")
    return not question.counted & set(stems([unit.text, *around]))


def is_part_of_total(question: Question, unit: Unit) -> bool:
    """Return whether a question asks for a total, and a cell is below a title: "Deferred revenue" of those current."""
    cell = unit.cell
    if not cell or not cell.section or not _TOTAL.search(question.text):
        return False
    asked = set(question.stems)
    return not (_TOTAL.search(f"{unit.label} {cell.column_header}") or set(stems([cell.section])) <= asked)


def lacks_answer(question: Question, unit: Unit, features: Mapping[str, float]) -> bool:
    """Return whether a question asks for a rate, share or reason, and a unit with these features has none."""
    if question.kind is Kind.REASON:
        return bool(features["lacks the kind"]) and not (unit.cell or _GIVES_REASON.search(unit.text))
    if question.kind is Kind.OTHER and not unit.cell and _RATE.match(question.text):
        return not any(any(candidates(kind, unit.text, question)) for kind in _FIGURES)
    return question.kind is Kind.PERCENT and bool(features["lacks a figure"])
