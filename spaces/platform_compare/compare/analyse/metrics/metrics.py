"""Metrics of a target at a load, derived from the raw arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compare.analyse.metrics.definitions import DEFINITIONS, Timing, user_timing
from compare.analyse.metrics.distribution import Distribution, distribution
from compare.analyse.metrics.objectives import OBJECTIVES, Objective
from compare.analyse.metrics.pacing import departure_seconds
from compare.runs.records import Record, Run

# The error kind of a request that ended well but returned no text.
EMPTY = "Empty"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of one target, at one load or over all. Rates are per second of `wall_s`.

    `wall_s` is the time in which the target's blocks ran. For an open loop without pauses it is the time over which
    answers ended, because the silence until a block's last answer isn't part of the load.
    """

    requests: int
    succeeded: int
    errors: dict[str, int]
    ttft_ms: Distribution
    ttft_answer_ms: Distribution
    ttft_thought_ms: Distribution
    itl_ms: Distribution
    tpot_ms: Distribution
    e2e_ms: Distribution
    ttft_from_intended_ms: Distribution
    e2e_from_intended_ms: Distribution
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    output_tokens_per_s: float | None
    requests_per_s: float | None
    goodput_per_s: float | None
    goodput_share: float | None
    wall_s: float


def compute_metrics(
    run: Run,
    target: str,
    load: str | None = None,
    *,
    definition: str = "spaceport",
    objective: Objective = OBJECTIVES["default"],
) -> Metrics:
    """Return the metrics of `target` at `load`, or over all its loads."""
    records = run.measured(target, load)
    good = [record for record in records if record.ok]
    timings = [DEFINITIONS[definition](record) for record in good]
    wall = _wall_seconds(run, target, load)
    met = sum(objective.is_met(user_timing(record, timing)) for record, timing in zip(good, timings, strict=True))
    usages = [record.usage for record in good]
    output_tokens = _total(usage.output_tokens if usage else None for usage in usages)
    return Metrics(
        requests=len(records),
        succeeded=len(good),
        errors=dict(Counter(record.error.kind if record.error else EMPTY for record in records if not record.ok)),
        **_distributions(timings, [record.send_delay for record in good]),
        input_tokens=_total(usage.input_tokens if usage else None for usage in usages),
        output_tokens=output_tokens,
        cached_tokens=_total(usage.cached_tokens if usage else None for usage in usages),
        output_tokens_per_s=output_tokens / wall if output_tokens is not None and wall else None,
        requests_per_s=len(good) / wall if wall else None,
        goodput_per_s=met / wall if wall else None,
        goodput_share=met / len(records) if records else None,
        wall_s=wall,
    )


def cold_start(run: Run, target: str) -> tuple[float, float] | None:
    """Return the first request's seconds to the first token and to the end, including loading and connecting."""
    first = next((record for record in run.records if record.target == target and record.phase == "cold"), None)
    if first is None or not first.ok:
        return None
    before = first.sent - first.intended
    return before + first.arrivals[0].seconds, before + first.ended


def _distributions(timings: Sequence[Timing], delays: Sequence[float]) -> dict[str, Distribution]:
    return {
        "ttft_ms": distribution(timing.first_token for timing in timings),
        "ttft_answer_ms": distribution(timing.first_answer for timing in timings if timing.first_answer is not None),
        "ttft_thought_ms": distribution(timing.first_thought for timing in timings if timing.first_thought is not None),
        "itl_ms": distribution(gap for timing in timings for gap in timing.gaps),
        "tpot_ms": distribution(timing.per_output_token for timing in timings if timing.per_output_token is not None),
        "e2e_ms": distribution(timing.end_to_end for timing in timings),
        "ttft_from_intended_ms": distribution(t.first_token + delay for t, delay in zip(timings, delays, strict=True)),
        "e2e_from_intended_ms": distribution(t.end_to_end + delay for t, delay in zip(timings, delays, strict=True)),
    }


def _wall_seconds(run: Run, target: str, load: str | None) -> float:
    """Return the seconds for which the target was under load."""
    records, seconds = run.measured(target, load), 0.0
    uneven = run.uneven_loads
    open_loop = [record for record in records if record.concurrency is None and record.load not in uneven]
    if open_loop:
        seconds = departure_seconds(open_loop)
    open_loads = {record.load for record in open_loop}
    seconds += sum(block.seconds for block in run.target_blocks(target, load) if block.load not in open_loads)
    return seconds or _span_seconds(records)


def _span_seconds(records: Sequence[Record]) -> float:
    """Return the wall seconds of a block that was stopped before its end."""
    if not records:
        return 0.0
    return max(record.sent + record.ended for record in records) - min(record.sent for record in records)


def _total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the server's token counts, or None if it reported none for some request."""
    values = list(counts)
    known = [count for count in values if count is not None]
    return sum(known) if values and len(known) == len(values) else None
