"""The models that turn features into probabilities, as plain numbers from benchmarks/answers/answers_train.py."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.features.questions import QUESTION_NAMES, Situation, best_unit, question_features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_name("weights.json")
# Of each question. The best unit of each of 2,050 questions is among these (benchmarks/answers/answers.py).
_EMBEDDED_UNITS = 20
_MEANT_UNITS = 5


@dataclass(frozen=True)
class UnitModel:
    """A linear model that compares the units of one question: a weight for each feature by name."""

    weights: dict[str, float]

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score of each row of features."""
        import numpy as np

        scores: NDArray[np.float64] = values @ np.array([self.weights[name] for name in NAMES])
        return scores

    def shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how likely each unit is the answer if one of them is."""
        import numpy as np

        odds = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = odds / odds.sum()
        return shares


@dataclass(frozen=True)
class QuestionModel:
    """A logistic regression for whether the documents answer; below the threshold they don't."""

    weights: dict[str, float]
    bias: float
    threshold: float

    def probability(self, values: NDArray[np.float64]) -> float:
        """Return how likely the documents answer."""
        logit = self.bias + sum(
            self.weights[name] * value for name, value in zip(QUESTION_NAMES, values.tolist(), strict=True)
        )
        return 1 / (1 + exp(-logit))


@dataclass(frozen=True)
class Model:
    """The model of the units, the one of their words only, and the one of the question."""

    units: UnitModel
    words: UnitModel
    questions: QuestionModel

    def likely_units(self, words: NDArray[np.float64], meant: NDArray[np.bool_] | None = None) -> list[int]:
        """Return the places of the units whose words fit a question best, in their order; the others aren't embedded.

        `words` is `Measurer.words`. If none of these units is `meant`, by its names and years, the best ones that are
        take the last places. Embedding the units takes most of the time of a question.
        """
        order = (-self.words.scores(words)).argsort(kind="stable")
        likely = order[:_EMBEDDED_UNITS].tolist()
        if meant is not None and not meant[likely].any():
            named = order[meant[order]][:_MEANT_UNITS].tolist()
            likely = likely[: _EMBEDDED_UNITS - len(named)] + named
        return sorted(likely)

    def answered(
        self,
        situation: Situation,
        values: NDArray[np.float64],
        scores: NDArray[np.float64],
        meant: NDArray[np.bool_] | None = None,
    ) -> float:
        """Return how likely the documents answer; 0 if none has a name, or a year, of the question.

        It is also 0 if the question asks for a figure, or for the name of a person, and the best unit has none.
        """
        missing = situation.missing
        if missing.names or (missing.years and len(missing.years) == len(situation.question.years)):
            return 0.0
        best = best_unit(scores, meant)
        if situation.question.wants_figure and values[best, NAMES.index("lacks a figure")]:
            return 0.0
        if situation.question.wants_name and values[best, NAMES.index("lacks the kind")]:
            return 0.0
        return self.questions.probability(question_features(situation, values, scores, meant))


def read_model(values: dict[str, Any]) -> Model:
    """Return the models of a JSON object."""
    return Model(UnitModel(**values["units"]), UnitModel(**values["words"]), QuestionModel(**values["questions"]))


@cache
def packaged_model() -> Model:
    """Return the packaged models."""
    return read_model(json.loads(WEIGHTS.read_text(encoding="utf-8")))
