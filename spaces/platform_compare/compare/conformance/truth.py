"""The true figures of requests, from the server's timestamps: what a perfect load tool reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import mean, median, quantiles

from compare.conformance.server import Stamp

# A p99 of fewer gaps would be their maximum.
MIN_GAPS = 100
Figure = Callable[[Sequence[Stamp]], float | None]


def true_figures(stamps: Sequence[Stamp], rate: float | None = None) -> dict[str, float]:
    """Return each figure by its name; with a `rate`, first tokens count from when requests were due.

    Times are seconds, and of complete answers only. The first request is taken to be due when it arrived. Tokens per
    second have two true values: over the time from the first request to the last end, and over the time in which there
    was a request. Between them are the client's own pauses.
    """
    complete = [stamp for stamp in stamps if stamp.complete]
    counts = {"completed": len(complete), "output_tokens": sum(stamp.tokens for stamp in complete)}
    if not complete:
        return {name: float(count) for name, count in counts.items()}
    due = {id(stamp): stamp.read if rate is None else stamps[0].read + at / rate for at, stamp in enumerate(stamps)}
    firsts = [stamp.texts[0] - due[id(stamp)] for stamp in complete]
    ends = [(stamp.ended or stamp.texts[-1]) - due[id(stamp)] for stamp in complete]
    gaps = [later - earlier for stamp in complete for earlier, later in pairwise(stamp.texts)]
    spans = [(stamp.read, stamp.ended or stamp.texts[-1]) for stamp in complete]
    elapsed = max(end for _, end in spans) - stamps[0].read
    figures: dict[str, float | None] = {
        "ttft_median": median(firsts),
        "ttft_mean": mean(firsts),
        "itl_mean": mean(gaps) if gaps else None,
        "itl_p99": quantiles(gaps, n=100, method="inclusive")[98] if len(gaps) >= MIN_GAPS else None,
        "e2e_median": median(ends),
        "e2e_mean": mean(ends),
        "tokens_per_s": counts["output_tokens"] / elapsed,
        "tokens_per_busy_s": counts["output_tokens"] / _busy_seconds(spans),
        **counts,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _busy_seconds(spans: Sequence[tuple[float, float]]) -> float:
    """Return the seconds that at least one span covers."""
    busy, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return busy
