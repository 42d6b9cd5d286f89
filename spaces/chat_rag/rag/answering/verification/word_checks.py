"""Checks a sentence without figures by its names, its times and its words."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.verification.contradiction import contradicts
from rag.answering.verification.sentences.clauses import find_direction
from rag.answering.verification.sentences.english.bounds import has_other_bound, without_bounds
from rag.answering.verification.sentences.english.causes import has_other_cause
from rag.answering.verification.sentences.english.roles import has_other_roles
from rag.answering.verification.sentences.figures import find_periods, without_figures
from rag.answering.verification.sentences.names import find_names
from rag.answering.verification.sentences.wording import wording
from rag.answering.verification.sources.source_sentences import Source, SourceSentences
from rag.answering.verification.sources.statements import Statement, Statements
from rag.answering.verification.sources.surroundings import Surroundings
from rag.answering.verification.support import sentence_spans
from rag.answering.verification.verdicts import Evidence, Verdict
from rag.documents import Passage
from rag.search.languages import ENGLISH

# The share of the words, by weight, that a sentence of a passage must have; and how much less than the best one.
MIN_SHARE, NEAR_BEST = 0.75, 0.05
# The same where the sentence has the figures of another one: what is around them must not say something else.
MIN_SHARE_AROUND = 0.5
_FEWEST_WORDS = 2
# So many sources are compared.
_MOST_SOURCES = 6


class WordChecks:
    """Compares sentences without figures with the sentences of some passages."""

    def __init__(self, statements: Statements, surroundings: Surroundings) -> None:
        self._statements, self._surroundings = statements, surroundings
        self._sentences = SourceSentences(statements.passages, statements.documents)

    def prepare(self) -> None:
        """Read the sentences of the passages."""
        self._sentences.read()

    def find(self, sentence: str, minimum: float = MIN_SHARE) -> str:
        """Return the source with most words of a sentence and at least two, whatever it says of them, or ""."""
        for source in self._sentences.find(sentence, minimum):
            if len(source.claim.content & source.words.content) >= _FEWEST_WORDS:
                _, start, end = source.place
                return source.sentences[0].passage.text[start:end]
        return ""

    def check(self, sentence: str, preferred: Sequence[int]) -> Verdict:
        """Return the verdict on a sentence; passages in `preferred` are cited first."""
        sources = self._sentences.find(sentence, MIN_SHARE)
        near = [each for each in sources if each.rank >= sources[0].rank - NEAR_BEST][:_MOST_SOURCES]
        supporting: dict[int, Evidence] = {}
        for source in near:
            if self._holds(sentence, source):
                number, start, end = source.place
                supporting.setdefault(number, Evidence(number, start, end))
        cited = [supporting[number] for number in preferred if number in supporting]
        return Verdict(bool(supporting), tuple(cited or [*supporting.values()][:1]))

    def deny(self, sentence: str, statements: Sequence[Statement]) -> bool:
        """Return whether what has most words of a sentence around its figures doesn't say the same."""
        numbers = {statement.passage.number for statement in statements if not statement.is_cell}
        sources = self._sentences.find(without_figures(without_bounds(sentence)), MIN_SHARE_AROUND)
        near = [each for each in sources if each.place[0] in numbers and any(_has(each, at) for at in statements)]
        return bool(near) and all(_differs(sentence, each) for each in near[:_MOST_SOURCES])

    def _holds(self, sentence: str, source: Source) -> bool:
        passage = source.sentences[0].passage
        _, start, end = source.place
        return (
            not _differs(sentence, source)
            and self._surroundings.have_names(find_names(sentence), passage)
            and self._has_periods(sentence, passage, passage.text[start:end])
            and not _is_opposite(sentence, passage.text[start:end])
        )

    def _has_periods(self, sentence: str, passage: Passage, source: str) -> bool:
        """Return whether the times of a sentence are those of its source, or around it if the source has none."""
        around = f"{passage.text} {passage.heading} {self._statements.title(passage.document_id)}"
        own, nearby = ({(each.kind, each.value) for each in find_periods(text)} for text in (source, around))
        kinds = {kind for kind, _ in own}
        times = {(each.kind, each.value) for each in find_periods(sentence) if each.kind in ("year", "day")}
        return all(time in own if time[0] in kinds else time in nearby for time in times)


def _differs(sentence: str, source: Source) -> bool:
    """Return whether a source doesn't say the same although it has the words of a sentence."""
    language = source.sentences[0].language
    if contradicts(source.claim, source.words, wording(language)):
        return True
    _, start, end = source.place
    text = source.sentences[0].passage.text[start:end]
    checks = (has_other_roles, has_other_bound, has_other_cause)
    return language == ENGLISH and any(check(sentence, text) for check in checks)


def _has(source: Source, statement: Statement) -> bool:
    """Return whether a statement of prose stands in a source."""
    number, start, end = source.place
    return number == statement.passage.number and start <= statement.start and statement.end <= end


def _is_opposite(sentence: str, source: str) -> bool:
    """Return whether a sentence says "increased" where its source says "decreased", or the other way round."""
    directions = {find_direction(source[start:end]) for start, end in sentence_spans(source)} - {0}
    return bool(directions) and find_direction(sentence) == -next(iter(directions)) and len(directions) == 1
