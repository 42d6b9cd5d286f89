"""The models that turn features into probabilities, as plain numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class UnitModel:
    """A linear model that compares the units of one question: a weight for each feature by name."""

    weights: dict[str, float]

    def scores(self, values: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the score of each row of features."""
        import numpy as np

        scores: NDArray[np.float64] = values @ np.array([self.weights[name] for name in names])
        return scores

    def shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how likely each unit is the answer if one of them is."""
        import numpy as np

        odds = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = odds / odds.sum()
        return shares


@cache
def unit_model() -> UnitModel:
    """Return the packaged model of units."""
    return UnitModel(json.loads(WEIGHTS.read_text(encoding="utf-8"))["units"]["weights"])
