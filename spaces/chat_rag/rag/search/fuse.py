"""One score a hit out of two that are of different kinds: a cosine and a BM25 score."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from rag.search.index import Hit, ScoreSpread, pooled_statistics

# Measured with benchmarks/retrieval.py: from 0.4 to 0.6 all the same.
DENSE_WEIGHT = 0.5


def fuse(hits: Sequence[Hit], weight: float = DENSE_WEIGHT) -> list[float]:
    """A weighted sum of both scores, each in standard deviations from the mean over all chunks that were searched.

    Over all chunks and not over the hits: the best of hundreds lie alike whether they fit or not. The hits of
    several indexes are measured against all their chunks together.
    """
    spreads = list({id(hit.spread): hit.spread for hit in hits}.values())
    least = {id(spread): _least(hits, spread) for spread in spreads}
    dense = _scale([(spread.chunks, *spread.dense) for spread in spreads])
    lexical = _scale([(spread.chunks, *spread.lexical) for spread in spreads])
    return [
        # A chunk that the dense search did not find is at most as near as the last one that it found.
        weight * dense(least[id(hit.spread)] if hit.dense is None else hit.dense)
        + (1 - weight) * lexical(hit.lexical or 0.0)
        for hit in hits
    ]


def unit_score(score: float) -> float:
    """A fused score as a number from 0 to 1, in the same order; 0.5 is a chunk like any other."""
    return 1 / (1 + exp(-score / 2))


def _least(hits: Sequence[Hit], spread: ScoreSpread) -> float:
    return min((hit.dense for hit in hits if hit.spread is spread and hit.dense is not None), default=0.0)


def _scale(parts: list[tuple[int, float, float]]):
    mean, deviation = pooled_statistics(parts) if parts else (0.0, 0.0)
    return lambda score: (score - mean) / deviation if deviation > 1e-9 else 0.0
