"""Fuses the cosine and the BM25 score of each hit into one score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp

from rag.search.index import Hit, ScoreSpread, pooled_statistics

# Measured with benchmarks/search/retrieval.py: values from 0.4 to 0.6 find the same.
DENSE_WEIGHT = 0.5
# With a multilingual model. Measured with benchmarks/search/languages.py and multilingual-e5-small on 238 questions
# in each of four languages: 0.8 finds more than 0.5 in all, and most where a question's language isn't the document's.
MULTILINGUAL_WEIGHT = 0.8


def fuse(hits: Sequence[Hit], weight: float = DENSE_WEIGHT) -> list[float]:
    """Return the weighted sum of both scores of each hit, in standard deviations from the mean over all chunks.

    Over all chunks, not over the hits: the best of hundreds are distributed alike whether they match or not. Hits of
    several indexes are compared with all their chunks together.
    """
    spreads = list({id(hit.spread): hit.spread for hit in hits}.values())
    lowest = {id(spread): _lowest_cosine(hits, spread) for spread in spreads}
    dense = _standardizer([(spread.chunks, *spread.dense) for spread in spreads])
    lexical = _standardizer([(spread.chunks, *spread.lexical) for spread in spreads])
    return [
        # A chunk that the dense search didn't return is at most as near as the last one that it returned.
        weight * dense(lowest[id(hit.spread)] if hit.dense is None else hit.dense)
        + (1 - weight) * lexical(hit.lexical or 0.0)
        for hit in hits
    ]


def unit_score(score: float) -> float:
    """Map a fused score to a number from 0 to 1 in the same order; 0.5 is an average chunk."""
    return 1 / (1 + exp(-score / 2))


def _lowest_cosine(hits: Sequence[Hit], spread: ScoreSpread) -> float:
    return min((hit.dense for hit in hits if hit.spread is spread and hit.dense is not None), default=0.0)


def _standardizer(parts: list[tuple[int, float, float]]) -> Callable[[float], float]:
    mean, deviation = pooled_statistics(parts) if parts else (0.0, 0.0)
    return lambda score: (score - mean) / deviation if deviation > 1e-9 else 0.0
