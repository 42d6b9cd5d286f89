"""Figures of a target at a load, all derived from the raw arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from compare.analyse.definitions import DEFINITIONS, Timing, felt, spaceport
from compare.analyse.objectives import OBJECTIVES, Objective
from compare.records import BlockRecord, Record, Run

# A percentile needs a sample on its far side: p99 of 50 values would be the largest value under another name.
NEEDED = {"p50": 1, "p90": 10, "p95": 20, "p99": 100}


# Texts closer together than this came in one read of the network: the gap says nothing of tokens. In seconds.
TOGETHER = 1e-4


@dataclass(frozen=True, slots=True)
class Distribution:
    """A figure over many values, in milliseconds; a percentile that the sample does not allow is None."""

    n: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """One target, at one load or over all. Rates are per second of `wall_s`.

    That is the time in which its blocks ran; of an open loop, the time over which its answers ended, because
    the silence until the last answer of a block is no part of the load.
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


@dataclass(frozen=True, slots=True)
class ClientLoad:
    """How the measuring client fared: lag of its event loop, its CPU (with models of its own process), connections."""

    lag_p50_ms: float | None
    lag_p99_ms: float | None
    cpu_share: float | None
    new_connections: int
    known_connections: int
    connect_ms: float | None


def distribution(seconds: Iterable[float]) -> Distribution:
    """Mean and percentiles (linear interpolation) of seconds, in milliseconds."""
    values = np.fromiter(seconds, float) * 1000
    if not values.size:
        return Distribution(0)
    points = {
        name: float(np.percentile(values, int(name[1:]))) if values.size >= least else None
        for name, least in NEEDED.items()
    }
    return Distribution(int(values.size), float(values.mean()), **points)


def compute_metrics(
    run: Run,
    target: str,
    load: str | None = None,
    *,
    definition: str = "spaceport",
    objective: Objective = OBJECTIVES["default"],
) -> Metrics:
    """The figures of `target` at `load`, or over all its loads."""
    records = run.measured(target, load)
    good = [record for record in records if record.ok]
    timings = [DEFINITIONS[definition](record) for record in good]
    waits = [record.send_delay for record in good]
    wall = _wall(run, target, load)
    met = sum(objective.met(felt(record, timing)) for record, timing in zip(good, timings, strict=True))
    tokens = _tokens(good, "output_tokens")
    return Metrics(
        requests=len(records),
        succeeded=len(good),
        errors=dict(Counter(record.error.kind if record.error else "Empty" for record in records if not record.ok)),
        **_spreads(timings, waits),
        input_tokens=_tokens(good, "input_tokens"),
        output_tokens=tokens,
        cached_tokens=_tokens(good, "cached_tokens"),
        output_tokens_per_s=tokens / wall if tokens is not None and wall else None,
        requests_per_s=len(good) / wall if wall else None,
        goodput_per_s=met / wall if wall else None,
        goodput_share=met / len(records) if records else None,
        wall_s=wall,
    )


def client_load(run: Run, target: str, load: str | None = None) -> ClientLoad:
    """How the client fared while it measured `target`."""
    blocks = _blocks(run, target, load)
    lags = distribution(lag for block in blocks for lag in block.lags)
    wall = sum(block.seconds for block in blocks)
    records = run.measured(target, load)
    known = [record.new_connection for record in records if record.new_connection is not None]
    opening = distribution(
        mark.seconds + record.sent - record.intended
        for record in records
        for mark in record.marks
        if mark.what == "connected"
    )
    return ClientLoad(
        lags.p50,
        lags.p99,
        sum(block.cpu_seconds for block in blocks) / wall if wall else None,
        sum(known),
        len(known),
        opening.p50,
    )


def cold_start(run: Run, target: str) -> tuple[float, float] | None:
    """Seconds to the first token and to the end of the first request of all, with what it took to load and connect."""
    first = next((record for record in run.records if record.target == target and record.phase == "cold"), None)
    if first is None or not first.ok:
        return None
    before = first.sent - first.intended
    return before + first.arrivals[0].seconds, before + first.ended


def _spreads(timings: Sequence[Timing], waits: Sequence[float]) -> dict[str, Distribution]:
    return {
        "ttft_ms": distribution(timing.first_token for timing in timings),
        "ttft_answer_ms": distribution(timing.first_answer for timing in timings if timing.first_answer is not None),
        "ttft_thought_ms": distribution(timing.first_thought for timing in timings if timing.first_thought is not None),
        "itl_ms": distribution(gap for timing in timings for gap in timing.gaps),
        "tpot_ms": distribution(timing.per_output_token for timing in timings if timing.per_output_token is not None),
        "e2e_ms": distribution(timing.end_to_end for timing in timings),
        "ttft_from_intended_ms": distribution(t.first_token + wait for t, wait in zip(timings, waits, strict=True)),
        "e2e_from_intended_ms": distribution(t.end_to_end + wait for t, wait in zip(timings, waits, strict=True)),
    }


def _blocks(run: Run, target: str, load: str | None) -> list[BlockRecord]:
    return [block for block in run.blocks if block.target == target and load in (None, block.load)]


def _wall(run: Run, target: str, load: str | None) -> float:
    """Seconds for which the target was under load."""
    records, seconds = run.measured(target, load), 0.0
    spread_out = [record for record in records if record.concurrency is None]
    if spread_out:
        seconds = departures(spread_out)
    open_loops = {record.load for record in spread_out}
    seconds += sum(block.seconds for block in _blocks(run, target, load) if block.load not in open_loops)
    return seconds or _span(records)


def departures(records: Sequence[Record]) -> float:
    """Seconds over which requests ended, as if each block went on at the pace at which its answers came."""
    return _paced(records, lambda record: record.sent + record.ended)


def due(records: Sequence[Record]) -> float:
    """Seconds over which requests were to be sent, by the same count."""
    return _paced(records, lambda record: record.intended)


def coalesced(run: Run, target: str, load: str) -> float:
    """The share of texts that came together with the one before."""
    gaps = [gap for record in run.measured(target, load) if record.ok for gap in spaceport(record).gaps]
    return sum(gap < TOGETHER for gap in gaps) / len(gaps) if gaps else 0.0


def _paced(records: Sequence[Record], moment: Callable[[Record], float]) -> float:
    blocks: dict[tuple[str, int], list[float]] = {}
    for record in records:
        blocks.setdefault((record.load, record.block), []).append(moment(record))
    # n moments span n - 1 intervals.
    spans = [(max(each) - min(each)) / (len(each) - 1) * len(each) for each in blocks.values() if len(each) > 1]
    return sum(spans)


def _span(records: Sequence[Record]) -> float:
    """Wall seconds of a block that was stopped before it ended."""
    if not records:
        return 0.0
    return max(record.sent + record.ended for record in records) - min(record.sent for record in records)


def _tokens(records: Sequence[Record], kind: str) -> int | None:
    """The sum that the server reported, or None if it reported none for some request."""
    counts = [getattr(record.usage, kind) if record.usage else None for record in records]
    return sum(counts) if counts and None not in counts else None
