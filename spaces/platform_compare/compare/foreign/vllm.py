"""Reads the JSON output of `vllm bench serve --save-result --save-detailed`, as vLLM 0.32 writes it.

It has the moments of all events of a request, with text or without.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backends import Arrival, Usage
from compare.errors import RunError
from compare.foreign.tool_output import Imported, ImportedLoad, Missing, closed_loop, cumulative, new_record, open_loop
from compare.runs.records import Failure, Record

DETAILS = ("input_lens", "output_lens", "ttfts", "itls", "errors")
REMEDY = "Run `vllm bench serve` of vLLM 0.32 again, with --save-result --save-detailed."


def is_output(content: Any) -> bool:
    """Return whether parsed JSON is an output of vLLM's benchmark, of any version."""
    return isinstance(content, dict) and {"model_id", "num_prompts", "max_concurrency"} <= set(content)


def read_output(content: Mapping[str, Any], name: str) -> Imported:
    """Return the requests of an output. Its times since the schedule are those of `queue_times`."""
    for key in (*DETAILS, "start_times"):
        if key not in content:
            raise RunError(f"{name} has no {key}: it's from another version, or has no details.", REMEDY)
    columns = [content[key] for key in (*DETAILS, "start_times")]
    queues = content.get("queue_times")
    columns.append([0.0] * len(columns[0]) if queues is None else queues)
    if len({len(column) for column in columns}) > 1:
        raise RunError(f"{name} has columns of different lengths.", "Restore the file.")
    load = _load(content)
    missing: list[Missing] = ["client load", "kinds", "events", "breaks", "token source"]
    if queues is None and load.concurrency is None:
        missing.append("schedule")
    return Imported(
        tool="vllm bench serve",
        version="" if queues is None else "0.32",
        model=str(content["model_id"]),
        started=datetime.strptime(content["date"], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).isoformat(timespec="seconds"),
        loads=[load],
        records=[_record(load, *row) for row in zip(*columns, strict=True)],
        missing=tuple(missing),
        about={"prompts": content["num_prompts"], "input tokens": sum(content["input_lens"])},
    )


def _load(content: Mapping[str, Any]) -> ImportedLoad:
    rate, limit, burstiness = content["request_rate"], content["max_concurrency"], content.get("burstiness", 1.0)
    if rate == "inf":
        return closed_loop(int(limit or content["num_prompts"]))
    pattern = "Poisson" if burstiness == 1 else f"burstiness {burstiness:g}"
    return open_loop(float(rate), pattern, limit)


def _record(
    load: ImportedLoad,
    input_tokens: int,
    output_tokens: int,
    first: float,
    gaps: list[float],
    error: str,
    start: float,
    queued: float,
) -> Record:
    moments = cumulative(first, gaps) if first else []
    return new_record(
        load,
        intended=start if load.concurrency else start - queued,
        sent=start,
        ended=moments[-1] if moments else 0.0,
        arrivals=tuple(Arrival(moment, "answer", 0) for moment in moments),
        usage=Usage(input_tokens, output_tokens) if moments else None,
        error=_failure(error, bool(moments)),
    )


def _failure(error: str, answered: bool) -> Failure | None:
    if error or not answered:
        return Failure("Failed", (error.strip().splitlines() or ["vLLM's client names no reason."])[-1][:500])
    return None
