"""What was measured while an answer came: times and tokens."""

from __future__ import annotations

from dataclasses import dataclass

from backends import Stopwatch
from rag.answering.types import Retrieval


@dataclass(frozen=True, slots=True)
class Measurements:
    """Times in seconds; tokens as the server counts them. None is what wasn't measured or reported."""

    quotes_seconds: float | None = None
    first_token_seconds: float | None = None
    total_seconds: float | None = None
    tokens_per_second: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    context_window: int | None = None
    omitted_passages: int = 0


def measurements(stopwatch: Stopwatch, retrieval: Retrieval | None) -> Measurements:
    """Return what a stopwatch and a retrieval measured."""
    usage = stopwatch.usage
    return Measurements(
        quotes_seconds=retrieval.seconds if retrieval and retrieval.quotes else None,
        first_token_seconds=stopwatch.first_token_seconds,
        total_seconds=stopwatch.total_seconds if stopwatch.arrivals else None,
        tokens_per_second=stopwatch.tokens_per_second,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        context_window=retrieval.context_window if retrieval else None,
        omitted_passages=retrieval.omitted_passages if retrieval else 0,
    )
