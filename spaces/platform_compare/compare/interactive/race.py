"""One prompt sent to several targets at once. They share this machine, so the times aren't a measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backends import Backend, BackendError, ChatRequest, Delta, Done, SpaceportError, Stopwatch
from backends.stopwatch import now
from backends.streams import closing
from compare.analyse.costs.cost import race_cost
from compare.analyse.costs.prices import Price
from compare.errors import PlanError

# Ten updates a second of four columns look like a stream.
UPDATE_SECONDS = 0.1
MAX_TARGETS = 4
State = Literal["loading", "waiting", "thinking", "answering", "done", "stopped", "failed"]


@dataclass(slots=True)
class RaceColumn:
    """One target in a race: its text so far, its state and its times.

    `load_seconds` is how long a model on this machine took to load. It's over when the stopwatch starts. `is_cut`
    if the answer ended at the length limit.
    """

    target: str
    title: str
    state: State = "waiting"
    answer: str = ""
    thought: str = ""
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    error: SpaceportError | None = None
    price: Price | None = None
    load_seconds: float | None = None
    is_cut: bool = False

    @property
    def elapsed_seconds(self) -> float:
        """Seconds from the request to the end of its answer, or until now; 0 before the request."""
        if self.stopwatch.started_at is None:
            return 0.0
        total = self.stopwatch.total_seconds
        return now() - self.stopwatch.started_at if total is None else total

    @property
    def cost(self) -> float | None:
        """The cost of this request in USD; None without a price or without the token counts that it needs."""
        seconds, usage = self.stopwatch.total_seconds, self.stopwatch.usage
        if self.price is None or seconds is None:
            return None
        return race_cost(
            self.price, seconds, usage.input_tokens if usage else None, usage.output_tokens if usage else None
        )


@dataclass(slots=True)
class Race:
    """One race: the prompt, the columns in display order, whether the names are hidden, and whether it has its vote."""

    prompt: str
    columns: list[RaceColumn]
    hidden: bool = False
    voted: bool = False

    @property
    def over(self) -> bool:
        return all(column.state in ("done", "stopped", "failed") for column in self.columns)

    @property
    def votable(self) -> bool:
        """True if the race is over and has at least two answers, and no vote yet."""
        return self.over and not self.voted and sum(bool(column.answer) for column in self.columns) > 1

    def stop(self) -> None:
        """Mark unfinished columns as stopped."""
        for column in self.columns:
            if column.state not in ("done", "failed"):
                column.state = "stopped"


def race_columns(targets: Sequence[str], titles: Mapping[str, str], prices: Mapping[str, Price]) -> list[RaceColumn]:
    """Return the columns of a race between two to four different targets."""
    if len(set(targets)) < len(targets):
        duplicate = next(name for name in targets if targets.count(name) > 1)
        raise PlanError(f"The target {duplicate} appears twice.", "Choose each target once.")
    if not 2 <= len(targets) <= MAX_TARGETS:
        count = "1 target" if len(targets) == 1 else f"{len(targets)} targets"
        raise PlanError(f"This race has {count}.", "Choose two to four.")
    return [RaceColumn(name, titles.get(name, name), price=prices.get(name)) for name in targets]


async def run_race(
    columns: Sequence[RaceColumn], backends: Mapping[str, Backend], request: ChatRequest
) -> AsyncIterator[Sequence[RaceColumn]]:
    """Fill the columns and yield them as they change; closing the iterator stops every target at once.

    All start together, when the models on this machine are loaded.
    """
    for step in (_load, _answer):
        running = [column for column in columns if column.state not in ("done", "failed")]
        work = [(column, step(column, backends[column.target], request)) for column in running]
        tasks = [asyncio.create_task(_guard(*each)) for each in work]
        try:
            pending = set(tasks)
            while pending:
                _, pending = await asyncio.wait(pending, timeout=UPDATE_SECONDS)
                yield columns
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)


async def _load(column: RaceColumn, backend: Backend, _: ChatRequest) -> None:
    """Load a model that runs on this machine, because its first request would include that."""
    if not backend.local:
        return
    column.state, started = "loading", now()
    await backend.check()
    column.state, column.load_seconds = "waiting", now() - started


async def _answer(column: RaceColumn, backend: Backend, request: ChatRequest) -> None:
    stream = column.stopwatch.record(backend.stream(request))
    async with closing(stream):
        async for event in stream:
            if isinstance(event, Delta):
                _add_delta(column, event)
            elif isinstance(event, Done):
                column.is_cut = event.finish_reason == "length"
    column.state = "done"


async def _guard(column: RaceColumn, work: Coroutine[Any, Any, None]) -> None:
    """Do one column's work; a failure is the column's, and the others go on."""
    try:
        await work
    except BackendError as error:
        column.state, column.error = "failed", error
    except asyncio.CancelledError:
        column.state = "stopped"
        raise
    except Exception as error:  # a bug in one column must not stop the others
        column.state = "failed"
        column.error = SpaceportError(
            f"The backend raised {type(error).__name__}.", "This is a bug in that backend kind."
        )


def _add_delta(column: RaceColumn, delta: Delta) -> None:
    if delta.kind == "thought":
        column.thought, column.state = column.thought + delta.text, "thinking"
    else:
        column.answer, column.state = column.answer + delta.text, "answering"
