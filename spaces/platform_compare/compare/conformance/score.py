"""Runs a load tool through cases and scores what it reports against the server's timestamps."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.machine.processors import usable_processors
from compare.conformance.scenarios import SCENARIOS, TOKENS
from compare.conformance.server import ScriptedServer, Stamp
from compare.conformance.tools import TIMEOUT, Tool, interpreter, run_tool
from compare.conformance.truth import true_figures
from compare.errors import CompareError

# Errors up to these are fine: of a first token and an end the larger of both, of gaps and tokens/s the share. Counts
# must be exact.
MAX_SECONDS, MAX_SHARE = 0.001, 0.01
MAX_P99_SECONDS = 0.002
EXACT = ("completed", "output_tokens")
ALSO_TRUE = {"tokens_per_s": ("tokens_per_busy_s",)}
RATE, PROMPT_TOKENS = 10.0, 32
STREAMS_PER_CLIENT = 32


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario of the scripted server and a load; `scheduled` sends `RATE` requests a second on schedule."""

    name: str
    scenario: str
    concurrency: int
    requests: int
    prompt_tokens: int = PROMPT_TOKENS
    scheduled: bool = False
    tokens: int = TOKENS


# Two requests to the broken scenario: `compare run` gives up after five failures, and the cold request and two
# of the warm-up are the first three.
CASES = (
    Case("one at a time", "plain", 1, 10),
    Case("16 at once", "plain", 16, 48),
    Case("role before the first text", "role_first", 1, 5),
    Case("two texts in a write", "coalesced", 1, 5),
    Case("thoughts before the answer", "reasoning", 1, 5),
    Case("empty events", "empty_chunks", 1, 5),
    Case("error in the stream", "error_after", 1, 2),
    Case("each fourth refused", "flaky", 4, 16),
    Case("prompts of 50,000 tokens", "plain", 8, 24, prompt_tokens=50_000),
    Case("on schedule, 2 at once", "plain", 2, 20, scheduled=True, tokens=20),
)
# Those that need a machine that does nothing else.
SCALE_CASES = (
    CASES[0],
    CASES[1],
    Case("64 at once", "plain", 64, 192),
    Case("256 at once", "slow", 256, 512),
    Case("prompts of 100,000 tokens", "plain", 4, 12, prompt_tokens=100_000),
)


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of one case: what is true, what the tool reported (None: nothing), and whether that is close enough.

    Times are seconds.
    """

    case: str
    figure: str
    true: float
    reported: float | None
    passed: bool

    @property
    def error(self) -> float | None:
        return None if self.reported is None else self.reported - self.true


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The scores of a case; `problem` says why there is none."""

    case: Case
    scores: tuple[Score, ...]
    problem: str = ""


def score_tool(
    tool: Tool, server: ScriptedServer, cases: Sequence[Case], values: dict[str, object], seconds: float = TIMEOUT
) -> Iterator[CaseResult]:
    """Run the cases one after the other, each for at most so many seconds.

    `values` are placeholders of the caller, such as the program.
    """
    for case in cases:
        if case.scheduled and not tool.scheduled:
            continue
        try:
            stamps, reported = measure(tool, server, case, values, seconds)
        except CompareError as error:
            yield CaseResult(case, (), error.message)
        else:
            true = true_figures(stamps, RATE if case.scheduled else None)
            yield CaseResult(case, tuple(_scores(case, true, reported)))


def measure(
    tool: Tool, server: ScriptedServer, case: Case, values: dict[str, object], seconds: float = TIMEOUT
) -> tuple[list[Stamp], dict[str, float | None]]:
    """Run one case and return the server's timestamps of the measured requests, and what the tool reported."""
    server.stamps()
    with tempfile.TemporaryDirectory(prefix="spaceport-conformance-") as name:
        folder = Path(name)
        placeholders = values | _placeholders(case, server, folder)
        reported = run_tool(tool, placeholders, scheduled=case.scheduled, seconds=seconds)
    stamps = server.stamps()
    if len(stamps) < case.requests:
        raise CompareError(f"{len(stamps)} of {case.requests} requests reached the server.", "Check the command.")
    return stamps[-case.requests :], reported  # a warm-up precedes them


def _placeholders(case: Case, server: ScriptedServer, folder: Path) -> dict[str, object]:
    workload, catalog = folder / "workload.jsonl", folder / "targets.toml"
    prompt = " ".join(["word"] * case.prompt_tokens)
    workload.write_text(json.dumps({"prompt": prompt}) + "\n", encoding="utf-8")
    entry = '[{0}]\nkind = "openai"\nurl = "{1}/v1"\nmodel = "{0}"\n'
    catalog.write_text("".join(entry.format(name, server.url) for name in SCENARIOS), encoding="utf-8")
    return {
        "url": server.url,
        "model": case.scenario,
        "concurrency": case.concurrency,
        "clients": clients_for(case.concurrency),
        "requests": case.requests,
        "tokens": case.tokens,
        "prompt_tokens": case.prompt_tokens,
        "rate": f"{RATE:g}",
        "out": folder / "out.json",
        "folder": folder,
        "python": interpreter(),
        "catalog": catalog,
        "workload": workload,
    }


def clients_for(concurrency: int) -> int:
    """Return how many client processes read so many streams in time.

    On two cores, which the server shares, two had 12 of 12 figures right at 64 and 256 streams, one 11 (November 2026).
    """
    return max(1, min(concurrency // STREAMS_PER_CLIENT, usable_processors()))


def _scores(case: Case, true: dict[str, float], reported: dict[str, float | None]) -> Iterator[Score]:
    """Score what the tool names. Where no answer was complete, only its count is true."""
    for figure, value in reported.items():
        if figure == "itl_p99" and case.concurrency > 1:
            continue  # then the longest gaps are the server's own queue
        candidates = [true[name] for name in (figure, *ALSO_TRUE.get(figure, ())) if name in true]
        if candidates and value is None:
            yield Score(case.name, figure, candidates[0], None, passed=False)
        elif candidates and value is not None:
            nearest = min(candidates, key=lambda each: abs(each - value))
            yield Score(case.name, figure, nearest, value, _is_close(figure, nearest, value))


def _is_close(figure: str, true: float, reported: float) -> bool:
    error = abs(reported - true)
    if figure in EXACT:
        return error == 0
    if figure in ("itl_mean", "tokens_per_s"):
        return error <= MAX_SHARE * true
    if figure == "itl_p99":
        return error <= MAX_P99_SECONDS
    return error <= max(MAX_SECONDS, MAX_SHARE * true)
