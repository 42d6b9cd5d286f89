"""Hand-made runs with known arrivals, so that every metric can be computed on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from backends import Arrival, Mark, Usage
from compare.measure.plan import RunPlan, closed_loops
from compare.runs.records import BlockRecord, Failure, Phase, Record, Run
from compare.runs.run_file import VERSION

ONE = "concurrency 1"


def record(
    *answers: float,
    thoughts: Sequence[float] = (),
    target: str = "a",
    load: str = ONE,
    block: int = 0,
    phase: Phase = "measured",
    sent: float = 0.0,
    delay: float = 0.0,
    ended: float | None = None,
    tokens: int | None = None,
    cached: int | None = None,
    marks: Mapping[str, float | Sequence[float]] | None = None,
    error: Failure | None = None,
    concurrency: int | None = 1,
) -> Record:
    """Return a request whose texts arrive at `answers` and `thoughts`, in seconds; by default the last one ends it."""
    arrivals = [Arrival(at, "thought", 4) for at in thoughts] + [Arrival(at, "answer", 4) for at in answers]
    arrivals.sort()
    mark_list = [
        Mark(at, what)
        for what, moments in (marks or {}).items()
        for at in (moments if isinstance(moments, Sequence) else [moments])
    ]
    return Record(
        target=target,
        load=load,
        block=block,
        phase=phase,
        prompt=0,
        intended=sent - delay,
        sent=sent,
        ended=max((arrival.seconds for arrival in arrivals), default=0.1) if ended is None else ended,
        concurrency=concurrency,
        arrivals=tuple(arrivals),
        marks=tuple(sorted(mark_list)),
        finish_reason=None if error else "stop",
        usage=None if tokens is None else Usage(10, tokens, cached),
        error=error,
    )


def failure(kind: str = "Unreachable", message: str = "Nothing answers.", remedy: str = "", **more: Any) -> Record:
    """Return a request without an answer."""
    return record(error=Failure(kind, message, remedy), **more)


def block(seconds: float, *, target: str = "a", load: str = ONE, number: int = 0, **more: Any) -> BlockRecord:
    return BlockRecord(target, load, number, 0.0, seconds, more.pop("cpu_seconds", 0.0), **more)


def header(
    targets: Sequence[str] = ("a",), concurrencies: Sequence[int] = (1,), requests: int = 40, seed: int = 0
) -> dict[str, Any]:
    """Return the first line of a run as it reads back."""
    plan = RunPlan(tuple(targets), closed_loops(concurrencies), requests=requests, seed=seed)
    value = {
        "type": "run",
        "version": VERSION,
        "id": "0123456789ab",
        "started": "2026-02-03T04:05:06+00:00",
        "plan": asdict(plan),
        "loads": [load.name for load in plan.loads],
        "workload": {"name": "short", "description": "Short question", "prompts": 32, "hash": "8fd601bf1191cd97"},
        "targets": {name: {"title": name, "price": "", "settings": {"kind": "openai"}} for name in targets},
        "environment": {"python": "3.11.9", "system": "Linux x86_64", "processors": 2, "packages": {"numpy": "2.4.0"}},
    }
    return dict(json.loads(json.dumps(value)))


def build_run(*entries: Record | BlockRecord, ended: str = "finished", **head: Any) -> Run:
    """Return a run of these requests and blocks; `head` goes into its first line."""
    requests = [entry for entry in entries if isinstance(entry, Record)]
    head.setdefault("targets", tuple(dict.fromkeys(entry.target for entry in requests)) or ("a",))
    head.setdefault("requests", max(1, len(requests) // len(head["targets"])))
    return Run(header(**head), requests, [entry for entry in entries if isinstance(entry, BlockRecord)], ended)


def simulate(
    slowness: Mapping[str, float],
    *,
    rounds: int = 20,
    size: int = 2,
    noise: float = 0.0,
    drift: float = 1.0,
    seed: int = 0,
    tokens: int = 8,
) -> Run:
    """Return a run of alternating targets: a first token after 100 ms, then one every 10 ms, times the `slowness`.

    Each request varies by about `noise`; at the end of the run all targets are `drift` times slower.
    """
    random = np.random.default_rng(seed)
    entries: list[Record | BlockRecord] = []
    for number in range(rounds):
        for target, slow in slowness.items():
            now = slow * drift ** (number / max(1, rounds - 1))
            factors = now * np.exp(noise * random.standard_normal(size))
            for factor in factors.tolist():
                moments = [factor * (0.1 + 0.01 * place) for place in range(tokens)]
                entries.append(record(*moments, target=target, block=number, tokens=tokens))
            entries.append(block(sum(entry.ended for entry in entries[-size:]), target=target, number=number))  # type: ignore[union-attr]
    return build_run(*entries, targets=tuple(slowness), requests=rounds * size, seed=seed)
