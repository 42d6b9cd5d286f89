"""Requests of one target at one load in groups: with a shared prefix or their own, and by turn of a conversation.

They show what a target's own cache does: how much of the prompts it reports as cached, and what that saves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from compare.analyse.metrics.definitions import DEFINITIONS
from compare.analyse.metrics.distribution import Distribution, distribution
from compare.runs.records import Record, Run

GroupKind = Literal["first use", "shared prefix", "own prefix", "turn", "later turns"]
# Later ones are one group.
MAX_TURNS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Some requests of a target at a load. `turn` counts from 1, for groups by turn.

    `input_tokens` is the mean of what the server reports, `cached_share` the share of these that it had cached; None
    if it doesn't report them for every answer.
    """

    kind: GroupKind
    turn: int | None
    requests: int
    failed: int
    ttft_ms: Distribution
    input_tokens: float | None
    cached_share: float | None


def request_groups(run: Run, target: str, load: str, definition: str = "spaceport") -> list[Group]:
    """Return the groups of the measured requests; none if the workload has neither prefixes nor conversations."""
    records = run.measured(target, load)
    groups = [*_by_prefix(run, records), *_by_turn(records)]
    return [_group(kind, turn, each, definition) for kind, turn, each in groups if each]


def expects_cache(run: Run) -> bool:
    """Return whether the workload repeats texts on purpose."""
    return any(record.prefix is not None or record.turn for record in run.records)


def _by_prefix(run: Run, records: Sequence[Record]) -> Iterator[tuple[GroupKind, int | None, list[Record]]]:
    shared = [record for record in records if record.prefix]
    known = _first_answers(run)
    repeated = [each for each in shared if each.sent > known.get((each.target, each.prefix), each.sent)]
    first = [each for each in shared if each.sent <= known.get((each.target, each.prefix), each.sent)]
    yield "first use", None, first
    yield "shared prefix", None, repeated
    yield "own prefix", None, [record for record in records if record.prefix == 0]


def _first_answers(run: Run) -> dict[tuple[str, int | None], float]:
    """Return when the first text of an answer to each shared prefix arrived: from then on, a target can have it."""
    moments: dict[tuple[str, int | None], float] = {}
    for record in run.records:
        if record.prefix and record.arrivals:
            key, moment = (record.target, record.prefix), record.sent + record.arrivals[0].seconds
            moments[key] = min(moment, moments.get(key, moment))
    return moments


def _by_turn(records: Sequence[Record]) -> Iterator[tuple[GroupKind, int | None, list[Record]]]:
    for turn in range(MAX_TURNS):
        yield "turn", turn + 1, [record for record in records if record.turn == turn]
    yield "later turns", MAX_TURNS + 1, [record for record in records if (record.turn or 0) >= MAX_TURNS]


def _group(kind: GroupKind, turn: int | None, records: Sequence[Record], definition: str) -> Group:
    good = [record for record in records if record.ok]
    inputs = _counts(record.usage.input_tokens if record.usage else None for record in good)
    cached = _counts(record.usage.cached_tokens if record.usage else None for record in good)
    return Group(
        kind,
        turn,
        len(records),
        len(records) - len(good),
        distribution(DEFINITIONS[definition](record).first_token for record in good),
        sum(inputs) / len(inputs) if inputs else None,
        sum(cached) / sum(inputs) if cached and sum(inputs) else None,
    )


def _counts(values: Iterable[int | None]) -> list[int]:
    """Return the counts, or none if one is missing."""
    counts = list(values)
    known = [count for count in counts if count is not None]
    return known if len(known) == len(counts) else []
