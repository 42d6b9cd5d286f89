"""Measures whether the documents answer a question at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answering.abstention.abstain import Evidence
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.question_analysis.mentions import Missing
from rag.answering.evidence.question_analysis.questions import Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the best unit, and the highest among all units.
_OF_BEST = (
    "lacks the kind", "text year", "is a cell", "label precision", "label cosine", "cell year", "cosine",
    "passage rank", "text length", "soft coverage around",
)  # fmt: skip
_HIGHEST = ("cosine", "coverage around", "rare coverage around")
QUESTION_NAMES = (
    *(f"best: {name}" for name in _OF_BEST),
    *(f"highest: {name}" for name in _HIGHEST),
    "lead", "share", "similarity", "words", "names are missing", "years are missing", "has names", "has years",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Situation:
    """A question, the evidence of its passages, and which of its names and years no document has."""

    question: Question
    evidence: Evidence
    missing: Missing


def best_unit(scores: NDArray[np.float64], meant: NDArray[np.bool_] | None = None) -> int:
    """Return the place of the unit with the highest score among those that can be meant."""
    import numpy as np

    return int((scores if meant is None else np.where(meant, scores, -np.inf)).argmax())


def question_features(
    situation: Situation,
    values: NDArray[np.float64],
    scores: NDArray[np.float64],
    meant: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the features of a question, from those of its units and their scores; `meant` has those to choose from."""
    import numpy as np

    question, missing = situation.question, situation.missing
    best = best_unit(scores, meant)
    second = np.delete(scores, best).max() if len(scores) > 1 else scores[best]
    odds = np.exp(scores - scores[best])
    return np.array(
        [
            *(values[best, NAMES.index(name)] for name in _OF_BEST),
            *(values[:, NAMES.index(name)].max() for name in _HIGHEST),
            min(scores[best] - second, 4.0),
            1 / odds.sum(),
            situation.evidence.similarity,
            situation.evidence.coverage,
            float(bool(missing.names)),
            float(bool(missing.years)),
            float(bool(question.names)),
            float(bool(question.years)),
        ],
        np.float64,
    )
