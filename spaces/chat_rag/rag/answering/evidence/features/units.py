"""Measures how well each unit fits a question, as the numbers that the models weigh.

The words of all units come first. They choose the units to embed, which takes most of the time of a question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

from rag.answering.abstention.abstain import is_latin
from rag.answering.evidence.features.kinds import kind_features
from rag.answering.evidence.features.names import BY_VECTORS, NAMES, RELATIVE
from rag.answering.evidence.features.similarity import Similarities, embedded_text, last_heading, measure_similarities
from rag.answering.evidence.question_analysis.periods import years_of
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import (
    RowKey,
    find_parts,
    is_change,
    label_stems,
    latest_days,
    match_length,
    match_period,
    match_years,
    text_stems,
)
from rag.answering.evidence.tables.figures import is_figure, is_period, value
from rag.answering.evidence.units.own_questions import is_question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems
from rag.search.embedding.embedders import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Words that have nothing to do with each other have a cosine of up to this.
_UNRELATED_WORDS = 0.3
_END = frozenset(stems(["ended"]))
_ENDS = re.compile(r"[.!?。！？][\"'”’)\]]*$")


def _around(unit: Unit) -> tuple[str, ...]:
    return unit.heading, unit.before, unit.after, unit.cell.row_words if unit.cell else ""


class Measurer:
    """Measures the units for one question."""

    def __init__(self, question: Question, units: Sequence[Unit]) -> None:
        self.question, self.units = question, units
        passages = {unit.rank: (unit, unit.passage) for unit in units if unit.passage}
        self._passages = {
            rank: _stems_of(unit, passage.heading, passage.text) for rank, (unit, passage) in passages.items()
        }
        latest, self._parts = latest_days(units), find_parts(question, units)
        self._periods = [match_period(question, unit, latest) if unit.cell else 0.0 for unit in units]
        self._rows = self._row_values()
        self._stems = [self._own_stems(at) for at in range(len(units))]
        # The cells of a row have the same texts around them.
        context = {around: _stems_of(unit, *around) for around, unit in {_around(unit): unit for unit in units}.items()}
        self._context = [context[_around(unit)] for unit in units]
        self._pairs = _word_pairs(question.text)
        self._names = [text_stems(name) for name in question.names]
        self._weights = self._word_weights([*dict.fromkeys(self._stems)])
        # A word of each passage, such as the subject of the document, doesn't say which sentence answers.
        self._rare = self._word_weights([*self._passages.values()])
        self._likeness: dict[int, dict[str, float]] = {}
        self.words = self._word_table()
        """The features of all units; those that need vectors are 0."""

    def table(self, embedder: Embedder, chosen: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return the features of the units with the places `chosen`, or of all."""
        chosen = range(len(self.units)) if chosen is None else chosen
        values: NDArray[np.float64] = self.words[[*chosen]]
        similarities = measure_similarities(self.question, self.units, chosen, embedder)
        exact = self._exact_stems(similarities)
        for row, at in enumerate(chosen):
            for name, number in self._vector_row(at, similarities, row, exact).items():
                values[row, NAMES.index(name)] = number
        _add_relative(values, BY_VECTORS)
        return values

    def likeness(self, unit: Unit) -> dict[str, float]:
        """Return how like each of the question's stems the most similar word of a unit of the last table is."""
        return self._likeness.get(id(unit), {})

    def _word_table(self) -> NDArray[np.float64]:
        import numpy as np

        rows = [self._word_row(at) for at in range(len(self.units))]
        values = np.array([[row[name] for name in NAMES] for row in rows], np.float64)
        _add_relative(values, NAMES)
        return values

    def _row_values(self) -> dict[RowKey, list[float]]:
        """Return the figures of each row, without those of a change, for a question for the largest or smallest one."""
        rows: dict[RowKey, list[float]] = {}
        for unit in self.units if self.question.extreme else ():
            if not unit.cell or is_change(unit.cell.column_header):
                continue
            if (number := value(unit.cell.text)) is not None:
                rows.setdefault((unit.document.id, unit.start), []).append(number)
        return rows

    def _own_stems(self, at: int) -> frozenset[str]:
        """Return the stems of a unit; a cell of the question's period has all words of that period."""
        asked = self.question.period_stems if self._periods[at] == 1 else frozenset()
        unit = self.units[at]
        texts = (embedded_text(unit),) if unit.cell else (last_heading(unit), unit.referent, unit.text)
        return _stems_of(unit, *texts) | asked

    def _word_weights(self, texts: Sequence[frozenset[str]]) -> dict[str, float]:
        """Return the weight of each of the question's words: rare ones among the texts say more."""
        counts = Counter(stem for text in texts for stem in text)
        return {stem: log(1 + (len(texts) + 0.5) / (counts[stem] + 0.5)) for stem in self.question.stems}

    def _coverage(self, words: frozenset[str], weights: dict[str, float] | None = None) -> float:
        """Return the share of the question's words, by their weights, that a text has."""
        weights = self._weights if weights is None else weights
        total = sum(weights.values())
        return sum(weight for stem, weight in weights.items() if stem in words) / total if total else 0.0

    def _word_row(self, at: int) -> dict[str, float]:
        unit, own = self.units[at], self._stems[at]
        around = own | self._context[at]
        # A sentence that begins with a pronoun has the words of the one before it, which may answer by itself.
        borrowed = own - _stems_of(unit, unit.heading, unit.text) if unit.referent else frozenset[str]()
        row = dict.fromkeys(NAMES, 0.0)
        row |= {
            "coverage": self._coverage(own),
            "coverage around": self._coverage(around),
            "rare coverage": self._coverage(own, self._rare),
            "rare coverage around": self._coverage(around, self._rare),
            "passage coverage": self._coverage(self._passages[unit.rank] if unit.passage else own),
            "names": self._share_of_names(own),
            "names around": self._share_of_names(around),
            "passage rank": 1 / (1 + unit.rank),
            "precision": len(own & set(self.question.stems)) / (len(own) or 1),
            "borrowed words": self._coverage(borrowed),
        }
        row |= kind_features(self.question, unit)
        return row | (self._cell_row(unit, at) if unit.cell else self._text_row(unit, own))

    def _exact_stems(self, similarities: Similarities) -> set[str]:
        """Return the stems that no other word is like: "AWS" isn't Amazon, and a number is no other one."""
        question = self.question
        # A model on a server returns no vectors of tokens; in other scripts than Latin, a token isn't a word.
        if not similarities.words.any() or not is_latin(question.text):
            return set(question.stems)
        return {stem for stem in question.stems if any(map(str.isdigit, stem))} | question.name_stems

    def _vector_row(self, at: int, similarities: Similarities, row: int, exact: Collection[str]) -> dict[str, float]:
        """Return how like the question a unit is, and how like its words are; a word that both have is the most alike.

        `row` is the place of the unit among the similarities.
        """
        own = self._stems[at]
        around = own | self._context[at]
        likeness = {
            stem: float(stem in own) if stem in exact else each
            for stem, each in zip(self.question.stems, similarities.words[row].tolist(), strict=True)
        }
        related = {
            stem: max(0.0, (each - _UNRELATED_WORDS) / (1 - _UNRELATED_WORDS)) for stem, each in likeness.items()
        }
        soft = {stem: 1.0 if stem in own else each for stem, each in related.items()}
        soft_around = {stem: 1.0 if stem in around else each for stem, each in related.items()}
        self._likeness[id(self.units[at])] = likeness
        text, before, mixed, label = similarities.cosines[row].tolist()
        return {
            "cosine": text,
            "cosine around": before,
            "cosine mixed": mixed,
            "label cosine": label if self.units[at].cell else 0.0,
            "word likeness": self._weighted(likeness),
            "soft coverage": self._weighted(soft),
            "soft coverage around": self._weighted(soft_around),
        }

    def _weighted(self, values: Mapping[str, float]) -> float:
        """Return the mean of the values of the question's words, rare words among the units counting more."""
        total = sum(self._weights.values())
        return sum(self._weights[stem] * value for stem, value in values.items()) / total if total else 0.0

    def _share_of_names(self, words: frozenset[str]) -> float:
        return sum(name <= words for name in self._names) / len(self._names) if self._names else 0.5

    def _text_row(self, unit: Unit, own: frozenset[str]) -> dict[str, float]:
        question = self.question
        years, around = unit.once(years_of, unit.text), f"{unit.heading} {unit.before} {unit.after}"
        return {
            "text year": match_years(question.years, years, unit.once(years_of, around)),
            "text length": log(1 + len(unit.text.split())),
            "text is a sentence": float(bool(_ENDS.search(unit.text))),
            "text is a question": float(is_question(unit.text)),
            "text is new": 1 - len(own & set(question.stems)) / (len(own) or 1),
            "pairs": len(self._pairs & _word_pairs(unit.text)) / (len(self._pairs) or 1),
        }

    def _cell_row(self, unit: Unit, at: int) -> dict[str, float]:
        cell, question = unit.cell, self.question
        assert cell is not None  # noqa: S101  # the caller checked it
        label, header = label_stems(unit), unit.once(text_stems, cell.column_header)
        header_words = frozenset(stem for stem in header if not stem.isdigit())
        asked = set(question.stems)
        if question.names_period_end:
            label -= _END  # "Ending balances" don't answer because a year ended
        return {
            "is a cell": 1.0,
            "cell for words": float(question.wants_words and (unit.once(is_figure, cell.text) or is_period(cell.text))),
            "label coverage": self._coverage(label),
            "label precision": len(label & asked) / (len(label) or 1),
            "label is asked": float(bool(label) and label <= asked | {"total"}),
            "section coverage": self._coverage(unit.once(text_stems, cell.section) - label),
            "header coverage": self._coverage(header_words - label),
            "header precision": len(header_words & asked) / (len(header_words) or 1),
            "cell year": self._periods[at],
            "period": match_length(question, unit),
            "part": float(self._parts[at]),
            "column": 1 / (1 + cell.cell.column),
            "change column": float(is_change(f"{cell.section} {cell.column_header}") != question.names_change),
            "total": float(("total" in label) == ("total" in asked)),
            "extreme": self._extreme(unit),
            "rest coverage": self._coverage(unit.once(text_stems, unit.before) - label - header),
        }

    def _extreme(self, unit: Unit) -> float:
        """Return 1 for the largest or smallest figure of a row if the question asks for it, -1 for another one."""
        if not self.question.extreme or not unit.cell:
            return 0.0
        row = self._rows.get((unit.document.id, unit.start), [])
        own = value(unit.cell.text)
        best: Callable[[list[float]], float] = max if self.question.extreme > 0 else min
        return 1.0 if row and own == best(row) and len(row) > 1 else -1.0


def _stems_of(unit: Unit, *texts: str) -> frozenset[str]:
    """Return the stems of texts: a sentence is also the one before the next, and the one after the last."""
    return frozenset[str]().union(*(unit.once(text_stems, text) for text in texts))


def _add_relative(values: NDArray[np.float64], names: Collection[str]) -> None:
    """Add how far each of these features is behind that of the best unit."""
    for name, relative in RELATIVE:
        if name in names:
            column = values[:, NAMES.index(name)]
            values[:, NAMES.index(relative)] = column - column.max()


def _word_pairs(text: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of neighbouring words in a text."""
    return frozenset(pairwise(re.findall(r"\w+", text.lower())))
