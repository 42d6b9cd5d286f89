"""Budgets: parallel requests, prices that nobody knows, and what was spent before or elsewhere."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import Catalog, ChatRequest, Message, Overloaded, Picture, Stopwatch, TimedOut, Tool, Usage
from gateway.billing import bills, money
from gateway.billing.budgets import Budgets, month_of
from gateway.errors import BudgetReached
from gateway.keys.key import Key
from gateway.targets import Targets
from inference.answers.endings import Ending
from tests.backends.wire_server import Reply, WireServer
from tests.gateway.servers import COST, gateway, until
from tests.inference.servers import question
from tests.inference.targets import ANSWER, CHAT

MOST = (len("Name a colour.") + bills.MESSAGE_TOKENS) * 1000 + 8 * 2000  # nano-USD of a question


async def test_ten_parallel_requests_cannot_overspend(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path) as running:
        key = await running.add_key(usd=(3 * MOST + MOST // 2) / money.NANO)
        wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())))
        asked = [asyncio.create_task(running.chat(key, stream=at % 2 == 0)) for at in range(10)]
        await until(lambda: sum(each.done() for each in asked) >= 7)
        go.set()
        answers = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [402] * 7
        refusal = next(answer for answer in answers if answer.status_code == 402)
        assert "0.000023 of the month's 0.000161 USD are left" in refusal.json()["error"]["message"]
        # Reservations were the most that the answers could cost; what they did cost leaves room for one more.
        assert (await running.chat(key)).status_code == 200
        rows = await running.rows(11)
        assert sum(row["cost"] for row in rows) == 4 * COST
        assert not running.gateway.parts.budgets.reserved


async def test_a_request_that_has_no_turn_reserves_nothing(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, parallel=1, queue=1) as running:
        key = await running.add_key(usd=1)
        wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())), ANSWER)
        first = asyncio.create_task(running.chat(key))
        await until(lambda: wire.requests(CHAT))
        leaves = asyncio.create_task(running.chat(key))
        await until(lambda: running.gateway.parts.queue.length == 1)
        full = await running.chat(key)
        assert (full.status_code, int(full.headers["retry-after"]) > 0) == (429, True)
        leaves.cancel()
        await until(lambda: running.gateway.parts.queue.length == 0)
        go.set()
        assert (await first).status_code == 200
        rows = {row["outcome"]: row for row in await running.rows(3)}
        assert (rows["refused"]["error"], rows["refused"]["cost"]) == ("full", 0)
        assert (rows["cancelled"]["error"], rows["cancelled"]["cost"]) == ("left", 0)
        assert not running.gateway.parts.budgets.reserved
        assert len(wire.requests(CHAT)) == 1


async def test_a_budget_is_no_use_without_a_price(
    wire: WireServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mistake = f'[mistake]\nkind = "openai"\nurl = "{wire.url}"\nprice = "1,25 EUR/h"'
    async with gateway(wire, tmp_path, mistake) as running:
        unpriced = [record for record in caplog.records if record.message == "target without a price"]
        levels = {record.fields["target"]: record.levelname for record in unpriced}  # type: ignore[attr-defined]
        assert (levels["other"], levels["mistake"]) == ("INFO", "WARNING")
        key, free = await running.add_key(usd=1), await running.add_key("bob")
        answer = await running.chat(key, "other")
        assert answer.status_code == 403
        message = answer.json()["error"]["message"]
        assert "price of other is unknown. genai-prices doesn't know 'tiny'" in message
        assert 'set price in its entry: "tokens:0.15/0.60"' in message and '"1.25/h"' in message
        assert (await running.chat(free, "other")).status_code == 200
        refused, unknown = await running.rows(2)
        assert (refused["outcome"], refused["cost"]) == ("refused", 0)
        assert (unknown["outcome"], unknown["cost"], unknown["output_tokens"]) == ("ok", None, 2)
        metrics = (await running.client.get("/metrics")).text
        assert 'spaceport_unpriced_requests_total{target="other"} 1.0' in metrics


async def test_what_was_spent_elsewhere_counts(wire: WireServer, tmp_path: Path) -> None:
    """Two gateways on one database, and one of them after a restart."""
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    budget = (MOST + 2 * COST) / money.NANO
    async with gateway(wire, tmp_path / "first", database_url=database) as first:
        key = await first.add_key(usd=budget)
        async with gateway(wire, tmp_path / "second", database_url=database) as second:
            assert [(await each.chat(key)).status_code for each in (first, second)] == [200, 200]
            month = month_of(datetime.now(UTC))
            (known,) = first.store.read_keys()
            for budgets in (each.gateway.parts.budgets for each in (first, second)):
                await until(lambda budgets=budgets: budgets.spent(known.id, month) == 2 * COST)
                await until(lambda budgets=budgets: not budgets._others_reserved)  # the bill was in both for a moment
            assert (await first.chat(key)).status_code == 200
            await until(lambda: second.gateway.parts.budgets.spent(known.id, month) == 3 * COST)
            assert (await second.chat(key)).status_code == 402
    async with gateway(wire, tmp_path / "first", database_url=database) as restarted:
        assert restarted.gateway.parts.budgets.spent(known.id, month) == 3 * COST
        assert (await restarted.chat(key)).status_code == 402


async def test_what_runs_elsewhere_counts(wire: WireServer, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    async with gateway(wire, tmp_path / "first", database_url=database) as first:
        key = await first.add_key(usd=1.5 * MOST / money.NANO)
        async with gateway(wire, tmp_path / "second", database_url=database) as second:
            wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())), ANSWER)
            running = asyncio.create_task(first.chat(key))
            budgets = second.gateway.parts.budgets
            await until(lambda: sum(budgets._others_reserved.values()) == MOST)
            refusal = await second.chat(key)
            assert refusal.status_code == 402
            assert "wait for the answers that run" in refusal.json()["error"]["message"]
            go.set()
            assert (await running).status_code == 200
            (known,) = first.store.read_keys()
            month = month_of(datetime.now(UTC))
            await until(lambda: not budgets._others_reserved)
            assert budgets.spent(known.id, month) == COST  # it was never in neither
            assert (await second.chat(key)).status_code == 200


async def test_a_budget_that_is_used_up_is_no_matter_of_waiting(wire: WireServer, tmp_path: Path) -> None:
    hourly = f'[labels]\nkind = "backends.vision.server"\nurl = "{wire.url}"\ntask = "classify"\nprice = "1/h"'
    async with gateway(wire, tmp_path, hourly) as running:
        key = await running.add_key(usd=0)
        headers = {"authorization": f"Bearer {key}"}
        chat = await running.chat(key)
        labels = await running.client.post("/v1/classify", json={"model": "labels", "image": "YQ=="}, headers=headers)
    assert [chat.status_code, labels.status_code] == [402, 402]
    assert "Ask for fewer tokens (max_tokens), or ask the operator for a larger budget." in chat.text
    assert "are left. Ask the operator for a larger budget." in labels.text


def test_a_month_begins_without_what_the_last_one_spent() -> None:
    target = Targets.load(Catalog({"a": {"kind": "embedded", "price": "tokens:1/1"}}, source="test")).find("a")
    key = Key("k", "alice", "", "", datetime.now(UTC), budget=money.from_usd(1))
    budgets = Budgets()
    november, december = datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    budgets.read_others("2026-11", {"k": money.from_usd(0.5)}, {})
    reservation = budgets.reserve(key, target, bills.Size(500_000, 0), november)
    with pytest.raises(BudgetReached):
        budgets.reserve(key, target, bills.Size(1, 0), november)
    budgets.settle("k", reservation, reservation, month_of(november))
    assert budgets.spent("k", "2026-11") == money.from_usd(1)
    assert budgets.spent("k", "2026-12") == 0
    assert budgets.reserve(key, target, bills.Size(1_000_000, 0), december) == money.from_usd(1)


def test_prices_come_from_the_catalogue_or_are_unknown() -> None:
    entries = {
        "entered": {"kind": "embedded", "price": "tokens:0.15/0.60"},
        "named": {"kind": "embedded", "price": "tokens:openai/gpt-4o"},
        "known": {"kind": "openai", "url": "https://api.openai.com/v1", "model": "gpt-4o"},
        "own": {"kind": "openai", "url": "http://127.0.0.1:1/v1", "model": "gpt-4o"},
        "row": {"kind": "embedded", "price": "ml.g5.xlarge"},
        "below": {"kind": "embedded", "price": "-1/h"},
        "typo": {"kind": "embedded", "price": "tokens:nobody/nothing"},
        "none": {"kind": "embedded"},
        "unset": {"kind": "openai", "url": "${NO_SUCH_VARIABLE}", "model": "gpt-4o"},
    }
    targets = Targets.load(Catalog(entries, source="test")).by_name
    prices = {name: each.price and (each.price.usd_input, each.price.usd_output) for name, each in targets.items()}
    assert prices.pop("entered") == (0.15, 0.6)
    assert prices.pop("named") == prices.pop("known") == (2.5, 10)
    assert set(prices.values()) == {None}
    assert "'ml.g5.xlarge' isn't a price for the gateway" in targets["row"].unpriced
    assert all(targets[name].unpriced for name in prices)


def test_an_hourly_price_is_paid_for_the_seconds_of_an_answer() -> None:
    entry = {"kind": "embedded", "price": "$3.60 per hour"}
    entries = {"alone": entry, "shared": {**entry, "answers_at_once": 4}, "wrong": {**entry, "answers_at_once": 0}}
    targets = Targets.load(Catalog(entries, source="test"))
    alone, shared = targets.find("alone"), targets.find("shared")
    size = bills.Size(100, 8, seconds=600)
    assert (bills.most_cost(alone, size), bills.most_cost(shared, size)) == (600_000_000, 150_000_000)
    stopwatch = Stopwatch()
    ending = Ending("", 200, None, 3.0, 0.5, stopwatch)
    assert bills.bill(ending, shared, size, Usage(5, 2), 2.0) == bills.Bill(5, 2, 500_000)
    assert bills.bill(ending, alone, size, None, 2.0) == bills.Bill(None, None, 2_000_000)  # its time is known
    refused = Ending("overloaded", 503, Overloaded("busy", ""), 3.0, 0.5, stopwatch)
    assert bills.bill(refused, alone, size, None, 2.0).cost == 0
    late = TimedOut("late", "")
    assert bills.attempt_bill(late, alone, size, 10.0).cost == 10_000_000
    assert "whole number from 1" in str(targets.find("wrong").unavailable)


def test_a_size_is_never_below_the_tokens() -> None:
    message = Message("user", ["日本語", Picture(b"png")])
    request = ChatRequest([message], max_tokens=7, tools=[Tool("f", "does f")], schema={"type": "object"})
    size = bills.chat_size(request)
    assert size.output_tokens == 7
    assert size.input_tokens > 9 + len('{"type":"object"}')
    assert bills.texts_size(["é", "a"]) == bills.Size(3 + 2 * bills.MESSAGE_TOKENS, 0)


def test_a_picture_has_the_tokens_of_its_target_or_many() -> None:
    entry = {"kind": "embedded", "price": "tokens:1/1"}
    entries = {"any": entry, "known": {**entry, "picture_tokens": 1_000}, "wrong": {**entry, "picture_tokens": -1}}
    targets = Targets.load(Catalog(entries, source="test"))
    message = Message("user", ["Look.", Picture(b"png"), Picture(b"png")])
    size = bills.chat_size(ChatRequest([message], max_tokens=7))
    text = 5 + bills.MESSAGE_TOKENS
    key, budgets, now = Key("k", "alice", "", "", datetime.now(UTC), budget=money.NANO), Budgets(), datetime.now(UTC)
    assert budgets.reserve(key, targets.find("known"), size, now) == (text + 2 * 1_000 + 7) * 1_000
    assert budgets.reserve(key, targets.find("any"), size, now) == (text + 2 * 50_000 + 7) * 1_000
    assert size.likely_input < 5_000  # a key's minute isn't used up by a guess
    assert "picture_tokens is -1" in str(targets.find("wrong").unavailable)


@pytest.mark.parametrize(
    ("nano", "text"), [(0, "0.00"), (150, "0.00000015"), (12_500_000_000, "12.50"), (-1_000_000_000, "-1.00")]
)
def test_money_is_exact(nano: int, text: str) -> None:
    assert money.show(nano) == text
    assert money.from_usd(float(text)) == nano


def test_questions_are_as_long_as_these_tests_say() -> None:
    assert question()["messages"][0]["content"] == "Name a colour." and question()["max_tokens"] == 8
