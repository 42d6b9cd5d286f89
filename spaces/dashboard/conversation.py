"""A conversation of the playground: what was asked and answered, how the next request is made, and the export."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from backends import Backend, Catalog, ChatRequest, Message
from compare.analyse.prices import Price, Prices
from compare.errors import PriceError
from compare.race import Lane, race
from compare.report import race_view as lanes
from compare.report import tables


@dataclass(frozen=True, slots=True)
class Parameters:
    """How to sample; None leaves the choice to the target."""

    max_tokens: int = 512
    temperature: float = 0.2
    top_p: float | None = None
    seed: int | None = None
    system: str = ""


@dataclass(slots=True)
class Turn:
    """A question and what became of it."""

    question: str
    parameters: Parameters
    lane: Lane


def begin(question: str, parameters: Parameters, catalog: Catalog, name: str) -> Turn:
    """A turn whose answer has not begun; a price that cannot be read is none."""
    target = catalog.target(name)
    price: Price | None = None
    with suppress(PriceError):
        price = Prices.load().find(target.price) if target.price else None
    return Turn(question, parameters, Lane(name, target.title, price=price))


def request(earlier: Sequence[Turn], turn: Turn) -> ChatRequest:
    """What is sent: the system text, the turns that were answered, the question."""
    chosen = turn.parameters
    messages = [Message("system", chosen.system)] if chosen.system.strip() else []
    for each in earlier:
        if each.lane.answer:
            messages += [Message("user", each.question), Message("assistant", each.lane.answer)]
    messages.append(Message("user", turn.question))
    return ChatRequest(
        tuple(messages),
        max_tokens=chosen.max_tokens,
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        seed=chosen.seed,
    )


def answering(earlier: Sequence[Turn], turn: Turn, backend: Backend) -> AsyncIterator[object]:
    """Fill the turn's lane, giving a sign ten times a second whether text came or not; closing it stops the server."""
    # It is one lane of the comparator's race, which keeps the answer, the thoughts, the error and the times.
    return race([turn.lane], {turn.lane.target: backend}, request(earlier, turn))


def pace(lane: Lane) -> str:
    """Who answered and how fast, in a line; what is not known yet is left out."""
    watch, told = lane.watch, [lane.title]
    if lane.state != "done":
        told.append(lanes.STATES[lane.state])
    if watch.first_token_seconds is not None:
        told.append(f"first token {watch.first_token_seconds:.2f} s")
    if watch.tokens_per_second is not None:
        told.append(f"{tables.rate(watch.tokens_per_second)} tokens/s")
    if watch.total_seconds is not None:
        told.append(f"{watch.total_seconds:.2f} s in all")
    if watch.usage:
        told.append(f"{watch.usage.input_tokens:,} tokens in, {watch.usage.output_tokens:,} out")
    if lane.cost is not None:
        told.append(f"{tables.usd(lane.cost)} USD")
    return " · ".join(told)


def exported(turns: Sequence[Turn]) -> str:
    """The conversation as JSON; what the server was sent and said, and how fast."""
    return json.dumps({"version": 1, "turns": [_turn(turn) for turn in turns]}, indent=2, ensure_ascii=False)


def _turn(turn: Turn) -> dict[str, object]:
    lane = turn.lane
    error = {"message": lane.error.message, "remedy": lane.error.remedy} if lane.error else None
    return {
        "question": turn.question,
        "target": lane.target,
        "parameters": asdict(turn.parameters),
        "answer": lane.answer,
        "thoughts": lane.thought,
        "state": lane.state,
        "error": error,
        "usage": asdict(lane.watch.usage) if lane.watch.usage else None,
        **lane.watch.timings(),
    }
