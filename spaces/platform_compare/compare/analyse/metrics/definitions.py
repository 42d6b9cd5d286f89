"""Metric definitions: Spaceport's own and those of three other tools, computed from the same raw arrivals.

| | first token | gaps | time per output token |
|---|---|---|---|
| spaceport | first text of either kind | between texts, pooled | (end of the stream − first text) / (tokens − 1) |
| vllm | first event, empty or not | between events, including empty ones | (last event − first) / (tokens − 1) |
| aiperf | first text | its inter-token latency is the next column | (last text − first) / (tokens − 1) |
| guidellm | first text | (last text − first) / (tokens − 1) | last text / tokens, including the first token |

Sources: vllm/benchmarks/lib/endpoint_request_func.py and serve.py; aiperf 0.13 metrics/types; guidellm 0.8.1
schemas/base/request_stats.py. Token counts are always the server's; AIPerf uses a local tokenizer's by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from compare.runs.records import LAST_TEXT, Record


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one request in seconds; None where the request doesn't provide one."""

    first_token: float
    gaps: tuple[float, ...]
    per_output_token: float | None
    end_to_end: float
    first_answer: float | None = None
    first_thought: float | None = None

    def after(self, delay: float) -> Timing:
        """Return the timing for a user who began to wait `delay` seconds before the request was sent."""
        return replace(self, first_token=self.first_token + delay, end_to_end=self.end_to_end + delay)


def spaceport(record: Record) -> Timing:
    """Count the first text of either kind, the gaps between texts, reported tokens, and the end of the stream."""
    texts = [arrival.seconds for arrival in record.arrivals]
    firsts = {arrival.kind: arrival.seconds for arrival in reversed(record.arrivals)}
    return Timing(
        texts[0],
        _gaps(texts),
        _per_token(record, record.ended - texts[0]),
        record.ended,
        firsts.get("answer"),
        firsts.get("thought"),
    )


def vllm(record: Record) -> Timing:
    """`vllm bench serve`: the first event with a choice is the first token, even if it only names the role."""
    empty = [mark.seconds for mark in record.marks if mark.what == "empty"]
    events = sorted([arrival.seconds for arrival in record.arrivals] + empty)
    end = max([*events, _last_text(record), *(mark.seconds for mark in record.marks if mark.what == "usage")])
    return Timing(events[0], _gaps(events), _per_token(record, end - events[0]), end)


def aiperf(record: Record) -> Timing:
    """AIPerf: a request ends with its last text; inter-token latency is one mean per request, over reported tokens."""
    texts = [arrival.seconds for arrival in record.arrivals]
    last = _last_text(record)
    mean = _per_token(record, last - texts[0])
    return Timing(texts[0], () if mean is None else (mean,), mean, last)


def guidellm(record: Record) -> Timing:
    """GuideLLM: its time per output token includes the first token; without usage it counts texts as tokens."""
    texts = [arrival.seconds for arrival in record.arrivals]
    last = _last_text(record)
    tokens = record.usage.output_tokens if record.usage else len(texts)
    mean = ((last - texts[0]) / (tokens - 1),) if tokens > 1 else ()
    return Timing(texts[0], mean, last / tokens if tokens else None, record.ended)


def user_timing(record: Record, timing: Timing) -> Timing:
    """Return the timing that a user experiences: in an open loop the wait starts when the request was due."""
    return timing.after(record.send_delay) if record.concurrency is None else timing


DEFINITIONS: dict[str, Callable[[Record], Timing]] = {
    "spaceport": spaceport,
    "vllm": vllm,
    "aiperf": aiperf,
    "guidellm": guidellm,
}
TITLES = {"spaceport": "Spaceport", "vllm": "vllm bench", "aiperf": "AIPerf", "guidellm": "GuideLLM"}


def _gaps(moments: list[float]) -> tuple[float, ...]:
    return tuple(later - earlier for earlier, later in pairwise(moments))


def _last_text(record: Record) -> float:
    marked = [mark.seconds for mark in record.marks if mark.what == LAST_TEXT]
    return max([record.arrivals[-1].seconds, *marked])


def _per_token(record: Record, seconds: float) -> float | None:
    tokens = record.usage.output_tokens if record.usage else 0
    return seconds / (tokens - 1) if tokens > 1 else None
