"""Decides whether a figure of an answer is one of the passages' figures: its value, its unit and its sign."""

from __future__ import annotations

from rag.answering.verification.sentences.clauses import Clause
from rag.answering.verification.sentences.figures import Figure
from rag.answering.verification.sources.statements import Statement

# A positive income isn't a figure in parentheses, unless it's a tax or an expense.
_INCOME, _CHARGE = "incom", frozenset({"tax", "cost", "loss", "provis", "other", "use"})


def is_same_figure(clause: Clause, statement: Statement) -> bool:
    """Return whether both figures are the same value with the same unit, as far as the answer is exact."""
    answer, source = clause.figure, statement.clause.figure
    if not _same_unit(answer, source, statement) or clause.direction * statement.clause.direction < 0:
        return False
    if source.negative and not answer.negative and _INCOME in clause.words and not clause.words & _CHARGE:
        return False
    if source.scale != 1:
        values = [source.value * source.scale]
    else:
        scale = statement.scale or 1
        # A per-share amount isn't in millions, and many answers leave the scale out.
        values = (
            [source.value * scale] if answer.scale != 1 and statement.scale else [source.value, source.value * scale]
        )
    if answer.scale == 1 and answer.text == source.text:
        return source.scale == 1
    value, tolerance = answer.value * answer.scale, _tolerance(answer)
    return any(abs(value - each) <= tolerance + 1e-9 * abs(each) for each in values)


def _same_unit(answer: Figure, source: Figure, statement: Statement) -> bool:
    if (answer.unit == "%") != (source.unit == "%"):
        return "percent" in statement.context or (answer.unit == "%" and statement.is_cell and source.unit == "")
    return answer.unit == source.unit or "" in (answer.unit, source.unit)


def _tolerance(figure: Figure) -> float:
    """Return half of the last digit of a rounded figure; a short one is exact."""
    digits = figure.text.replace(",", "").replace(".", "").lstrip("0")
    return figure.step * figure.scale / 2 if len(digits) >= 2 and (figure.scale != 1 or figure.unit == "%") else 0.0
