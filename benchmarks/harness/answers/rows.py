"""The features of each question of the answer sets, and of near misses: questions that the documents don't answer.

A near miss is a question without the passages, or the paragraph, that answer it; a question put to the context that is
most like its own; a question with a year that the documents don't have; or one of another text, put to names of this
one: "When was Warsaw built?" asks Tesla's article when Tesla was built.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.answers.sets import Case, Corpus, Span, normal, open_libraries
from rag.answering.abstention.abstain import measure_evidence
from rag.answering.evidence.candidates import CANDIDATES
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.features.questions import Situation
from rag.answering.evidence.features.units import Measurer
from rag.answering.evidence.question_analysis.mentions import find_missing
from rag.answering.evidence.question_analysis.periods import years_of
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.question_analysis.typos import read_question
from rag.answering.evidence.units.split import Unit, find_units
from rag.answering.retrieve import retrieve_passages
from rag.answering.verification.support import content_tokens
from rag.documents import Document, Passage
from rag.search.embedding.embedders import Embedder

_RANKED = 40  # enough to keep CANDIDATES after those with the answer are taken out
_YEAR = re.compile(r"(?:19|20)\d\d")
_NAMES = 5  # of a text, which questions of other texts get
_ABSENT_YEARS = ("2031", "2035", "1931", "1937")


@dataclass(frozen=True)
class Row:
    """A question with the features of its units, which of them answer, and what share of the gold words each one has.

    `near_miss` is "" or says why the documents don't answer.
    """

    case: Case
    near_miss: str
    values: Any
    answers: Any
    held_words: Any
    situation: Situation
    texts: tuple[str, ...]


def collect(corpus: Corpus, embedder: Embedder, folder: Path, others: Sequence[Case]) -> Iterator[Row]:
    """Yield the rows of a corpus; `others` are cases of other corpora."""
    for library, cases in open_libraries(corpus, embedder, folder):
        documents = {document.id: document for document in library.documents}
        years = {year for document in library.documents for year in years_of(document.text)}
        for case in cases:
            passages = retrieve_passages([library], case.question, embedder, limit=_RANKED)
            yield _row(case, "", passages, documents, embedder)
            if corpus.name not in ("xquad", "tables"):
                yield _row(case, "answer taken out", _without_answer(passages, case), documents, embedder)
            if _YEAR.search(case.question):
                absent = next(year for year in _ABSENT_YEARS if year not in years)
                other = replace(case, question=_YEAR.sub(absent, case.question))
                passages = retrieve_passages([library], other.question, embedder, limit=CANDIDATES)
                yield _row(other, "other year", passages, documents, embedder)
    for name, part in _near_misses(corpus, embedder, others):
        for library, cases in open_libraries(part, embedder, folder):
            documents = {document.id: document for document in library.documents}
            for case in cases:
                passages = retrieve_passages([library], case.question, embedder, limit=CANDIDATES)
                yield _row(case, name, passages, documents, embedder)


def _row(
    case: Case, near_miss: str, passages: Sequence[Passage], documents: dict[str, Document], embedder: Embedder
) -> Row:
    passages = passages[:CANDIDATES]
    question, units = read_question(case.question, passages), find_units(passages, documents)
    values = Measurer(question, units).table(embedder) if units else np.zeros((0, len(NAMES)))
    evidence = measure_evidence(question.text, passages)
    gold = [] if near_miss else _gold_words(case, documents)
    return Row(
        case,
        near_miss,
        values,
        np.array([not near_miss and is_answer(case, unit) for unit in units], bool),
        np.array([_share(gold, unit.text) for unit in units]),
        Situation(question, evidence, find_missing(question, documents.values())),
        tuple(" | ".join((unit.text[:200], *(_labels(unit)))) for unit in units),
    )


def is_answer(case: Case, unit: Unit) -> bool:
    """Return whether a unit is the gold cell, or shares half of its characters, or of the span's, with a gold span."""
    if unit.document.name != case.document:
        return False
    if case.cells:
        return bool(unit.cell) and (unit.cell.cell.row, unit.cell.cell.column) in case.cells
    if unit.cell and case.corpus == "tables":
        return False
    lengths = [
        (overlap((unit.start, unit.end), span), min(unit.end - unit.start, span[1] - span[0])) for span in case.spans
    ]
    return any(shared > 0 and 2 * shared >= length for shared, length in lengths)


