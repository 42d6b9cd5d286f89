"""How likely quotes answer with those that have the same words or the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.answering.quotes import Quote

# Of the first sentences that are less likely than this by themselves, more are wrong than right: of those that had no
# note, 22 and 21 (November 2026).
_SURE_ALONE = 0.35


def probabilities_of_texts(units: Iterable[Unit], probabilities: Iterable[float]) -> Mapping[str, float]:
    """Return how likely each sentence answers, in whichever of its places."""
    sums = defaultdict[str, float](float)
    for unit, probability in zip(units, probabilities, strict=True):
        if not unit.cell:
            sums[unit.text] += float(probability)
    return sums


def joint_probability(quotes: Sequence[Quote], of_texts: Mapping[str, float]) -> float:
    """Return how likely one of the quotes answers."""
    texts = {quote.text for quote in quotes if not quote.labels}
    return sum(of_texts[text] for text in texts) + sum(quote.probability for quote in quotes if quote.labels)


def is_one_of_many(question: Question, quotes: Sequence[Quote], of_texts: Mapping[str, float]) -> bool:
    """Return whether the first sentence isn't likely by itself, with those that have the same words or answer."""
    first = quotes[0]
    if first.labels or not question.is_english:
        return False
    alike = [quote for quote in quotes if quote is first or _has_same_answer(quote, first)]
    return joint_probability(alike, of_texts) < _SURE_ALONE


def _has_same_answer(quote: Quote, other: Quote) -> bool:
    answers = [" ".join(each.answer.lower().split()).strip(",.;") for each in (quote, other)]
    return quote.answer != quote.text and answers[0] == answers[1]
