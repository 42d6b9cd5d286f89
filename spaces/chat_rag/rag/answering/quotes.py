"""A quote: the exact words of a document that answer a question."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

# "Net income per diluted share" is in dollars, also in a table in millions.
_PER_SHARE = re.compile(r"\bper(?:[\s-]++\w++){0,3}?[\s-]++share\b", re.IGNORECASE)
_MEASURE = re.compile(r"\bin (thousand|million|billion)s\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a document that answer a question, exactly as they stand there.

    `text` is `Document.text[start:end]`: a sentence, a list item or a row of a table. `answer_start` and `answer_end`
    are the characters of the document that answer. `probability` says how likely the quote answers, from 0 to 1. A
    cell of a table has its `row` and `column`, counted from 0, and its `labels`: row label, column header, and what
    says in which unit its figures are, such as "in millions".
    """

    document_id: str
    document: str
    page: int | None
    heading: str
    start: int
    end: int
    text: str
    answer_start: int
    answer_end: int
    probability: float
    labels: tuple[str, ...] = ()
    row: int | None = None
    column: int | None = None

    @property
    def answer(self) -> str:
        """The words that answer."""
        return self.text[self.answer_start - self.start : self.answer_end - self.start]

    @property
    def path(self) -> tuple[str, ...]:
        """What leads to the cell of a table: its row label and its column header."""
        return tuple(label for label in self.labels[:2] if label.strip() and not _MEASURE.search(label))

    @property
    def unit(self) -> str:
        """The unit after the value of a table's cell: "million" if the table is in millions; "" if it has its own."""
        measures = [match for label in self.labels if (match := _MEASURE.search(label))]
        has_own = "%" in self.answer or any(map(_PER_SHARE.search, self.path))
        return measures[-1][1].lower() if measures and not has_own else ""

    def as_json(self) -> dict[str, Any]:
        """Return the quote as JSON."""
        return asdict(self)
