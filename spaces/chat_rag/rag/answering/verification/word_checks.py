"""Checks a sentence without figures by its names, its times and its words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from rag.answering.verification.clauses import find_direction
from rag.answering.verification.figures import find_periods
from rag.answering.verification.names import find_names
from rag.answering.verification.statements import Statements
from rag.answering.verification.support import Sources, sentence_spans
from rag.answering.verification.surroundings import Surroundings
from rag.answering.verification.verdicts import Evidence, Verdict
from rag.documents import Passage

# The share of the words that a passage must have to be cited for a sentence without figures, and to be its source.
MIN_CITED, MIN_SUPPORTED = 0.6, 0.35


class WordChecks:
    """Compares sentences without figures with some passages."""

    def __init__(self, statements: Statements, surroundings: Surroundings) -> None:
        self._passages, self._statements, self._surroundings = statements.passages, statements, surroundings

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self._passages)

    def check(self, sentence: str, preferred: Sequence[int]) -> Verdict:
        """Return the verdict on a sentence; passages in `preferred` are cited first."""
        shares = self._sources.shares(sentence)
        best = max(shares, key=lambda number: (shares[number], number in preferred, -number), default=0)
        passage = next((passage for passage in self._passages if passage.number == best), None)
        if (
            passage is None
            or shares[best] < MIN_SUPPORTED
            or not self._surroundings.have_names(find_names(sentence), passage)
        ):
            return Verdict(supported=False)
        start, end = self._sources.best_span(best, sentence)
        source = passage.text[start:end]
        if not self._has_periods(sentence, passage, source) or _is_opposite(sentence, source):
            return Verdict(supported=False)
        # A passage that the model names needs fewer of the words than one that is added.
        cited = [number for number in preferred if shares.get(number, 0) >= MIN_SUPPORTED]
        cited = cited or [best] * (shares[best] >= MIN_CITED)
        return Verdict(True, tuple(Evidence(number, *self._sources.best_span(number, sentence)) for number in cited))

    def _has_periods(self, sentence: str, passage: Passage, source: str) -> bool:
        """Return whether the times of a sentence are those of its source, or around it if the source has none."""
        around = f"{passage.text} {passage.heading} {self._statements.title(passage.document_id)}"
        own, nearby = ({(each.kind, each.value) for each in find_periods(text)} for text in (source, around))
        kinds = {kind for kind, _ in own}
        times = {(each.kind, each.value) for each in find_periods(sentence) if each.kind in ("year", "day")}
        return all(time in own if time[0] in kinds else time in nearby for time in times)


def _is_opposite(sentence: str, source: str) -> bool:
    """Return whether a sentence says "increased" where its source says "decreased", or the other way round."""
    directions = {find_direction(source[start:end]) for start, end in sentence_spans(source)} - {0}
    return bool(directions) and find_direction(sentence) == -next(iter(directions)) and len(directions) == 1
