"""Ranks the sentences and cells that can answer a question, and makes quotes of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answering.evidence.agreement import is_one_of_many, joint_probability, probabilities_of_texts
from rag.answering.evidence.decision import SURE, lacks_figure
from rag.answering.evidence.doubts.named_columns import are_outdone
from rag.answering.evidence.doubts.near_misses import is_near_miss
from rag.answering.evidence.doubts.other_cells import only_repeats
from rag.answering.evidence.doubts.other_names import is_of_other_number, lacks_role
from rag.answering.evidence.doubts.other_statements import says_otherwise
from rag.answering.evidence.exact_rows import is_exactly_asked, is_part_of_larger
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.features.questions import Situation
from rag.answering.evidence.features.units import Measurer
from rag.answering.evidence.model import packaged_model
from rag.answering.evidence.question_analysis.comparisons import fails_comparison
from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.mentions import are_meant, covered_years
from rag.answering.evidence.question_analysis.quantities import is_part_of_total, lacks_answer, lacks_counted
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.quote_figures import is_other_figure, says_same
from rag.answering.evidence.tables.figures import is_figure, value
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.definitions import defines, says_what_it_is
from rag.answering.evidence.units.headings import answers_heading, is_heading_without_answer
from rag.answering.evidence.units.own_questions import answer_start
from rag.answering.evidence.units.short_headers import with_whole_words
from rag.answering.evidence.units.split import Unit
from rag.answering.quotes import Quote
from rag.search.embedding.embedders import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_QUOTES = 3
# A further quote is at least this share as likely as the first one.
LEAST_SHARE = 0.1
# If the best unit is so much better than any that has the question's name, the documents answer for another name only.
_MAX_AFTER = 2.0
# A quote with another figure under the same labels leaves doubt if it is at least this share as likely.
_AS_LIKELY = 0.4
# What a definition gains where one is asked for, and the answer below a heading that asks the question; what is lost by
# a sentence without a figure where a share is asked for, one that says something else with the words of the question,
# a cell that isn't above or below its number, and one in another column than the question names.
_DEFINES, _ANSWERS, _WITHOUT_SHARE, _SAYS_OTHERWISE, _FAILS, _OUTDONE = 3.0, 2.0, 2.0, 2.0, 5.0, 5.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The quotes of the best units that can be meant, best first, and how likely the documents answer the question.

    The `likely` ones aren't far less likely than the first; `probability` is theirs together, with that of the same
    words in other places.
    `without_figure` says that the question asks for a figure that no quote has, `is_other_period` that the best unit is
    a figure for another time. `is_doubtful` says that the best unit isn't about what the question counts or its total,
    that it only comes near to what the question asks for, or that another one with the same labels has another figure.
    `is_exact` says that an improbable one is the only figure for just what the question asks.
    """

    quotes: tuple[Quote, ...]
    likely: tuple[Quote, ...]
    probability: float
    answered: float
    without_figure: bool
    is_other_period: bool
    is_doubtful: bool
    is_exact: bool


def rank_units(situation: Situation, units: Sequence[Unit], embedder: Embedder) -> Ranking:
    """Rank the units by how likely each of them answers the question."""
    import numpy as np

    model, question = packaged_model(), situation.question
    # Those left out would be the best ones by their words, and all others far behind.
    shown_units = [unit for unit in units if not only_repeats(question, unit)] or units
    units = [with_whole_words(question, unit) for unit in shown_units]
    measurer = Measurer(question, units)
    meant = np.array(are_meant(question, units))
    # A multilingual model finds answers in another language, which have no word of the question.
    likely = list(range(len(units))) if embedder.multilingual else model.likely_units(measurer.words, meant)
    values, meant = measurer.table(embedder, likely), meant[likely]
    shown_units, units = [shown_units[at] for at in likely], [units[at] for at in likely]
    scores = model.units.scores(values) + _corrections(question, units, values)
    is_near = meant.any() and scores[meant].max() > scores.max() - _MAX_AFTER
    answered = model.answered(situation, values, scores, meant) if is_near else 0.0
    probabilities = answered * model.units.shares(scores)
    order = [at for at in (-scores).argsort(kind="stable") if meant[at] or not meant.any()]
    quotes = tuple(quote_of(shown_units[at], question, float(probabilities[at])) for at in order[:MAX_QUOTES])
    best = dict(zip(NAMES, values[order[0]].tolist(), strict=True))
    shown = plain_words_first(_likely(quotes))
    of_texts = probabilities_of_texts(shown_units, probabilities.tolist())
    probability = joint_probability(shown, of_texts)
    without_figure = lacks_figure(question, values[order[: len(shown)]])
    is_other = _is_other_period(question, units[order[0]], best)
    first = units[order[0]]
    is_doubtful = (
        lacks_counted(question, first)
        or is_part_of_total(question, first)
        or has_other_figure(shown)
        or is_one_of_many(question, shown, of_texts)
        or lacks_role(question, first, measurer.likeness(first))
        or lacks_answer(question, first, best)
        or says_otherwise(question, first)
        or is_near_miss(question, first, units)
        or is_part_of_larger(question, first)
    )
    is_exact = probability < SURE and not without_figure and is_exactly_asked(question, first)
    return Ranking(quotes, shown, probability, answered, without_figure, is_other, is_doubtful, is_exact)


