"""One prompt to several targets at once, as a show: they share this machine, so the figures are no measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from backends import Backend, BackendError, ChatRequest, Delta, SpaceportError, Stopwatch
from backends.streams import closing
from compare.analyse.cost import race_cost
from compare.analyse.prices import Price
from compare.errors import PlanError

# A page shows 10 updates a second of four columns as a stream.
UPDATE_SECONDS = 0.1
State = Literal["waiting", "thinking", "answering", "done", "stopped", "failed"]


@dataclass(slots=True)
class RaceColumn:
    """One column: what its target has said so far, and how fast."""

    target: str
    title: str
    state: State = "waiting"
    answer: str = ""
    thought: str = ""
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    error: SpaceportError | None = None
    price: Price | None = None

    @property
    def cost(self) -> float | None:
        """USD of this request; None without a price, or where tokens are not reported."""
        seconds, usage = self.stopwatch.total_seconds, self.stopwatch.usage
        if self.price is None or seconds is None:
            return None
        return race_cost(
            self.price, seconds, usage.input_tokens if usage else None, usage.output_tokens if usage else None
        )


@dataclass(slots=True)
class Race:
    """One race: what was asked, the columns in the order in which they stand, and whether names are hidden."""

    prompt: str
    columns: list[RaceColumn]
    hidden: bool = False

    @property
    def over(self) -> bool:
        return all(lane.state in ("done", "stopped", "failed") for lane in self.columns)

    @property
    def votable(self) -> bool:
        """Whether two answers or more can be weighed."""
        return self.over and sum(bool(lane.answer) for lane in self.columns) > 1

    def stop(self) -> None:
        """Mark what was still going on as stopped."""
        for lane in self.columns:
            if lane.state not in ("done", "failed"):
                lane.state = "stopped"


def race_columns(targets: Sequence[str], titles: Mapping[str, str], prices: Mapping[str, Price]) -> list[RaceColumn]:
    """The columns of a race; two to four different targets."""
    if len(set(targets)) < len(targets):
        twice = next(name for name in targets if targets.count(name) > 1)
        raise PlanError(f"The target {twice} stands twice.", "Choose each target once.")
    if not 2 <= len(targets) <= 4:
        raise PlanError(f"{len(targets)} targets make no race.", "Choose two to four.")
    return [RaceColumn(name, titles.get(name, name), price=prices.get(name)) for name in targets]


async def run_race(
    started: Sequence[RaceColumn], backends: Mapping[str, Backend], request: ChatRequest
) -> AsyncIterator[Sequence[RaceColumn]]:
    """Fill the lanes and give them as they change; closing it stops every target at once."""
    tasks = [asyncio.create_task(_run(lane, backends[lane.target], request)) for lane in started]
    try:
        pending = set(tasks)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=UPDATE_SECONDS)
            yield started
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _run(lane: RaceColumn, backend: Backend, request: ChatRequest) -> None:
    try:
        stream = lane.stopwatch.watch(backend.stream(request))
        async with closing(stream):
            async for event in stream:
                if isinstance(event, Delta):
                    _add(lane, event)
        lane.state = "done"
    except BackendError as error:
        lane.state, lane.error = "failed", error
    except asyncio.CancelledError:
        lane.state = "stopped"
        raise
    except Exception as error:  # one column's bug must not stop the others
        lane.state = "failed"
        lane.error = SpaceportError(f"The backend raised {type(error).__name__}.", "It is a bug of that kind.")


def _add(lane: RaceColumn, delta: Delta) -> None:
    if delta.kind == "thought":
        lane.thought, lane.state = lane.thought + delta.text, "thinking"
    else:
        lane.answer, lane.state = lane.answer + delta.text, "answering"
