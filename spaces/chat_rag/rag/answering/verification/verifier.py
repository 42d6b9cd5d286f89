"""Decides whether the passages say what a sentence says, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.answering.verification.absence_claims import denies_the_same, missing_words, says_nothing
from rag.answering.verification.figure_checks import FigureChecks
from rag.answering.verification.sentences.clauses import Clause, figure_clauses
from rag.answering.verification.sentences.names import find_names, find_phrases, normalize
from rag.answering.verification.sources.statements import Statement, Statements
from rag.answering.verification.sources.surroundings import Surroundings
from rag.answering.verification.support import content_tokens
from rag.answering.verification.verdicts import Evidence, Verdict
from rag.answering.verification.word_checks import WordChecks
from rag.documents import Document, Passage

# A sentence with fewer content words, without a figure or a name, makes no claim.
MIN_WORDS = 4
# A source has this share of what a passage mentions: "the height of the tower" is more than "the tower".
NEARLY_ALL = 0.95
# A sentence with more figures isn't supported. Each is compared with all of the passages, 3 ms for a large table.
MAX_FIGURES = 40
# Passages with more figures are compared in a thread: a sentence would take up to 0.2 s.
MANY_STATEMENTS = 100


class Verifier:
    """Checks sentences against some passages."""

    def __init__(self, passages: Sequence[Passage], documents: Mapping[str, Document]) -> None:
        self._passages = passages
        self._statements = Statements(passages, documents)
        surroundings = Surroundings(self._statements)
        self._figures = FigureChecks(self._statements, surroundings)
        self._words = WordChecks(self._statements, surroundings)

    def prepare(self) -> None:
        """Read the passages, which takes longer than a check: the thread that serves the pages must not do it."""
        self._statements.read()
        self._figures.prepare()
        self._words.prepare()

    @property
    def is_slow(self) -> bool:
        """Whether a check can take long enough to keep others waiting."""
        return len(self._statements.all) > MANY_STATEMENTS

    def check(self, sentence: str, preferred: Sequence[int] = ()) -> Verdict | None:
        """Return the verdict on a sentence, or None if it claims nothing; passages in `preferred` are cited first."""
        clauses = figure_clauses(sentence)
        if sentence.rstrip("*_ ").endswith("?"):
            return None
        if not clauses and says_nothing(sentence):
            about = missing_words(sentence)
            if not denies_the_same(sentence, self._words.find(about)):
                return Verdict(supported=False) if self._words.find(about, NEARLY_ALL) else None
        if not self._claims_something(sentence, clauses):
            return self._words.check(sentence, preferred) if self._words.find(sentence) else None
        if len(clauses) > MAX_FIGURES or not self._has_phrases(sentence):
            return Verdict(supported=False)
        if not clauses:
            return self._words.check(sentence, preferred)
        names = find_names(sentence)
        chosen: list[Statement] = []
        for clause in clauses:
            used = {statement.passage.number for statement in chosen} or set(preferred)
            statement = self._figures.best_statement(clause, names, used)
            if statement is None:
                return Verdict(supported=False)
            chosen.append(statement)
        return Verdict(supported=not self._words.deny(sentence, chosen), evidence=_merge(chosen))

    def _claims_something(self, sentence: str, clauses: Sequence[Clause]) -> bool:
        if clauses:  # a lone digit isn't a claim
            return any(clause.words or len(clause.figure.text) > 1 for clause in clauses)
        named = any(not name.begins for name in find_names(sentence))
        return named or len(set(content_tokens(sentence))) >= MIN_WORDS

    def _has_phrases(self, sentence: str) -> bool:
        phrases = find_phrases(sentence)
        texts = [normalize(passage.text) for passage in self._passages] if phrases else []
        return all(any(phrase in text for text in texts) for phrase in phrases)


def _merge(statements: Sequence[Statement]) -> tuple[Evidence, ...]:
    """Return the evidence: for each passage the part with all its statements."""
    parts: dict[int, tuple[int, int]] = {}
    for statement in statements:
        start, end = parts.get(statement.passage.number, (statement.start, statement.end))
        parts[statement.passage.number] = min(start, statement.start), max(end, statement.end)
    return tuple(Evidence(number, *span) for number, span in parts.items())
