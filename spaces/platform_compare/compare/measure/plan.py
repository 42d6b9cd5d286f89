"""What is measured: targets, loads, how many requests, and the order that makes the comparison fair."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from compare.errors import PlanError

Pattern = Literal["closed", "constant", "poisson"]

MAX_TARGETS = 8
MAX_CONCURRENCY = 256
MAX_RATE = 1000.0
MAX_REQUESTS = 100_000
MAX_SECONDS = 24 * 3600.0
# Verdicts rest on how much blocks differ: many small ones say it best, but each costs a little between them.
BLOCKS = 100
# An open loop's queue grows for as long as its load lasts: its blocks are longer, and enough for a verdict.
OPEN_BLOCKS, OPEN_BLOCK_SECONDS = 8, 10
# What a token's arrival takes in a stored run, in bytes, and how much can be read back.
ARRIVAL_BYTES, MOST_BYTES = 25, 500_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """How requests are sent: `closed` keeps `value` of them in flight; the others send `value` a second.

    Open loops ("constant", "poisson") send on schedule, whether the server keeps up or not.
    """

    pattern: Pattern
    value: float

    def __post_init__(self) -> None:
        if self.pattern == "closed":
            if not (1 <= self.value <= MAX_CONCURRENCY and self.value == int(self.value)):
                raise PlanError(
                    f"Concurrency {str(self.value)[:20]} cannot be measured.",
                    f"Give whole numbers from 1 to {MAX_CONCURRENCY}.",
                )
        elif not 0 < self.value <= MAX_RATE:
            raise PlanError(f"{self.value:g} requests/s cannot be sent.", f"Give a rate above 0, up to {MAX_RATE:g}.")

    @property
    def concurrency(self) -> int | None:
        """Requests in flight, where the load says so."""
        return int(self.value) if self.pattern == "closed" else None

    @property
    def name(self) -> str:
        """What a person reads; also the key in records."""
        if self.pattern == "closed":
            return f"concurrency {int(self.value)}"
        return f"{self.value:.12g} requests/s, {'Poisson' if self.pattern == 'poisson' else 'constant'}"


@dataclass(frozen=True, slots=True)
class Block:
    """Some requests of one target at one load, sent together; `number` pairs it with the other targets'."""

    number: int
    target: str
    load: Load
    first: int
    size: int


@dataclass(frozen=True, slots=True)
class RunPlan:
    """`requests` are measured of each target at each load; `warmup` more are sent to each before, and dropped.

    `max_seconds` ends the run early; what was measured by then stays.
    """

    targets: tuple[str, ...]
    loads: tuple[Load, ...] = (Load("closed", 1),)
    requests: int = 40
    warmup: int = 2
    seed: int = 0
    max_tokens: int | None = None
    temperature: float = 0.0
    request_timeout: float = 120.0
    max_seconds: float = 3600.0

    def __post_init__(self) -> None:
        _check_targets(self.targets)
        if not self.loads or len(set(self.loads)) < len(self.loads):
            raise PlanError("There is no load, or one stands twice.", "Name each concurrency or rate once.")
        _within("The number of requests", self.requests, 1, MAX_REQUESTS)
        _within("The seed", self.seed, 0, 2**63 - 1)
        _within("The number of warm-up requests", self.warmup, 0, 1000)
        _within("The longest duration in seconds", self.max_seconds, 1, MAX_SECONDS)
        _within("The time-out of a request in seconds", self.request_timeout, 0.1, 3600)
        _within("The temperature", self.temperature, 0, 2)
        if self.max_tokens is not None:
            _within("The longest answer in tokens", self.max_tokens, 1, 32_768)
        _check_size(self)

    @property
    def total(self) -> int:
        """All requests, warm-up included."""
        return len(self.targets) * (len(self.loads) * self.requests + self.warmup + 1)

    def sizes(self, load: Load) -> list[int]:
        """How many requests each block of `load` has.

        A concurrency is held for two rounds, where there are as many requests; a rate for ten seconds, where that
        leaves blocks enough.
        """
        blocks = self.requests // (2 * (load.concurrency or 2))
        if load.concurrency is None:
            blocks = min(blocks, max(OPEN_BLOCKS, self.requests // math.ceil(OPEN_BLOCK_SECONDS * load.value)))
        blocks = max(1, min(BLOCKS, blocks))
        small, more = divmod(self.requests, blocks)
        return [small + (number < more) for number in range(blocks)]

    def blocks(self) -> list[Block]:
        """The measured blocks in the order in which they run.

        All targets take their turn inside each round, in an order drawn anew: a server or network that
        drifts changes them alike. The targets of one load and round run right after one another.
        """
        order = random.Random(self.seed)  # noqa: S311  # an order that can be repeated, not a secret
        sizes = {load: self.sizes(load) for load in self.loads}
        planned: list[Block] = []
        for number in range(max(map(len, sizes.values()))):
            for load in order.sample(self.loads, len(self.loads)):
                if number < len(sizes[load]):
                    first = sum(sizes[load][:number])
                    planned += [
                        Block(number, target, load, first, sizes[load][number])
                        for target in order.sample(self.targets, len(self.targets))
                    ]
        return planned


def closed_loops(concurrencies: Iterable[float]) -> tuple[Load, ...]:
    """Closed loops at these concurrencies."""
    return tuple(Load("closed", value) for value in concurrencies)


def sweep(highest: int) -> tuple[Load, ...]:
    """Closed loops at 1, 2, 4 and so on up to `highest`: where throughput stops growing, the target is full."""
    Load("closed", highest)
    steps = [2**power for power in range(int(math.log2(highest)) + 1)]
    return closed_loops(steps if steps[-1] == highest else [*steps, highest])


def parse_numbers(text: str, what: str) -> list[float]:
    """The numbers of a list such as "1, 4, 16"."""
    try:
        found = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
        if not found or not all(map(math.isfinite, found)):
            raise ValueError
        return found
    except ValueError:
        raise PlanError(f"{text!r} is no list of numbers for {what}.", "Write it like 1, 4, 16.") from None


def _check_targets(targets: Sequence[str]) -> None:
    if not targets:
        raise PlanError("No target was named.", "Name at least one; two or more give a verdict.")
    for target in targets:
        if targets.count(target) > 1:
            raise PlanError(f"The target {target} stands twice.", "Name each target once.")
    if len(targets) > MAX_TARGETS:
        raise PlanError(f"{len(targets)} targets are too many.", f"Compare at most {MAX_TARGETS} in one run.")


def _check_size(plan: RunPlan) -> None:
    for load in plan.loads:
        if load.concurrency and plan.requests < load.concurrency:
            raise PlanError(
                f"{plan.requests} requests cannot hold {load.concurrency} in flight.",
                f"Measure {2 * load.concurrency} requests or more, or a lower concurrency.",
            )
    if (size := plan.total * (plan.max_tokens or 256) * ARRIVAL_BYTES) > MOST_BYTES:
        raise PlanError(
            f"{plan.total:,} requests would store about {size / 1e6:,.0f} MB, more than can be read back.",
            "Measure fewer requests, or shorter answers.",
        )


def _within(what: str, value: float, least: float, most: float) -> None:
    if not (isinstance(value, (int, float)) and least <= value <= most):
        raise PlanError(f"{what} is {value!r}.", f"Give a number from {least:g} to {most:g}.")
