"""Words of the report: labels, and the sentences about verdicts, costs, prices and runs.

`overview.strings`, `caveat_text`, `canary_text` and `settings_text` have the words of those parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from compare.analyse.costs.cost import BreakEven
from compare.analyse.costs.prices import Price, price_doubt
from compare.analyse.metrics.groups import Group
from compare.analyse.metrics.objectives import Objective
from compare.analyse.quality.paired import Share
from compare.analyse.verdicts.verdict import Finding, Verdict
from compare.report.words.formats import ratio, ratio_span

METRIC_HEADERS = ("target", "load", "requests", "failed", "TTFT p50", "TTFT p95", "ITL p50", "TPOT p50", "E2E p50",
                  "E2E p95", "tokens/s", "requests/s", "goodput")  # fmt: skip
COST_HEADERS = ("target", "load", "price", "USD per 1,000 requests", "USD per million output tokens")
CLIENT_HEADERS = ("target", "load", "cold first token", "input tokens", "cached", "lag p50", "lag p99", "client CPU",
                  "new connections")  # fmt: skip
GROUP_HEADERS = ("target", "load", "requests with", "requests", "failed", "TTFT p50", "TTFT p95", "input tokens",
                 "cached")  # fmt: skip
PERCENTILE_HEADERS = ("", "n", "mean", "p50", "p90", "p95", "p99")

# The labels whose terms are explained below the table of metrics and below the Markdown.
EXPLAINED_LABELS = (*METRIC_HEADERS, "concurrency", "interval")

TERMS = "What the terms mean"
SUMMARY = "Summary"
VERDICT = "Verdict"
COST = "Cost"
CHARTS = "Charts"
REPRODUCE = "Reproduce this run"
EARLIER = "Compared with the earlier run"
PERCENTILES = "All percentiles"
CLIENT = "Cold start, cache and client load"
NOTE = "Note"
NOT_INTERLEAVED = "The two runs were not interleaved, so the comparison includes everything else that changed."
NOTHING_SHARED = "No target was measured at the same load in both runs, so they can't be compared."
ONE_TARGET = "One target alone has no verdict. Add a second target, or compare with an earlier run."
NO_PRICE = "No target has a price. Enter a machine or a price for each target, such as 1.25/h."
NO_HOURLY_PRICE = "There is no break-even because no target has an hourly price. Enter one, such as 1.25/h."
GROUPS = "Prefixes and turns"
GROUPS_NOTE = (
    "Input tokens are the mean that the server reports; cached is the share of them that it says it had cached. First "
    "use: sent before an answer to the same prefix had begun. A dash means that the server doesn't report it."
)
CLIENT_NOTE = "Client CPU includes models that run in the client's process."
THOUGHTS = "Thoughts"
RACE_STATES = {
    "loading": "loading the model",
    "waiting": "waiting for the first token",
    "thinking": "thinking",
    "answering": "answering",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
}
LENGTH_LIMIT = "stopped at the length limit"
NO_ANSWER = "No answer."
HIDDEN_UNTIL_DONE = "All answers appear together when the last one is complete."
RACE_LOAD = "model load"
RACE_TTFT = "first token"
RACE_RATE = "tokens/s"
RACE_END_TO_END = "end to end"
RACE_TOKENS = "tokens"
RACE_COST = "cost"
CHART_TITLES = {
    "differences": "Differences with their intervals",
    "first_tokens": "Time to first token",
    "gaps": "Gaps within one answer",
    "throughput": "Throughput vs latency",
    "cost": "Cost vs latency",
    "quality": "Right answers vs cost or time",
}
NO_CLEAR_DIFFERENCE = "no clear difference"
AXIS_RATIO = "times faster"
AXIS_TTFT = "time to first token (ms)"
AXIS_SHARE = "share of requests"
AXIS_SENT = "time since the request was sent (s)"
AXIS_GAP = "time since the previous text (ms)"
AXIS_RATE = "requests/s"
AXIS_END_TO_END = "median end-to-end time (ms)"
AXIS_COST = "USD per 1,000 requests"
AXIS_QUESTION_COST = "USD per 1,000 questions"
AXIS_RIGHT = "right answers (size: p95 end to end)"

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
PERCENTILE_LABELS = {
    "ttft_ms": "First token",
    "ttft_answer_ms": "First token of the answer",
    "ttft_thought_ms": "First token of the thoughts",
    "ttft_from_intended_ms": "First token, from the intended start",
    "itl_ms": "Inter-token latency",
    "tpot_ms": "Time per output token",
    "e2e_ms": "End to end",
    "e2e_from_intended_ms": "End to end, from the intended start",
}


def versus(targets: Sequence[str]) -> str:
    """Return the title of a run."""
    return " vs ".join(targets)


def target_label(name: str, title: str) -> str:
    """Return a target's name as it is everywhere, with its title if it has one."""
    return name if title == name else f"{name} · {title}"


