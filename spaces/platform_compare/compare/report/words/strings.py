"""Words of the report: its headings, the labels of its tables and charts, and the names of runs.

The other modules have the words of one part each, `overview.strings` those of the headline and the cards.
"""

from __future__ import annotations

from collections.abc import Sequence

from compare.analyse.metrics.groups import Group
from compare.analyse.metrics.objectives import Objective

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
GROUPS = "Prefixes and turns"
GROUPS_NOTE = (
    "Input tokens are the mean that the server reports; cached is the share of them that it says it had cached. First "
    "use: sent before an answer to the same prefix had begun. A dash means that the server doesn't report it."
)
CLIENT_NOTE = "Client CPU includes models that run in the client's process."
CHART_TITLES = {
    "differences": "Differences with their intervals",
    "first_tokens": "Time to first token",
    "gaps": "Gaps within one answer",
    "throughput": "Throughput vs latency",
    "cost": "Cost vs latency",
    "quality": "Right answers vs cost or time",
}
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


def metrics_title(definition: str) -> str:
    return f"Metrics ({definition} definitions)"


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


def queued(ahead: int) -> str:
    """Return what the page shows while another measurement runs on this machine."""
    others = {0: "you're next", 1: "1 more before you"}.get(ahead, f"{ahead} more before you")
    return f"Waiting: another measurement is running on this machine, {others}"