def overlap(first: Span, second: Span) -> int:
    """Return how many characters two spans share; negative if there is a gap between them."""
    return min(first[1], second[1]) - max(first[0], second[0])


def _labels(unit: Unit) -> tuple[str, ...]:
    return (unit.label, unit.cell.column_header, unit.cell.text) if unit.cell else ()


def _without_answer(passages: Sequence[Passage], case: Case) -> list[Passage]:
    return [each for each in passages if all(overlap((each.start, each.end), span) <= 0 for span in case.spans)]


def _gold_words(case: Case, documents: dict[str, Document]) -> list[str]:
    document = next(document for document in documents.values() if document.name == case.document)
    return sorted({token for start, end in case.spans for token in content_tokens(document.text[start:end])})


def _share(gold: Sequence[str], text: str) -> float:
    return len(set(gold) & set(content_tokens(text))) / len(gold) if gold else 0.0


def _near_misses(corpus: Corpus, embedder: Embedder, others: Sequence[Case]) -> Iterator[tuple[str, Corpus]]:
    """Yield libraries that don't answer the questions put to them, and why."""
    if corpus.name != "tables":
        for name, text in next(iter(corpus.libraries.values())).items():
            own = [case for case in corpus.cases if case.document == name]
            strangers = [case for case in corpus.cases if case.document != name] or others
            cases = _with_names_of(strangers, own, text, library=name)
            yield "other question", Corpus(corpus.name, {name: {name: text}}, tuple(cases))
    if corpus.name == "xquad":
        for name, text in corpus.libraries["xquad"].items():
            for number, paragraph in enumerate(paragraphs := text.rstrip("\n").split("\n\n")):
                start = len("\n\n".join(paragraphs[:number])) + 2 * bool(number)
                cases = [
                    replace(case, library=name)
                    for case in corpus.cases
                    if case.document == name and start <= case.spans[0][0] < start + len(paragraph)
                ]
                rest = "\n\n".join(each for each in paragraphs if each is not paragraph)
                yield "other paragraphs", Corpus("xquad", {name: {name: rest}}, tuple(cases))
    if corpus.name == "tables":
        yield "other context", _other_contexts(corpus, embedder)


def _with_names_of(strangers: Sequence[Case], own: Sequence[Case], text: str, *, library: str) -> list[Case]:
    """Return some questions of other texts, with the names that the questions of a text have most often."""
    name_counts = Counter(name for case in own for _, name in Question(case.question).names_in_place if name in text)
    names = [name for name, _ in name_counts.most_common(_NAMES)]
    if not names:
        return []
    named = [case for case in strangers if Question(case.question).names_in_place]
    cases = []
    for number, case in enumerate(named[len(text) % 7 :: max(1, 2 * len(named) // len(own))]):
        question = case.question
        for at, (start, name) in enumerate(reversed(Question(case.question).names_in_place)):
            question = f"{question[:start]}{names[(number + at) % len(names)]}{question[start + len(name) :]}"
        cases.append(replace(own[0], library=library, question=question))
    return cases


def _other_contexts(corpus: Corpus, embedder: Embedder) -> Corpus:
    """Return the questions, each to the context of the same half that is most like it and doesn't have its answer."""
    names = list(corpus.libraries)
    texts = [corpus.libraries[name][name] for name in names]
    vectors, halves = embedder.encode([text[:1500] for text in texts]), {c.library: c.held_out for c in corpus.cases}
    cases = []
    for case in corpus.cases:
        text = corpus.libraries[case.library][case.document]
        gold = {normal(text[start:end]) for start, end in case.spans}
        order = (-(vectors @ embedder.encode([case.question])[0])).argsort()
        others = (
            names[at]
            for at in order
            if names[at] != case.library and halves.get(names[at]) == case.held_out
            if not any(answer in normal(texts[at]) for answer in gold)
        )
        if other := next(others, None):
            cases.append(replace(case, library=other))
    return Corpus("tables", corpus.libraries, tuple(cases))
