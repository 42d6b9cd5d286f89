"""Recognizes cells of another row or column than the one that a question asks for, by the words of the labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.periods import PERIOD_STEMS
from rag.answering.evidence.question_analysis.quantities import PEOPLE
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_kinds import has_kind
from rag.answering.evidence.tables.cell_scope import WHOLE, label_stems, text_stems
from rag.answering.evidence.tables.figures import is_figure
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.tables.table_rows import ASKING
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

# Each label has words of a question for several figures: "sales and purchases, respectively".
_SEVERAL = re.compile(r"\brespective|\b(?:both|each)\b", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([^\W\d_]{1,3})\)")
# A column needn't say these of what it names: "the ticket price" is in the column "Ticket".
_HEADS = frozenset(stems(["price cost fee size time date name life weight length"]))
_CODE = re.compile(r"\b[A-Z]{1,4}-?\d+\b")  # of an article or a course, in the label of its row
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)
_TOTAL = frozenset(stems(["total"]))
_JOINING = frozenset(["of", "on", "in", "for", "per"])
_WORD = re.compile(r"[^\W_]+")
# What neither a label nor a question needs to name: "the average value", "in which year was it higher", "spent on".
GENERAL = (
    PERIOD_STEMS
    | STOP_WORDS
    | ASKING
    | frozenset(stems(["values amounts number figure count quantity percentage percent rate average net data"]))
    | frozenset(stems(["larger largest higher highest lower lowest greater greatest smaller smallest more less"]))
    | frozenset(stems(["due related information balances"]))
)


def is_of_other_labels(question: Question, unit: Unit, units: Sequence[Unit]) -> bool:
    """Return whether another row or column of a table has a word of the question that the labels of a cell lack.

    The other row's label has no further words, and as many of the question: "Granted" beside "Outstanding" for "How
    many options were granted?". A share needn't name what it is of, nor does a row that has a name of the question.
    """
    if not unit.cell or _SEVERAL.search(question.text):
        return False
    if question.kind is Kind.PERCENT and has_kind(question, unit.cell, unit.measure):
        return False
    asked = set(question.stems)
    lacking = asked - _words(unit) - GENERAL - WHOLE
    label = label_stems(unit)
    least = len(label & asked - GENERAL) if label.isdisjoint(question.name_stems) else len(asked)
    return bool(lacking) and any(
        _has_label(other, asked, lacking, least) if other.start != unit.start else _has_header(other, lacking)
        for other in units
        if other.cell and other.document.id == unit.document.id and other.before == unit.before  # of this table
    )


def is_not_the_total(question: Question, unit: Unit, units: Sequence[Unit]) -> bool:
    """Return whether a question without a year asks for a total, and a cell isn't in the column "Total" of its row."""
    if not unit.cell or question.years or not _TOTAL & set(question.stems):
        return False
    row = [other.cell for other in units if other.cell and _place(other) == _place(unit)]
    return not _is_total(unit.cell) and any(map(_is_total, row))


def _is_total(cell: LabeledCell) -> bool:
    return {stem for stem in stems([cell.column_header]) if stem.isalpha()} - PERIOD_STEMS == _TOTAL


def _place(unit: Unit) -> tuple[str, int]:
    """Return the row of a cell."""
    return unit.document.id, unit.start


def names_something_else(question: Question, unit: Unit) -> bool:
    """Return whether a label and a question name different things with one word: "Monthly pass" and "annual pass".

    The label, and what stands around it, lack the question's word, which has a word of the label beside it, and the
    label has a word that the question lacks. "Body" alone doesn't name a "body temperature".
    """
    if not unit.cell or _SEVERAL.search(question.text):
        return False
    around = unit.once(text_stems, unit.before, unit.heading, unit.measure, unit.text)
    lacking = set(question.stems) - _words(unit) - around - GENERAL
    label = label_stems(unit) - GENERAL - text_stems(*_CODE.findall(unit.cell.row_label))
    header = unit.once(text_stems, unit.cell.column_header) - GENERAL
    is_other, has_other_column = bool(_unasked(question, label)), bool(_unasked(question, header))
    shared = label - question.name_stems  # "kilometers does Juno offer" isn't a name of one thing
    header_alone = header - question.name_stems if unit.once(is_figure, unit.cell.text) else frozenset[str]()
    # A column's word has the lacking one before it: the "capital" of "capital cost", but "assets calculated".
    return bool(lacking) and any(
        stem in lacking
        and (
            (is_other and shared & {before, following})
            or (has_other_column and following in header)
            or (header_alone == {before} and len(before) > 1 and stem not in _HEADS)
        )
        for before, stem, following in _neighbors(question)
    )


def counts_something_else(question: Question, unit: Unit) -> bool:
    """Return whether a cell says how many there are of something else than what a question counts.

    In the row "Ferry" of "How many ferries are there?", the column "Employees" doesn't count ferries, nor does "Seats"
    in that of a ship count its cabins. A column can have the symbol of what is counted: "Power (W)" has watts.
    """
    if not unit.cell or question.kind is not Kind.NUMBER or not question.counted:
        return False
    header = unit.once(text_stems, unit.cell.column_header) - GENERAL
    if not question.counted.isdisjoint(header) or not _unasked(question, header):
        return False
    if not question.counted.isdisjoint(label_stems(unit)):
        return True
    around = unit.once(text_stems, unit.label, unit.before, unit.heading, unit.measure)
    symbols = {symbol[0].lower() for symbol in _IN_BRACKETS.findall(unit.cell.column_header)}
    is_symbol = any(each[0] in symbols for each in question.counted)
    return not is_symbol and header.isdisjoint(question.stems) and question.counted.isdisjoint(around | PEOPLE)


def only_repeats(question: Question, unit: Unit) -> bool:
    """Return whether a cell has only words of the question, or the number in it of a row: "24" in "line 24".

    "Port of the metrics" isn't the port. It can be one of those that a question gives to choose from.
    """
    if not unit.cell or question.kind is Kind.YES_NO or _CHOICE.search(question.text):
        return False
    words = unit.once(text_stems, unit.cell.text) - STOP_WORDS
    is_worded = any(map(str.isalpha, words)) or not unit.cell.cell.column
    return is_worded and bool(words) and words <= set(question.stems)


def _unasked(question: Question, label: frozenset[str]) -> set[str]:
    return {stem for stem in label.difference(question.stems, WHOLE) if stem.isalpha()}


def _words(unit: Unit) -> frozenset[str]:
    cell = unit.cell
    return unit.once(text_stems, unit.label, cell.column_header, cell.row_words) if cell else frozenset()


def _has_label(other: Unit, asked: set[str], lacking: set[str], least: int) -> bool:
    label = label_stems(other) - WHOLE
    return len(label) >= least and label <= asked and bool(label & lacking)


def _has_header(other: Unit, lacking: set[str]) -> bool:
    return bool(other.cell and other.once(text_stems, other.cell.column_header) & lacking)


def _neighbors(question: Question) -> Iterator[tuple[str, str, str]]:
    """Yield the stem of each word of a question between those of the words that it is joined with.

    It is "" where a number or a stop word is between them, such as a verb, but "return on equity" is one name.
    """
    words = [word for word in _WORD.findall(question.text.lower()) if word not in _JOINING]
    own = ["", *map(_own_stem, words), ""]
    yield from zip(own, own[1:], own[2:], strict=False)


def _own_stem(word: str) -> str:
    """Return the stem of a word that can be a part of a name, or ""."""
    stem = next(iter(stems([word])), "")
    return "" if word in STOP_WORDS or stem in ASKING or not word.isalpha() else stem