def run_name(targets: Sequence[str], detail: str) -> str:
    """Return a run's name in a list; `detail` is its workload or its date."""
    return f"{versus(targets)}, {detail}"


def example_name(stem: str) -> str:
    """Return a recorded run's name in a list, from the stem of its file."""
    return f"Example: {stem.replace('-', ' ')}"


def answer_label(letter: str) -> str:
    """Return the name of a column whose target is hidden."""
    return f"Answer {letter}"


def token_counts_text(input_tokens: int, output_tokens: int) -> str:
    return f"{input_tokens:,} in, {output_tokens:,} out"


def standings_text(rows: Sequence[tuple[str, int, int]]) -> str:
    """Return how many races each target won."""
    return "Your votes: " + " · ".join(f"{name} {wins} of {races}" for name, wins, races in rows)


def metrics_title(definition: str) -> str:
    return f"Metrics ({definition} definitions)"


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


def group_label(group: Group) -> str:
    """Return what the requests of a group have in common."""
    match group.kind:
        case "first use":
            return "a shared prefix, first use"
        case "shared prefix":
            return "a shared prefix"
        case "own prefix":
            return "a prefix of their own"
        case "turn":
            return f"turn {group.turn}"
        case _:
            return f"turn {group.turn} and later"


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


def objective_text(objective: Objective) -> str:
    """Return the limits of an objective."""
    limits = {
        "first token": objective.ttft_ms,
        "each further token": objective.tpot_ms,
        "complete answer": objective.e2e_ms,
    }
    return ", ".join(f"{what} within {limit:,g} ms" for what, limit in limits.items() if limit is not None)


def metrics_note(objective: Objective, *, open_loop: bool) -> str:
    """Return the note below the table of metrics."""
    due = " In open loops, goodput and verdicts count from when a request was due." if open_loop else ""
    return (
        f"Times are in milliseconds from sending the request. Goodput: {objective_text(objective)}.{due} A dash means "
        "that the sample is too small or that the server doesn't report tokens."
    )


def utilisation_text(utilisation: float) -> str:
    share = f"{utilisation:.0%} of the measured throughput" if utilisation < 1 else "the measured throughput"
    return f"Hourly endpoints are priced at {share}."


def break_even_text(even: BreakEven) -> str:
    """Return the request rate from which an hourly endpoint is cheaper."""
    requests = f"{even.requests_per_hour:,.0f} requests per hour"
    if even.capacity_share > 1:
        return (
            f"At the measured throughput, {even.hourly} is never cheaper than {even.per_token}: it would have to "
            f"answer {requests}, {even.capacity_share:.1f} times as many. More concurrency may reach that; measure it."
        )
    share = f"{even.capacity_share:.0%} of the measured throughput"
    return f"From {requests} on ({share}), {even.hourly} is cheaper than {even.per_token}."


def quality_beside_text(target: str, right: Share, other: str, other_right: Share | None) -> str:
    """Return how many answers of an endpoint are right, and of what it's compared with, if that was measured."""
    known = f" {target} answers {right.value:.0%} of the questions right ({right.low:.0%} to {right.high:.0%})"
    if other_right is None:
        return f"{known}; {other} wasn't asked here, so a lower price may buy other answers."
    return f"{known}, {other} {other_right.value:.0%} ({other_right.low:.0%} to {other_right.high:.0%})."


def missing_price_text(target: str) -> str:
    return f"{target} has no price, so its cost is unknown."


def price_warning(price: Price, today: date) -> str | None:
    """Return a warning about an old, undated or uncertain price, or None."""
    match price_doubt(price, today):
        case "old":
            days = (today - price.as_of).days if price.as_of else 0
            return f"The price of {price.name} is from {price.as_of} ({days} days old). Check it."
        case "undated":
            return f"The price of {price.name} has no date ({price.source}). Check it."
        case "uncertain":
            return f"The price of {price.name} is uncertain ({price.confidence}: {price.source})."
        case None:
            return None


def queued(ahead: int) -> str:
    """Return what the page shows while another measurement runs on this machine."""
    others = {0: "you're next", 1: "1 more before you"}.get(ahead, f"{ahead} more before you")
    return f"Waiting: another measurement is running on this machine, {others}"
