"""Reads the JSON output of GuideLLM 0.8.

It has the first and the last text of each request, but none between them, and times from the wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from backends import Arrival, Mark, Usage
from compare.errors import RunError
from compare.foreign.tool_output import Imported, ImportedLoad, closed_loop, new_record, open_loop
from compare.runs.records import LAST_TEXT, Failure, Record

VERSIONS = "0.8"
REMEDY = "Run it again with GuideLLM 0.8 and --output kind=json,path=FILE."


def is_output(content: Any) -> bool:
    """Return whether parsed JSON is an output of GuideLLM, of any version."""
    return isinstance(content, dict) and isinstance(content.get("benchmarks"), list) and "metadata" in content


def read_output(content: Mapping[str, Any], name: str) -> Imported:
    """Return the requests of an output; each of its benchmarks is a load."""
    version = str(content["metadata"].get("guidellm_version", "unknown"))
    if not version.startswith(f"{VERSIONS}."):
        raise RunError(f"{name} is from GuideLLM {version}; this program reads {VERSIONS}.", REMEDY)
    spec = content["config"]["spec"]
    loads: dict[str, ImportedLoad] = {}
    records: list[Record] = []
    for benchmark in content["benchmarks"]:
        load = _load(benchmark["config"]["strategy"], name)
        if load.name in loads:
            raise RunError(f"{name} has {load.name} twice.", "Measure each load once in a file.")
        loads[load.name] = load
        records += _records(benchmark, load)
    first = min((record.sent for record in records), default=0.0)
    return Imported(
        tool="GuideLLM",
        version=version,
        model=str(spec["backend"].get("model") or ""),
        started=datetime.fromtimestamp(first, UTC).isoformat(timespec="seconds"),
        loads=list(loads.values()),
        records=records,
        missing=("client load", "gaps", "wall clock", "token source"),
        about={"data": spec["data"]},
    )


def _load(strategy: Mapping[str, Any], name: str) -> ImportedLoad:
    kind = strategy["type_"]
    match kind:
        case "synchronous":
            return closed_loop(1)
        case "concurrent":
            return closed_loop(int(strategy["streams"]))
        case "throughput" if strategy.get("max_concurrency"):
            return closed_loop(int(strategy["max_concurrency"]))
        case "constant":
            return open_loop(float(strategy["rate"]), "constant", strategy.get("max_concurrency"))
        case "poisson":
            return open_loop(float(strategy["rate"]), "Poisson", strategy.get("max_concurrency"))
    raise RunError(f"{name} has a load of the kind {kind!r:.40}.", "Measure with concurrent, constant or poisson.")


def _records(benchmark: Mapping[str, Any], load: ImportedLoad) -> Iterator[Record]:
    """Yield the requests that were sent; those that GuideLLM stopped at its own end didn't fail."""
    for outcome in ("successful", "errored"):
        for request in benchmark["requests"].get(outcome) or []:
            if request["info"]["timings"].get("request_start") is not None:
                yield _record(request, load)


def _record(request: Mapping[str, Any], load: ImportedLoad) -> Record:
    times, error = request["info"]["timings"], request["info"].get("error")
    sent = times["request_start"]
    first, last = times.get("first_token_iteration"), times.get("last_token_iteration")
    ends = (times.get(key) for key in ("request_end", "resolve_end", "last_request_iteration"))
    ended = next(filter(None, ends), sent)
    thought = first is not None and (times.get("first_output_token_iteration") or first) > first
    return new_record(
        load,
        intended=times["targeted_start"] if load.concurrency is None else sent,
        sent=sent,
        ended=ended - sent,
        arrivals=() if first is None else (Arrival(first - sent, "thought" if thought else "answer", 0),),
        marks=() if last is None else (Mark(last - sent, LAST_TEXT),),
        usage=_usage(request),
        error=Failure("Failed", str(error or "GuideLLM names no reason.")[:500])
        if request["info"]["status"] == "errored"
        else None,
    )


def _usage(request: Mapping[str, Any]) -> Usage | None:
    given, returned = request["input_metrics"].get("text_tokens"), request["output_metrics"].get("text_tokens")
    if given is None or returned is None:
        return None
    return Usage(given, returned, request["input_metrics"].get("cached_tokens"))
