"""Fits the models of quotes: which unit answers, which ones to embed, and whether the documents answer at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.answers.rows import Row
from rag.answering.evidence.features.names import BY_VECTORS, NAMES, RELATIVE
from rag.answering.evidence.features.questions import QUESTION_NAMES, question_features
from rag.answering.evidence.model import Model, QuestionModel, UnitModel

# Of exchangeable questions. Those of a new corpus aren't exchangeable, so this is below the goal for them, 3 %.
MAX_REFUSED = 0.02
_L2 = 1e-3
# No table of the training data has columns for periods of different lengths: the weight is that of the year.
_PRIOR = {"period": "cell year"}
_WITH_VECTORS = (*BY_VECTORS, *(relative for name, relative in RELATIVE if name in BY_VECTORS))


def train(rows: Sequence[Row]) -> Model:
    """Return all models."""
    trainable = [row for row in rows if not row.near_miss and row.answers.any()]
    units, words = fit_units(trainable), fit_units(trainable, without=_WITH_VECTORS)
    model = Model(units, words, QuestionModel({}, 0.0, 0.0))
    return replace(model, questions=fit_questions([embedded_part(row, model) for row in rows], model))


def embedded_part(row: Row, model: Model) -> Row:
    """Return a row with the units only that the page would embed.

    Features relative to the best unit shift by one number for all of them; the other ones don't depend on the rest.
    """
    likely = model.likely_units(row.values)
    return replace(
        row,
        values=row.values[likely],
        answers=row.answers[likely],
        held_words=row.held_words[likely],
        texts=tuple(row.texts[at] for at in likely),
    )


def fit_units(rows: Sequence[Row], without: Sequence[str] = ()) -> UnitModel:
    """Return the model that gives the answers of each question the highest share; each corpus weighs its square root.

    `without` names features to leave out.
    """
    from scipy.optimize import minimize

    values = np.concatenate([row.values for row in rows]) * np.isin(NAMES, without, invert=True)
    answers = np.concatenate([row.answers for row in rows])
    deviations = values.std(axis=0) + 1e-9
    scaled, sizes = values / deviations, [len(row.values) for row in rows]
    starts, owners = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(rows)), sizes)
    weights = _corpus_weights(rows)

    def loss(factors: Any) -> tuple[float, Any]:
        """Return the negative log likelihood of the answers, and its gradient."""
        scores = scaled @ factors
        odds = np.exp(scores - np.maximum.reduceat(scores, starts)[owners])
        right = np.where(answers, odds, 0)
        all_odds, right_odds = np.add.reduceat(odds, starts), np.add.reduceat(right, starts)
        value = weights @ np.log(all_odds / right_odds) + _L2 * factors @ factors
        gradient = scaled.T @ ((odds / all_odds[owners] - right / right_odds[owners]) * weights[owners])
        return value, gradient + 2 * _L2 * factors

    result = minimize(loss, np.zeros(len(NAMES)), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    fitted = dict(zip(NAMES, (result.x / deviations).tolist(), strict=True))
    return UnitModel(fitted | {name: fitted[other] for name, other in _PRIOR.items()})


def _corpus_weights(rows: Sequence[Row]) -> Any:
    """Return a weight for each question, the sum 1: a large corpus counts less for each of its questions."""
    counts = Counter(row.case.corpus for row in rows)
    weights = np.array([counts[row.case.corpus] ** -0.5 for row in rows])
    return weights / weights.sum()


def fit_questions(rows: Sequence[Row], model: Model) -> QuestionModel:
    """Return the model that says whether the documents answer, with its threshold; `model` has those of the units."""
    from sklearn.linear_model import LogisticRegression

    rows = [row for row in rows if len(row.values)]
    values = np.array([features_of(row, model.units) for row in rows])
    means, deviations = values.mean(axis=0), values.std(axis=0) + 1e-9
    regression = LogisticRegression(C=0.5, max_iter=2000)
    regression.fit(
        (values - means) / deviations, [not row.near_miss for row in rows], _corpus_weights(rows) * len(rows)
    )
    weights = regression.coef_[0] / deviations
    bias = float(regression.intercept_[0] - weights @ means)
    fitted = QuestionModel(dict(zip(QUESTION_NAMES, weights.tolist(), strict=True)), bias, 0.0)
    answered = replace(model, questions=fitted).answered
    scores = [answered(row.situation, row.values, model.units.scores(row.values)) for row in rows if not row.near_miss]
    return QuestionModel(fitted.weights, bias, conformal_threshold(scores))


def features_of(row: Row, units: UnitModel) -> Any:
    """Return the features of a question."""
    return question_features(row.situation, row.values, units.scores(row.values))


def conformal_threshold(scores: Sequence[float]) -> float:
    """Return the threshold below which at most MAX_REFUSED of exchangeable answerable questions are."""
    rank = int(MAX_REFUSED * (len(scores) + 1))
    return sorted(scores)[rank - 1] if rank else 0.0


def round_numbers(value: Any) -> Any:
    """Return a JSON value with five significant digits in each number."""
    if isinstance(value, dict):
        return {key: round_numbers(each) for key, each in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value
