"""What a reader of another tool's output returns, and the run that it becomes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

from compare.errors import RunError
from compare.measure.load import block_sizes
from compare.measure.plan import MAX_REQUESTS
from compare.runs.records import Phase, Record, Run
from compare.runs.run_file import VERSION

# What a tool doesn't record. `compare.report.words.caveat_text` has the words.
Missing = Literal["client load", "gaps", "kinds", "events", "breaks", "token source", "schedule", "wall clock"]
# A tool rounds its times; more than this, in seconds, isn't rounding.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class ImportedLoad:
    """A load of another tool, named like ours: requests in flight, or requests per second on schedule."""

    name: str
    concurrency: int | None = None
    rate: float = 1.0


def closed_loop(concurrency: int) -> ImportedLoad:
    """Return the load of a tool that keeps so many requests in flight."""
    if concurrency < 1:
        raise ValueError(f"the concurrency is {concurrency}")
    return ImportedLoad(f"concurrency {concurrency}", concurrency)


def open_loop(rate: float, pattern: str, limit: int | None = None) -> ImportedLoad:
    """Return the load of a tool that sends so many requests per second, and has at most `limit` in flight.

    `pattern` is "Poisson", "constant" or a word of the tool.
    """
    if not rate > 0:
        raise ValueError(f"the rate is {rate:g}")
    limited = f", at most {limit} at once" if limit else ""
    return ImportedLoad(f"{rate:.12g} requests/s, {pattern}{limited}", None, rate)


def new_record(
    load: ImportedLoad, *, intended: float, sent: float, ended: float, phase: Phase = "measured", **others: Any
) -> Record:
    """Return a request of another tool. `build_run` adds its target and its block; the tools don't say its prompt."""
    return Record("", load.name, 0, phase, 0, intended, sent, ended, load.concurrency, **others)


@dataclass(frozen=True, slots=True)
class Imported:
    """The requests of another tool's output. Their `intended` and `sent` are seconds on the tool's own clock.

    `about` identifies the workload as far as the output tells: two outputs with the same `about` ran the same one.
    """

    tool: str
    version: str
    model: str
    started: str
    loads: Sequence[ImportedLoad]
    records: Sequence[Record]
    missing: tuple[Missing, ...]
    about: dict[str, Any]
    ended: str = "finished"
    settings: dict[str, Any] = field(default_factory=dict)


def build_run(imported: Imported, name: str, target: str | None = None) -> Run:
    """Return the run of an output; `name` is its file's name for error messages, `target` replaces the model's name."""
    from compare.runs.schema import MAX_NAME, parse_record, validate_header  # pydantic: --help must not wait for it

    measured = sum(record.phase == "measured" for record in imported.records)
    if not measured:
        raise RunError(f"{name} has no measured request.", "Let the tool finish at least one request.")
    if len(imported.records) > MAX_REQUESTS:
        raise RunError(
            f"{name} has {len(imported.records):,} requests; a run can have {MAX_REQUESTS:,}.",
            "Measure fewer requests.",
        )
    for number, record in enumerate(imported.records, 1):
        _check_times(record, f"Request {number} of {name}")
    target = (target or imported.model or imported.tool)[:MAX_NAME]
    header = _header(imported, target)
    try:
        validate_header(header)
        records = [parse_record(asdict(record)) for record in _numbered(imported, target)]
    except ValueError as error:
        raise RunError(f"{name} can't become a run: {error}.", "Measure again with fewer loads.") from error
    return Run(header, records, [], imported.ended)


def _check_times(record: Record, what: str) -> None:
    """Refuse times that no clock shows: a verdict must not rest on them."""
    moments = [arrival.seconds for arrival in record.arrivals]
    times = [record.intended, record.sent, record.ended, *moments, *(mark.seconds for mark in record.marks)]
    if not all(map(math.isfinite, times)):
        raise RunError(f"{what} has a time that isn't a number.", "Measure again.")
    for earlier, later in pairwise([0.0, *moments, record.ended]):
        if later < earlier - ROUNDING:
            raise RunError(
                f"{what} goes back in time by {earlier - later:.3g} s: the tool's clock was set during the run.",
                "Measure again, while nothing changes the clock of the machine.",
            )


def _numbered(imported: Imported, target: str) -> Iterator[Record]:
    """Yield the records in order of time with block numbers, from a clock that starts at 0.

    Verdicts rest on the variation between parts of a run, so a load is divided like one of our own.
    """
    records = sorted(imported.records, key=lambda record: (record.sent, record.ended))
    start = min(min(record.intended, record.sent) for record in records)
    for load in imported.loads:
        each = [record for record in records if record.load == load.name]
        measured = sum(record.phase == "measured" for record in each)
        sizes = block_sizes(measured, load.concurrency, load.rate)
        numbers = iter([number for number, size in enumerate(sizes) for _ in range(size)])
        for record in each:
            yield replace(
                record,
                target=target,
                block=next(numbers) if record.phase == "measured" else 0,
                intended=record.intended - start,
                sent=record.sent - start,
            )


def _header(imported: Imported, target: str) -> dict[str, Any]:
    names = [load.name for load in imported.loads]
    counts = [sum(r.load == name and r.phase == "measured" for r in imported.records) for name in names]
    about = json.dumps(imported.about, sort_keys=True, default=str)
    return {
        "type": "run",
        "version": VERSION,
        "id": _digest(json.dumps([asdict(record) for record in imported.records]))[:12],
        "started": imported.started,
        "plan": {
            "targets": [target],
            "requests": max(counts),
            "warmup": sum(record.phase == "warmup" for record in imported.records),
            "seed": 0,
        },
        "loads": names,
        "workload": {
            "name": imported.tool,
            "description": f"Requests of {imported.tool} {imported.version}".strip(),
            "prompts": max(counts),
            "hash": _digest(about)[:16],
        },
        "targets": {target: {"title": target, "price": "", "settings": {"model": imported.model, **imported.settings}}},
        "environment": {"python": "", "system": "", "processors": 0, "packages": {}},
        "source": {"tool": imported.tool, "version": imported.version, "missing": list(imported.missing)},
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def cumulative(first: float, gaps: Iterable[float]) -> list[float]:
    """Return the moments of events from the first one and the gaps after it."""
    moments = [first]
    for gap in gaps:
        moments.append(moments[-1] + gap)
    return moments
