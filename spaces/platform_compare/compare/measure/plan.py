"""The plan of a run: targets, loads, the number of requests, and an order that makes the comparison fair."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from compare.errors import PlanError
from compare.measure.load import Load
from compare.measure.workloads.workload import Workload

WARMUP = 2  # requests per target before those that count
MAX_TARGETS = 8
MAX_REQUESTS = 100_000
MAX_SECONDS = 24 * 3600.0
# Bytes that one token's arrival takes in a stored run, and the largest run that can be read back.
ARRIVAL_BYTES, MAX_RUN_BYTES = 25, 500_000_000


@dataclass(frozen=True, slots=True)
class Block:
    """Requests of one target at one load, sent together; `number` pairs it with the other targets' blocks."""

    number: int
    target: str
    load: Load
    first: int
    size: int


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The settings of a run.

    `requests` counts the measured requests per target and load. `warmup` requests precede them per target and are
    dropped. `max_seconds` ends the run early and keeps what it measured. `turns` are the lengths of conversations, if
    the workload has some: a block contains whole ones.
    """

    targets: tuple[str, ...]
    loads: tuple[Load, ...] = (Load("closed", 1),)
    requests: int = 40
    warmup: int = WARMUP
    seed: int = 0
    max_tokens: int | None = None
    temperature: float = 0.0
    request_timeout: float = 120.0
    max_seconds: float = 3600.0
    turns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_targets(self.targets)
        if not self.loads or len(set(self.loads)) < len(self.loads):
            raise PlanError("There is no load, or a load appears twice.", "Name each concurrency or rate once.")
        _check_range("The number of requests", self.requests, 1, MAX_REQUESTS)
        _check_range("The seed", self.seed, 0, 2**63 - 1)
        _check_range("The number of warm-up requests", self.warmup, 0, 1000)
        _check_range("The maximum duration in seconds", self.max_seconds, 1, MAX_SECONDS)
        _check_range("The request timeout in seconds", self.request_timeout, 0.1, 3600)
        _check_range("The temperature", self.temperature, 0, 2)
        if self.max_tokens is not None:
            _check_range("The maximum length in tokens", self.max_tokens, 1, 32_768)
        _check_size(self)

    @property
    def total(self) -> int:
        """All requests, including the cold one and the warm-up."""
        return len(self.targets) * (len(self.loads) * self.requests + self.warmup + 1)

    def sizes(self, load: Load) -> list[int]:
        """Return the number of requests in each block of `load`.

        A closed-loop block lasts two rounds, an open-loop block ten seconds, if there are enough requests.
        """
        if not self.turns:
            return load.sizes(self.requests)
        turns = iter(self.turns)
        return [sum(islice(turns, count)) for count in load.sizes(len(self.turns))]

    def with_conversations(self, workload: Workload) -> RunPlan:
        """Return the plan for a workload: with conversations, it has whole ones, and users who take their time."""
        if not workload.has_conversations:
            return self
        if any(load.concurrency is None for load in self.loads):
            raise PlanError("Conversations have no rate: each message waits for an answer.", "Use --concurrency.")
        turns = workload.turns(self.requests)
        return replace(self, turns=turns, requests=sum(turns))

    def blocks(self) -> list[Block]:
        """Return the measured blocks in running order.

        Every round includes all targets, in a new random order, so that a drifting server or network affects them
        alike. The targets of one load and round run back to back.
        """
        order = random.Random(self.seed)  # noqa: S311  # a reproducible order, not a secret
        sizes = {load: self.sizes(load) for load in self.loads}
        blocks: list[Block] = []
        for number in range(max(map(len, sizes.values()))):
            for load in order.sample(self.loads, len(self.loads)):
                if number < len(sizes[load]):
                    first = sum(sizes[load][:number])
                    blocks += [
                        Block(number, target, load, first, sizes[load][number])
                        for target in order.sample(self.targets, len(self.targets))
                    ]
        return blocks


def closed_loops(concurrencies: Iterable[float]) -> tuple[Load, ...]:
    """Return closed loops at these concurrencies."""
    return tuple(Load("closed", value) for value in concurrencies)


def sweep(highest: int) -> tuple[Load, ...]:
    """Return closed loops at 1, 2, 4, … up to `highest`; a target is saturated when throughput stops growing."""
    Load("closed", highest)
    steps = [2**power for power in range(int(math.log2(highest)) + 1)]
    return closed_loops(steps if steps[-1] == highest else [*steps, highest])


def parse_numbers(text: str, name: str) -> list[float]:
    """Parse a list of numbers such as "1, 4, 16"; `name` is the field's name for error messages."""
    try:
        values = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
        if not values or not all(map(math.isfinite, values)):
            raise ValueError
        return values
    except ValueError:
        raise PlanError(f"{text!r} isn't a list of numbers for {name}.", "Write it like 1, 4, 16.") from None


def _check_targets(targets: Sequence[str]) -> None:
    if not targets:
        raise PlanError("No target is selected.", "Name at least one target; a verdict needs two.")
    for target in targets:
        if targets.count(target) > 1:
            raise PlanError(f"The target {target} appears twice.", "Name each target once.")
    if len(targets) > MAX_TARGETS:
        raise PlanError(f"{len(targets)} targets are too many.", f"Compare at most {MAX_TARGETS} in one run.")


def _check_size(plan: RunPlan) -> None:
    units, name = (len(plan.turns), "conversations") if plan.turns else (plan.requests, "requests")
    for load in plan.loads:
        if load.pattern == "trace" and plan.requests > len(load.times):
            raise PlanError(f"{load.source} has {len(load.times):,} requests.", f"Measure up to {len(load.times):,}.")
        if load.concurrency and units < load.concurrency:
            raise PlanError(
                f"{units} {name} can't keep {load.concurrency} in flight.",
                f"Measure at least {2 * load.concurrency} {name}, or lower the concurrency.",
            )
    if (size := plan.total * (plan.max_tokens or 256) * ARRIVAL_BYTES) > MAX_RUN_BYTES:
        raise PlanError(
            f"{plan.total:,} requests would store about {size / 1e6:,.0f} MB, more than can be read back.",
            "Measure fewer requests, or shorter answers.",
        )


def _check_range(name: str, value: float, minimum: float, maximum: float) -> None:
    if not (isinstance(value, (int, float)) and minimum <= value <= maximum):
        raise PlanError(f"{name} is {value!r}.", f"Use a number from {minimum:,g} to {maximum:,g}.")