def _corrections(question: Question, units: Sequence[Unit], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the model doesn't know of the units: what they define or lack, and what doesn't fit the question."""
    import numpy as np

    defining = np.array([defines(question, unit) for unit in units], np.float64)
    lacking = values[:, NAMES.index("lacks a figure")] * (question.kind is Kind.PERCENT)
    other = np.array(
        [says_otherwise(question, unit) or is_of_other_number(question, unit) for unit in units], np.float64
    )
    answering = np.array(
        [answers_heading(question, unit) or says_what_it_is(question, unit) for unit in units], np.float64
    )
    failing = np.array(
        [fails_comparison(question, unit) or is_heading_without_answer(question, unit) for unit in units], np.float64
    )
    outdone = np.array(are_outdone(question, units), np.float64)
    gains = _DEFINES * defining + _ANSWERS * answering
    lost = _WITHOUT_SHARE * lacking + _SAYS_OTHERWISE * other + _FAILS * failing + _OUTDONE * outdone
    corrections: NDArray[np.float64] = gains - lost
    return corrections


def has_other_figure(quotes: Sequence[Quote]) -> bool:
    """Return whether another cell with the labels of the first one, which is as likely, has another figure."""
    first = quotes[0]
    if not first.labels or not is_figure(first.answer):
        return False
    same = (quote for quote in quotes[1:] if quote.labels[:2] == first.labels[:2] and is_figure(quote.answer))
    return any(is_other_figure(first, quote) for quote in same if quote.probability >= _AS_LIKELY * first.probability)


def _is_other_period(question: Question, unit: Unit, features: Mapping[str, float]) -> bool:
    """Return whether a cell is of another time than the question's, or a sentence of a document about other years."""
    if unit.cell:
        return features["period"] < 0 or (bool(question.years) and features["cell year"] == -1)
    is_figure = question.kind in (Kind.MONEY, Kind.PERCENT)
    return is_figure and features["text year"] < 0 and not question.years & set(covered_years([unit.document]))


def _likely(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Return the quotes without those that are far less likely than the first one."""
    return tuple(quote for quote in quotes if quote.probability >= LEAST_SHARE * quotes[0].probability)


def plain_words_first(quotes: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """Put the sentence first that has the amount of a cell in brackets: "we paid $99 million" says more than "(99)"."""
    amount = value(quotes[0].answer) if quotes and quotes[0].labels else None
    if amount is None or amount >= 0:
        return quotes
    for place, quote in enumerate(quotes):
        is_likely = quote.probability >= _AS_LIKELY * quotes[0].probability
        if is_likely and not quote.labels and value(quote.answer) == -amount and says_same(quotes[0], quote):
            return (quote, *quotes[:place], *quotes[place + 1 :])
    return quotes


def quote_of(unit: Unit, question: Question, probability: float) -> Quote:
    """Return a unit as a quote, with the labels of a cell and the place of the answer in it."""
    labels: tuple[str, ...] = ()
    if unit.cell:
        start, end = unit.cell.cell.start - unit.start, unit.cell.cell.end - unit.start
        section = unit.cell.section.rstrip(": ")  # "Operating income" of a segment isn't the company's
        label = (
            f"{section}: {unit.cell.row_label}" if section and unit.cell.row_label else unit.cell.row_label or section
        )
        measure = "" if unit.cell.text.endswith("%") else unit.measure  # a share of a table in millions is none
        labels = tuple(filter(None, (label, unit.cell.column_header, measure)))
    else:
        start, end = answer_span(unit.text, question)
        if (start, end) == (0, len(unit.text)):
            start = answer_start(unit.text)
    return Quote(
        document_id=unit.document.id,
        document=unit.document.name,
        page=unit.document.page_of(unit.start),
        heading=unit.heading,
        start=unit.start,
        end=unit.end,
        text=unit.text,
        answer_start=unit.start + start,
        answer_end=unit.start + end,
        probability=round(probability, 4),
        labels=labels,
        row=unit.cell.cell.row if unit.cell else None,
        column=unit.cell.cell.column if unit.cell else None,
    )
