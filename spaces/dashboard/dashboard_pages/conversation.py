"""The playground's conversation as data: its turns, the next request, and the export as JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from backends import Backend, Catalog, ChatRequest, Message
from compare.analyse.costs.prices import Price, Prices
from compare.errors import PriceError
from compare.interactive.race import RaceColumn, run_race
from compare.report.words import formats
from compare.report.words.race_text import LENGTH_LIMIT
from compare.report.words.strings import target_label
from dashboard_pages import strings


@dataclass(frozen=True, slots=True)
class Parameters:
    """Sampling parameters; None leaves the choice to the target."""

    max_tokens: int = 512
    temperature: float = 0.2
    top_p: float | None = None
    seed: int | None = None
    system_prompt: str = ""


@dataclass(slots=True)
class PlaygroundTurn:
    """A question and its answer. The answer is a race column: text, thoughts, error and times of one target."""

    question: str
    parameters: Parameters
    reply: RaceColumn


def new_turn(question: str, parameters: Parameters, catalog: Catalog, name: str) -> PlaygroundTurn:
    """Return a turn without an answer yet; a price that can't be read counts as none."""
    target = catalog.target(name)
    price: Price | None = None
    with suppress(PriceError):
        price = Prices.load().find(target.price) if target.price else None
    return PlaygroundTurn(question, parameters, RaceColumn(name, target.title, price=price))


def chat_request(history: Sequence[PlaygroundTurn], turn: PlaygroundTurn) -> ChatRequest:
    """Return the request for a turn: the system prompt, the answered turns of the history, the question."""
    parameters = turn.parameters
    messages = [Message("system", parameters.system_prompt)] if parameters.system_prompt.strip() else []
    for earlier in history:
        if earlier.reply.answer:
            messages += [Message("user", earlier.question), Message("assistant", earlier.reply.answer)]
    messages.append(Message("user", turn.question))
    return ChatRequest(
        tuple(messages),
        max_tokens=parameters.max_tokens,
        temperature=parameters.temperature,
        top_p=parameters.top_p,
        seed=parameters.seed,
    )


def stream_reply(history: Sequence[PlaygroundTurn], turn: PlaygroundTurn, backend: Backend) -> AsyncIterator[object]:
    """Fill the turn's reply; yields ten times a second, with or without new text. Closing it stops the server."""
    # A race with one column, which collects the text, the error and the times.
    return run_race([turn.reply], {turn.reply.target: backend}, chat_request(history, turn))


def summary(reply: RaceColumn) -> str:
    """Return a line with target, state, speed, tokens and cost, as far as they are known."""
    stopwatch, parts = reply.stopwatch, [target_label(reply.target, reply.title)]
    if reply.state in strings.STATES:
        parts.append(strings.STATES[reply.state])
    if reply.is_cut:
        parts.append(LENGTH_LIMIT)
    if stopwatch.first_token_seconds is not None:
        parts.append(strings.FIRST_TOKEN.format(stopwatch.first_token_seconds))
    if stopwatch.tokens_per_second is not None:
        parts.append(strings.TOKENS_PER_SECOND.format(formats.rate(stopwatch.tokens_per_second)))
    if stopwatch.total_seconds is not None:
        parts.append(strings.TOTAL_SECONDS.format(stopwatch.total_seconds))
    if usage := stopwatch.usage:
        parts.append(strings.TOKEN_COUNTS.format(usage.input_tokens, usage.output_tokens))
    if reply.cost is not None:
        parts.append(strings.PRICE.format(formats.usd(reply.cost)))
    return " · ".join(parts)


def export(turns: Sequence[PlaygroundTurn]) -> str:
    """Return the conversation as JSON, with parameters, usage and times of each turn."""
    return json.dumps({"version": 1, "turns": [_turn_values(turn) for turn in turns]}, indent=2, ensure_ascii=False)


def _turn_values(turn: PlaygroundTurn) -> dict[str, object]:
    reply = turn.reply
    error = {"message": reply.error.message, "remedy": reply.error.remedy} if reply.error else None
    return {
        "question": turn.question,
        "target": reply.target,
        "parameters": asdict(turn.parameters),
        "answer": reply.answer,
        "thoughts": reply.thought,
        "state": reply.state,
        "error": error,
        "usage": asdict(reply.stopwatch.usage) if reply.stopwatch.usage else None,
        **reply.stopwatch.timings(),
    }
