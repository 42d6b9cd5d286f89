"""Caveats of a run: everything that could distort its metrics, as data. The report has the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from compare.analyse.metrics.client_load import client_load, is_overloaded
from compare.analyse.metrics.groups import expects_cache
from compare.analyse.metrics.metrics import EMPTY, Metrics, compute_metrics
from compare.analyse.metrics.pacing import MAX_COALESCED_SHARE, coalesced_share, departure_seconds, due_seconds
from compare.analyse.quality.differing_questions import varying_questions
from compare.analyse.quality.quality import coverage
from compare.runs.records import Failure, Run, has_stopped

IN_PROCESS_KINDS = ("embedded", "transformers")
# If answers end over a time this many times longer than their requests were due, the queue is growing.
FALLING_BEHIND = 1.1
# Token counts whose means differ by more than this factor aren't equal work.
MAX_LENGTH_RATIO = 1.1
# A chat template's own text is cached everywhere and does no harm; a larger share means that prompts are cached.
MAX_CACHED_SHARE = 0.5
MAX_CONNECT_SHARE = 0.02
CaveatKind = Literal[
    "stopped", "out of time", "no end", "clients lost", "other tool", "all failed", "all empty", "some failed",
    "not measured", "given up", "conversations ended", "falling behind", "coalesced", "overloaded", "lengths differ",
    "no token counts", "cached", "new connections",
    "not scored", "no gold", "not asked", "answers vary",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caveat:
    """One caveat with the numbers that its sentence needs; "" as `target` or `load` means the whole run."""

    kind: CaveatKind
    target: str = ""
    load: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between two runs."""

    what: Literal["workload", "max_tokens", "temperature", "request_timeout", "settings", "machine"]
    target: str = ""
    before: Any = None
    now: Any = None


def find_caveats(run: Run) -> list[Caveat]:
    """Return a run's caveats, the most serious first."""
    metrics = {name: compute_metrics(run, name) for name in run.targets}
    return [
        *_incomplete(run),
        *([Caveat("other tool", values=run.source)] if run.source else []),
        *(caveat for name in run.targets for caveat in _failures(run, name, metrics[name])),
        *(caveat for name in run.targets for caveat in _falling_behind(run, name)),
        *(caveat for name in run.targets for caveat in _coalesced(run, name)),
        *(caveat for name in run.targets for caveat in _overloaded(run, name)),
        *_questions(run),
        *_varying(run),
        *_lengths(metrics),
        *(caveat for name in run.targets for caveat in _traffic(run, name, metrics[name])),
    ]


def run_differences(run: Run, earlier: Run) -> list[Difference]:
    """Return what differs between two runs besides time; each of these changes the metrics too."""
    now, then = run.header, earlier.header
    differences: list[Difference] = []
    if now["workload"]["hash"] != then["workload"]["hash"]:
        differences.append(
            Difference("workload", before=then["workload"]["description"], now=now["workload"]["description"])
        )
    for key in ("max_tokens", "temperature", "request_timeout"):
        if now["plan"].get(key) != then["plan"].get(key):
            differences.append(Difference(key, before=then["plan"].get(key), now=now["plan"].get(key)))
    shared = [name for name in run.targets if name in earlier.targets]
    differences += [Difference("settings", name) for name in shared if _settings(run, name) != _settings(earlier, name)]
    machine = ("system", "processors")
    if [now["environment"][key] for key in machine] != [then["environment"][key] for key in machine]:
        differences.append(Difference("machine"))
    return differences


def _settings(run: Run, name: str) -> dict[str, object]:
    return dict(run.header["targets"][name]["settings"])


def _incomplete(run: Run) -> Iterator[Caveat]:
    if run.ended == "stopped":
        yield Caveat("stopped")
    elif run.ended == "out of time":
        yield Caveat("out of time")
    elif run.ended != "finished":
        yield Caveat("no end")
    if lost := run.lost_clients:
        yield Caveat("clients lost", values={"lost": lost, "count": run.header["clients"]["count"]})


def _failures(run: Run, name: str, metrics: Metrics) -> Iterator[Caveat]:
    planned = run.header["plan"]["requests"] * len(run.loads)
    requests, failed = metrics.requests, metrics.requests - metrics.succeeded
    values = {"failed": failed, "requests": requests, "planned": planned, "first_error": _first_error(run, name)}
    if failed and not metrics.succeeded:
        yield Caveat("all empty" if set(metrics.errors) == {EMPTY} else "all failed", name, values=values)
    elif failed:
        yield Caveat("some failed", name, values=values | {"errors": metrics.errors})
    if not requests:
        yield Caveat("not measured", name, values=values)
    elif requests < planned and run.ended == "finished" and not (run.is_search or run.source):
        cut = len(_cut_conversations(run, name))
        if cut or not run.lost_clients:
            yield Caveat("conversations ended" if cut else "given up", name, values=values | {"conversations": cut})


def _cut_conversations(run: Run, name: str) -> set[tuple[str, int | None]]:
    """Return the conversations that a turn without an answer ended, unless the run gave up on the target."""
    records = run.measured(name)
    if has_stopped(sorted(records, key=lambda record: record.sent + record.ended)):
        return set()
    return {(record.load, record.conversation) for record in records if record.turn is not None and not record.ok}


def _first_error(run: Run, name: str) -> Failure | None:
    return next((record.error for record in run.records if record.target == name and record.error), None)


def _overloaded(run: Run, name: str) -> Iterator[Caveat]:
    for load in run.loads:
        if is_overloaded(run, name, load):
            lag = client_load(run, name, load).lag_p99_ms or 0.0
            gap = compute_metrics(run, name, load).itl_ms.mean or 0.0
            in_process = _settings(run, name).get("kind") in IN_PROCESS_KINDS
            yield Caveat("overloaded", name, load, {"lag_ms": lag, "gap_ms": gap, "in_process": in_process})


def _falling_behind(run: Run, name: str) -> Iterator[Caveat]:
    """Find open loops that send faster than the target answers, which is what a burst is for."""
    for load in [name for name in run.loads if name not in run.uneven_loads]:
        records = [record for record in run.measured(name, load) if record.concurrency is None]
        due, ended = due_seconds(records), departure_seconds(records)
        if due and ended > FALLING_BEHIND * due:
            rates = {"due_rate": len(records) / due, "answer_rate": len(records) / ended}
            block_seconds = due / len({record.block for record in records})
            yield Caveat("falling behind", name, load, rates | {"block_seconds": block_seconds})


def _coalesced(run: Run, name: str) -> Iterator[Caveat]:
    for load in run.loads:
        share = coalesced_share(run, name, load)
        if share > MAX_COALESCED_SHARE:
            yield Caveat("coalesced", name, load, {"share": share})


def _questions(run: Run) -> Iterator[Caveat]:
    """Yield what the shares of right answers leave out."""
    counts = coverage(run)
    if counts.questions and not counts.answered:
        yield Caveat("not scored")
    elif counts.answered:
        missing = counts.answered - counts.judged
        values = {"questions": counts.questions, "answered": counts.answered, "missing": missing}
        if missing:
            yield Caveat("no gold", values=values)
        if counts.answered < counts.questions:
            yield Caveat("not asked", values=values)


def _varying(run: Run) -> Iterator[Caveat]:
    """Yield which targets answer a question in several ways, although they should always choose the likeliest token."""
    if run.questions and run.header["plan"].get("temperature") == 0:
        for name, (differing, repeated) in varying_questions(run).items():
            if differing:
                yield Caveat("answers vary", name, values={"differing": differing, "repeated": repeated})


def _lengths(metrics: dict[str, Metrics]) -> Iterator[Caveat]:
    means = {
        name: each.output_tokens / each.succeeded
        for name, each in metrics.items()
        if each.output_tokens and each.succeeded
    }
    if len(means) > 1 and max(means.values()) > MAX_LENGTH_RATIO * min(means.values()):
        yield Caveat("lengths differ", values={"means": means})


def _traffic(run: Run, name: str, metrics: Metrics) -> Iterator[Caveat]:
    if metrics.succeeded and metrics.output_tokens is None:
        yield Caveat("no token counts", name)
    if metrics.cached_tokens and metrics.input_tokens:
        share = metrics.cached_tokens / metrics.input_tokens
        if share > MAX_CACHED_SHARE and not expects_cache(run):
            yield Caveat("cached", name, values={"share": share, "has_nonces": not run.source})
    load, first = client_load(run, name), metrics.ttft_ms.p50
    if load.connect_ms and first and load.connect_ms > MAX_CONNECT_SHARE * first:
        counts = {"new": load.new_connections, "known": load.known_connections}
        yield Caveat("new connections", name, values=counts | {"connect_ms": load.connect_ms})
