"""What a reader must know before trusting a run: everything that could bend its figures, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from compare.analyse.metrics import Metrics, client_load, coalesced, compute_metrics, departures, due
from compare.analyse.verdict import COALESCED
from compare.records import Run

# A client whose loop is late by more than this share of the gaps it measures is measuring itself.
LAG_SHARE = 0.05
# Less than this, in milliseconds, is what any event loop needs.
LEAST_LAG = 1.0
IN_PROCESS = ("embedded", "transformers")
# Answers that end over so much longer a time than their requests were spread over are a queue that grows.
FALLING_BEHIND = 1.1
# A chat template's own text is cached everywhere and does no harm; more than this is the prompts themselves.
CACHED_SHARE = 0.5
CONNECT_SHARE = 0.02


def caveats(run: Run) -> list[str]:
    """The caveats of a run, the gravest first; none if there is nothing to say."""
    found = {name: compute_metrics(run, name) for name in run.targets}
    return [
        *_incomplete(run),
        *(text for name in run.targets for text in _failures(run, name, found[name])),
        *(text for name in run.targets for text in _behind(run, name)),
        *(text for name in run.targets for text in _together(run, name)),
        *(text for name in run.targets for text in _lag(run, name)),
        *_lengths(found),
        *(text for name in run.targets for text in _traffic(run, name, found[name])),
    ]


def lagging(run: Run, target: str, load: str) -> bool:
    """Whether the client's own lag bends the figures of `target` at `load`."""
    lag, gaps = client_load(run, target, load).lag_p99_ms, compute_metrics(run, target, load).itl_ms.mean
    return lag is not None and gaps is not None and lag > max(LEAST_LAG, LAG_SHARE * gaps)


def unlike(run: Run, earlier: Run) -> list[str]:
    """What else than time lies between two runs: a change of these changes the figures by itself."""
    asked = {"max_tokens": "the longest answer", "temperature": "the temperature", "request_timeout": "the time-out"}
    now, then = run.header, earlier.header
    changed = [
        f"{what} ({then['plan'].get(key)} before, {now['plan'].get(key)} now)"
        for key, what in asked.items()
        if now["plan"].get(key) != then["plan"].get(key)
    ]
    if now["workload"]["hash"] != then["workload"]["hash"]:
        before, after = then["workload"]["description"], now["workload"]["description"]
        changed.insert(0, f"the workload ({before} before, {after} now)")
    shared = [name for name in run.targets if name in earlier.targets]
    changed += [f"the settings of {name}" for name in shared if _settings(run, name) != _settings(earlier, name)]
    machine = ("system", "processors")
    if [now["environment"][key] for key in machine] != [then["environment"][key] for key in machine]:
        changed.append("the measuring machine")
    return [f"The two runs differ in more than time: {'; '.join(changed)}."] if changed else []


def _settings(run: Run, name: str) -> dict[str, object]:
    return dict(run.header["targets"][name]["settings"])


def _incomplete(run: Run) -> Iterator[str]:
    if run.ended == "stopped":
        yield "The run was stopped before its end; the figures are of what was measured until then."
    elif run.ended == "out of time":
        yield "The run reached its longest duration; the figures are of what was measured until then."
    elif run.ended != "finished":
        yield "The run broke off without an end; the figures are of what was stored until then."


def _failures(run: Run, name: str, found: Metrics) -> Iterator[str]:
    wanted = run.header["plan"]["requests"] * len(run.loads)
    failed = found.requests - found.succeeded
    if failed and not found.succeeded:
        if set(found.errors) == {"Empty"}:
            yield f"{name}: every answer was empty: {found.requests} ended well and held no text."
        else:
            yield f"{name}: every request failed. {_first_error(run, name)}".rstrip()
    elif failed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.errors.items())
        yield f"{name}: {failed} of {found.requests} requests failed ({kinds}). {_first_error(run, name)}"
    if not found.requests:
        yield f"{name}: nothing was measured. {_first_error(run, name)}".rstrip()
    elif found.requests < wanted and run.ended == "finished":
        yield f"{name}: given up after {found.requests} of {wanted} requests, because several failed in a row."


def _first_error(run: Run, name: str) -> str:
    failed = next((record.error for record in run.records if record.target == name and record.error), None)
    return f"The first error: {failed.message} {failed.remedy}".rstrip() if failed else ""


def _lag(run: Run, name: str) -> Iterator[str]:
    for load in run.loads:
        if lagging(run, name, load):
            lag, gap = client_load(run, name, load).lag_p99_ms or 0, compute_metrics(run, name, load).itl_ms.mean or 0
            inside = _settings(run, name).get("kind") in IN_PROCESS
            remedy = "The model runs in its process." if inside else "Give it a machine of its own."
            yield (
                f"{name}, {load}: the client was late itself: its event loop's p99 lag of {lag:.1f} ms is "
                f"{lag / gap:.0%} of the mean inter-token latency ({gap:.1f} ms). {remedy}"
            )


def _behind(run: Run, name: str) -> Iterator[str]:
    """An open loop that sends faster than it is answered."""
    for load in run.loads:
        records = [record for record in run.measured(name, load) if record.concurrency is None]
        sent, ended = due(records), departures(records)
        if sent and ended > FALLING_BEHIND * sent:
            yield (
                f"{name}, {load}: it did not keep up: {len(records) / sent:.3g} requests/s were due and "
                f"{len(records) / ended:.3g} ended. Waits grow for as long as such a load lasts; these are of blocks "
                f"of {sent / len({record.block for record in records}):.0f} s."
            )


def _together(run: Run, name: str) -> Iterator[str]:
    for load in run.loads:
        share = coalesced(run, name, load)
        if share > COALESCED:
            yield (
                f"{name}, {load}: {share:.0%} of its texts came together with the one before: their gaps are those of "
                "the network, and the time per output token is compared instead."
            )


def _lengths(found: dict[str, Metrics]) -> Iterator[str]:
    means = {
        name: each.output_tokens / each.succeeded
        for name, each in found.items()
        if each.output_tokens and each.succeeded
    }
    if len(means) > 1 and max(means.values()) > 1.1 * min(means.values()):
        told = ", ".join(f"{name} {mean:.0f}" for name, mean in means.items())
        yield f"Answers differ in length ({told} tokens on average): end-to-end times are not of equal work."


def _traffic(run: Run, name: str, found: Metrics) -> Iterator[str]:
    if found.succeeded and found.output_tokens is None:
        yield f"{name} does not report its tokens: no time per output token, no tokens/s, no cost."
    if found.cached_tokens and found.input_tokens and found.cached_tokens > CACHED_SHARE * found.input_tokens:
        share = found.cached_tokens / found.input_tokens
        yield f"{name} took {share:.0%} of its input tokens from a cache, in spite of the nonces."
    seen, first = client_load(run, name), found.ttft_ms.p50
    if seen.connect_ms and first and seen.connect_ms > CONNECT_SHARE * first:
        yield (
            f"{name}: {seen.new_connections} of {seen.known_connections} requests opened a new connection, "
            f"{seen.connect_ms:.1f} ms before each was sent."
        )
