"""Words of the verdicts on speed and cost, and of how certain they are."""

from __future__ import annotations

from compare.analyse.verdicts.verdict import Finding, Verdict
from compare.report.words.formats import ratio, ratio_span

NOT_INTERLEAVED = "The two runs were not interleaved, so the comparison includes everything else that changed."
NOTHING_SHARED = "No target was measured at the same load in both runs, so they can't be compared."
ONE_TARGET = "One target alone has no verdict. Add a second target, or compare with an earlier run."
NO_CLEAR_DIFFERENCE = "no clear difference"

METRIC_PHRASES = {
    "ttft": "to the first token",
    "itl": "from token to token",
    "e2e": "to the end of the answer",
    "tpot": "per output token",
    "throughput": "in requests per second",
    "cost": "in the cost of a request",
}
METRIC_LABELS = {
    "ttft": "first token",
    "itl": "from token to token",
    "e2e": "end of the answer",
    "tpot": "per output token",
    "throughput": "requests per second",
    "cost": "cost of a request (times cheaper)",
}
QUANTILE_PHRASES = {None: "", 0.5: "", 0.95: " at p95"}


def verdict_text(verdict: Verdict) -> str:
    """Return the sentence of a verdict."""
    faster, slower = verdict.faster, verdict.slower
    phrase = METRIC_PHRASES[verdict.metric] + QUANTILE_PHRASES[verdict.quantile]
    interval = ratio_span(verdict.low, verdict.high)
    match verdict.decision:
        case Finding.FASTER if verdict.metric == "throughput":
            return f"{faster} answers {ratio(verdict.ratio)} times as many requests per second as {slower} {interval}"
        case Finding.FASTER if verdict.metric == "cost":
            return f"a request costs {ratio(verdict.ratio)} times as much on {slower} as on {faster} {interval}"
        case Finding.EQUALLY_FAST if verdict.metric in ("throughput", "cost"):
            return f"{faster} and {slower} are equal {phrase}: they differ by less than 1% {interval}"
        case Finding.TOO_FEW_MEASUREMENTS:
            return f"{faster} and {slower}, {phrase}: not enough measurements"
        case Finding.FASTER:
            return f"{faster} is {ratio(verdict.ratio)} times faster {phrase} than {slower} {interval}"
        case Finding.EQUALLY_FAST:
            return f"{faster} and {slower} are equally fast {phrase}: they differ by less than 1% {interval}"
        case Finding.NOT_DISTINGUISHABLE:
            return f"{faster} and {slower} show no clear difference {phrase} {interval}"


def winner_label(winner: str) -> str:
    """Return the legend for the comparisons that `winner` wins, in time or in cost; "" means no winner."""
    return f"{winner} is ahead" if winner else NO_CLEAR_DIFFERENCE


def too_few_text(count: int) -> str:
    return f"{count} comparisons don't have enough measurements."


def advice_text(recommended: int, requests: int) -> str:
    """Return how certain the verdicts are, and how many requests would make them more certain."""
    enough = "This run had enough." if recommended <= requests else f"This run had {requests:,}."
    return (
        "The 95% confidence level applies to all intervals jointly. To detect a 5% difference between medians at this "
        f"noise level, measure about {recommended:,} requests per target. {enough}"
    )
