"""Compares a question with units by their vectors, as a whole and word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answering.evidence.features.vectors import encode
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.token_vectors import Span, TokenVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMN_SHARE = 0.5  # of the vector of a cell's column beside that of its row
_AROUND_SHARE = 0.4  # of the vector of what stands before a unit
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Similarities:
    """How like a question each unit is, one row per unit.

    `cosines` are those of the unit, of what stands before it, of both together, and of the label of a cell's row.
    `words` has, for each of `Question.stems`, the cosine of the word with the unit's word that is most like it. The
    vector of a word depends on its sentence: "boss" is like "line manager" in a rule about employees.
    """

    cosines: NDArray[np.float64]
    words: NDArray[np.float64]


def embedded_text(unit: Unit) -> str:
    """Return the text of a unit that is embedded: a sentence below its heading, or the label of a cell's row."""
    if unit.cell:
        return f"{unit.label}, {unit.cell.column_header}".strip(", ") or unit.text
    heading = last_heading(unit)
    text = f"{unit.referent} {unit.text}".lstrip()
    return f"{heading}. {text}" if heading else text


def last_heading(unit: Unit) -> str:
    """Return the heading right above a unit."""
    return unit.heading.rpartition(" > ")[2]


def measure_similarities(
    question: Question, units: Sequence[Unit], chosen: Sequence[int], embedder: Embedder
) -> Similarities:
    """Return how like the question the units with the places `chosen` are."""
    import numpy as np

    before = _sentences_before(units)
    # A sentence before a chosen one is embedded as a unit, too: if it is chosen as well, that is done once.
    places = dict.fromkeys([*chosen, *(before[at] for at in chosen if at in before)])
    rows, embedded = {at: row for row, at in enumerate(places)}, [units[at] for at in places]
    asked, spans = embedder.encode_question_tokens(question.text)
    encoded = encode(embedder, _texts(embedded))
    own, column, label, around = np.split(np.stack([each.vector for each in encoded]).astype(np.float64), 4)
    has_column = np.array([[bool(unit.cell and unit.cell.column_header)] for unit in embedded])
    own = _unit_length(own + _COLUMN_SHARE * column * has_column)
    for at in chosen:
        if at in before:
            around[rows[at]] = own[rows[before[at]]]
    mixed = _unit_length(own + _AROUND_SHARE * around)
    cosines = np.stack([vectors @ asked.vector.astype(np.float64) for vectors in (own, around, mixed, label)], axis=1)
    words = _word_similarities(_question_words(question, asked, spans), encoded[: 2 * len(embedded)])
    return Similarities(cosines[: len(chosen)], words[: len(chosen)])


def _texts(units: Sequence[Unit]) -> list[str]:
    """Return the texts of all units, then their columns, labels and introductions; a sentence has no column.

    The words of a cell's row and column are embedded apart: a table has far fewer of them than cells.
    """
    texts = [(unit.label or unit.text) if unit.cell else embedded_text(unit) for unit in units]
    columns = [unit.cell.column_header if unit.cell else "" for unit in units]
    labels = [unit.cell.row_label or unit.text if unit.cell else text for unit, text in zip(units, texts, strict=True)]
    introductions = [unit.before[-300:] or unit.heading or unit.text if unit.cell else "" for unit in units]
    return [*texts, *columns, *labels, *introductions]


def _sentences_before(units: Sequence[Unit]) -> dict[int, int]:
    """Return, by the place of each sentence, that of the sentence before it, or its own if it is the first."""
    places = {(unit.document.id, unit.text): at for at, unit in enumerate(units) if not unit.cell}
    return {at: places.get((unit.document.id, unit.before), at) for at, unit in enumerate(units) if not unit.cell}


def _question_words(question: Question, asked: TokenVectors, spans: Sequence[Span]) -> NDArray[np.float32]:
    """Return the vector of each of the question's words that carry meaning; that of a word without tokens is 0."""
    import numpy as np

    words = {stem: match.span() for match in reversed([*_WORD.finditer(question.text)]) for stem in stems([match[0]])}
    tokens = asked.tokens[len(asked.tokens) - len(spans) :].astype(np.float32)
    vectors = np.zeros((len(question.stems), asked.vector.shape[0]), np.float32)
    for at, stem in enumerate(question.stems):
        start, end = words.get(stem, (0, 0))
        own = [number for number, span in enumerate(spans[: len(tokens)]) if span[0] < end and start < span[1]]
        if own:
            vectors[at] = tokens[own].mean(axis=0)
    scaled: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return scaled


def _word_similarities(words: NDArray[np.float32], encoded: Sequence[TokenVectors]) -> NDArray[np.float64]:
    """Return the highest cosine of each word with the tokens of each unit: those of its text, then of its column."""
    import numpy as np

    distinct = [each for each in {id(each): each for each in encoded}.values() if len(each.tokens)]
    values = np.zeros((len(encoded), len(words)))
    if distinct:
        cosines = np.concatenate([each.tokens for each in distinct]).astype(np.float32) @ words.T
        starts = np.cumsum([0, *(len(each.tokens) for each in distinct[:-1])])
        best = np.maximum.reduceat(cosines, starts, axis=0)
        places = {id(each): at for at, each in enumerate(distinct)}
        for at, each in enumerate(encoded):
            if id(each) in places:
                values[at] = best[places[id(each)]]
    return np.maximum(*np.split(values, 2))


def _unit_length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled
