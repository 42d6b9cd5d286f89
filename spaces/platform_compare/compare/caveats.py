"""What a reader must know before trusting a run: everything that could bend its figures, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from compare.figures import Figures, client, figures
from compare.records import Run

# A client whose loop is late by more than this share of the gaps it measures is measuring itself.
LAG_SHARE = 0.05
# A chat template's own text is cached everywhere and does no harm; more than this is the prompts themselves.
CACHED_SHARE = 0.5
CONNECT_SHARE = 0.02


def caveats(run: Run) -> list[str]:
    """The caveats of a run, the gravest first; none if there is nothing to say."""
    found = {name: figures(run, name) for name in run.targets}
    return [
        *_incomplete(run),
        *(text for name in run.targets for text in _failures(run, name, found[name])),
        *(text for name in run.targets for text in _lag(run, name)),
        *_lengths(found),
        *(text for name in run.targets for text in _traffic(run, name, found[name])),
    ]


def lagging(run: Run, target: str, load: str) -> bool:
    """Whether the client's own lag bends the figures of `target` at `load`."""
    lag, gaps = client(run, target, load).lag_p99_ms, figures(run, target, load).itl_ms.mean
    return lag is not None and gaps is not None and lag > LAG_SHARE * gaps


def _incomplete(run: Run) -> Iterator[str]:
    if run.ended == "stopped":
        yield "The run was stopped before its end; the figures are of what was measured until then."
    elif run.ended == "out of time":
        yield "The run reached its longest duration; the figures are of what was measured until then."
    elif run.ended != "finished":
        yield "The run broke off without an end; the figures are of what was stored until then."


def _failures(run: Run, name: str, found: Figures) -> Iterator[str]:
    wanted = run.header["plan"]["requests"] * len(run.loads)
    failed = found.requests - found.succeeded
    if failed and not found.succeeded:
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
            lag, gap = client(run, name, load).lag_p99_ms or 0, figures(run, name, load).itl_ms.mean or 0
            yield (
                f"{name}, {load}: the client was late itself: its event loop's p99 lag of {lag:.1f} ms is "
                f"{lag / gap:.0%} of the mean inter-token latency ({gap:.1f} ms). Give it a machine of its own."
            )


def _lengths(found: dict[str, Figures]) -> Iterator[str]:
    means = {
        name: each.output_tokens / each.succeeded
        for name, each in found.items()
        if each.output_tokens and each.succeeded
    }
    if len(means) > 1 and max(means.values()) > 1.1 * min(means.values()):
        told = ", ".join(f"{name} {mean:.0f}" for name, mean in means.items())
        yield f"Answers differ in length ({told} tokens on average): end-to-end times are not of equal work."


def _traffic(run: Run, name: str, found: Figures) -> Iterator[str]:
    if found.succeeded and found.output_tokens is None:
        yield f"{name} does not report its tokens: no time per output token, no tokens/s, no cost."
    if found.cached_tokens and found.input_tokens and found.cached_tokens > CACHED_SHARE * found.input_tokens:
        share = found.cached_tokens / found.input_tokens
        yield f"{name} took {share:.0%} of its input tokens from a cache, in spite of the nonces."
    seen, first = client(run, name), found.ttft_ms.p50
    if seen.connect_ms and first and seen.connect_ms > CONNECT_SHARE * first:
        yield (
            f"{name}: {seen.new_connections} of {seen.known_connections} requests opened a new connection, "
            f"{seen.connect_ms:.1f} ms before each was sent."
        )
