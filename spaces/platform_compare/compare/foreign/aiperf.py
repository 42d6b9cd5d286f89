"""Reads the output of AIPerf 0.13: its summary, `…_aiperf.json`, and the file of its requests beside it, `….jsonl`.

The second has the first text, the gaps after it and the server's token counts; the first has the version and the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backends import Arrival, Usage
from compare.errors import RunError
from compare.foreign.tool_output import Imported, ImportedLoad, closed_loop, cumulative, new_record, open_loop
from compare.runs.records import Failure, Record
from compare.runs.run_file import parse_json

VERSIONS = "0.13"
REMEDY = "Run it again with AIPerf 0.13; the level of its exports must be records or raw."
DEFAULT_NAME, SUMMARY, REQUESTS = "profile_export", "_aiperf.json", ".jsonl"
PATTERNS = {"poisson": "Poisson", "constant": "constant", "gamma": "gamma"}
NANOSECONDS, MILLISECONDS = 1e-9, 1e-3


def is_summary(content: Any) -> bool:
    """Return whether parsed JSON is a summary of AIPerf, of any version."""
    return isinstance(content, dict) and ("aiperf_version" in content or "input_config" in content)


def is_request(content: Any) -> bool:
    """Return whether parsed JSON is a line of AIPerf's file of requests."""
    about = content.get("metadata") if isinstance(content, dict) else None
    return isinstance(about, dict) and "benchmark_phase" in about


def summary_file(path: Path) -> Path:
    """Return the summary that belongs to a folder of AIPerf or to a file of requests."""
    if path.is_dir():
        return path / f"{DEFAULT_NAME}{SUMMARY}"
    return path.with_name(f"{path.name.removesuffix(REQUESTS).removesuffix('_raw')}{SUMMARY}")


def requests_file(summary: Path) -> Path:
    """Return the file of requests that belongs to a summary."""
    return summary.with_name(f"{summary.name.removesuffix(SUMMARY)}{REQUESTS}")


def read_output(summary: Mapping[str, Any], entries: list[Any], *, is_cut: bool, name: str) -> Imported:
    """Return the requests of an output; `is_cut` says that the file of requests ends inside a line."""
    version = str(summary.get("aiperf_version", "unknown"))
    if not version.startswith(f"{VERSIONS}."):
        raise RunError(f"{name} is from AIPerf {version}; this program reads {VERSIONS}.", REMEDY)
    config = summary["input_config"]
    loads = {phase["name"]: _load(phase, name) for phase in config["phases"]}
    measured = {phase["name"] for phase in config["phases"] if phase["kind"] == "profiling"}
    main = next(loads[phase] for phase in loads if phase in measured)
    records = []
    for entry in entries:
        phase = entry["metadata"]["phase_name"]
        records.append(_record(entry, loads[phase] if phase in measured else main, is_measured=phase in measured))
    return Imported(
        tool="AIPerf",
        version=version,
        model=", ".join(item["name"] for item in config["models"]["items"]),
        started=str(summary.get("start_time", "")),
        loads=list({loads[phase].name: loads[phase] for phase in loads if phase in measured}.values()),
        records=records,
        missing=("client load", "breaks", "schedule") if _is_limited(config) else ("client load", "breaks"),
        about={"datasets": config["datasets"]},
        ended="stopped" if summary.get("was_cancelled") else "" if is_cut else "finished",
    )


def _load(phase: Mapping[str, Any], name: str) -> ImportedLoad:
    if phase["type"] == "concurrency":
        return closed_loop(int(phase["concurrency"]))
    if phase["type"] in PATTERNS and isinstance(phase.get("rate"), (int, float)):
        return open_loop(float(phase["rate"]), PATTERNS[phase["type"]], phase.get("concurrency"))
    raise RunError(
        f"{name} has a load of the kind {phase['type']!r:.40}.", "Measure with --concurrency or --request-rate."
    )


def _is_limited(config: Mapping[str, Any]) -> bool:
    """Return whether requests waited for others at a rate: AIPerf then notes only when the wait was over."""
    return any("rate" in phase and phase.get("concurrency") for phase in config["phases"])


def _record(entry: Mapping[str, Any], load: ImportedLoad, *, is_measured: bool) -> Record:
    about, metrics = entry["metadata"], entry["metrics"]
    sent = about["request_start_ns"]
    return new_record(
        load,
        phase="measured" if is_measured else "warmup",
        intended=(about.get("credit_issued_ns") or sent) * NANOSECONDS,
        sent=sent * NANOSECONDS,
        ended=(about["request_end_ns"] - sent) * NANOSECONDS,
        arrivals=tuple(_arrivals(metrics)),
        usage=_usage(metrics),
        error=_failure(entry),
    )


def _arrivals(metrics: Mapping[str, Any]) -> Iterator[Arrival]:
    """Yield the texts; those before the first one of the answer are thoughts."""
    if (first := _value(metrics, "time_to_first_token")) is None:
        return
    answer = _value(metrics, "time_to_first_output_token")
    for moment in cumulative(first, _value(metrics, "inter_chunk_latency") or []):
        # The sum of gaps is rounded, the time of the answer isn't.
        is_thought = answer is None or moment < answer - 1e-6
        yield Arrival(moment * MILLISECONDS, "thought" if is_thought else "answer", 0)


def _usage(metrics: Mapping[str, Any]) -> Usage | None:
    """Return the server's counts; AIPerf's own tokenizer can have another vocabulary."""
    given, returned = _value(metrics, "usage_prompt_tokens"), _value(metrics, "usage_completion_tokens")
    if given is None or returned is None:
        return None
    cached, thoughts = _value(metrics, "usage_prompt_cache_read_tokens"), _value(metrics, "usage_reasoning_tokens")
    return Usage(int(given), int(returned), cached, thoughts)


def _value(metrics: Mapping[str, Any], name: str) -> Any:
    return metrics[name]["value"] if name in metrics else None


def _failure(entry: Mapping[str, Any]) -> Failure | None:
    if entry["metadata"].get("was_cancelled"):
        return Failure("Cancelled", "AIPerf cancelled the request.")
    if error := entry.get("error"):
        kind = str(error.get("type") or "Failed")
        message = " ".join(str(error["message"]).split()) or f"{kind} ({error.get('code')})"
        return Failure(kind[:100], message[:500])
    return None


def parse_requests(lines: list[bytes], name: str) -> tuple[list[Any], bool]:
    """Parse the file of requests; returns its entries, and whether its last line is cut off."""
    entries: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(parse_json(line))
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return entries, True
            raise RunError(f"Line {number} of {name} is damaged ({error}).", "Restore the file.") from error
    return entries, False
