"""A database that goes away under load and comes back: no bill is lost, and none is counted twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.backends.wire_server import WireServer
from tests.gateway.servers import COST, add_key, gateway, ledger_rows, open_store, until, write_catalog
from tests.helpers.postgresql import Postgres
from tests.helpers.servers import wait_until
from tests.inference.servers import Server, launch_server, question
from tests.inference.targets import ANSWER, CHAT, client, exit_context


async def test_a_database_is_killed_under_load(
    wire: WireServer, tmp_path: Path, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.new_database()
    async with gateway(wire, tmp_path, database_url=url) as running:
        key = await running.add_key(usd=1)
        (known,) = running.store.read_keys()
        answers: list[int] = []

        async def ask(number: int) -> None:
            while len(answers) < number:
                answers.append((await running.chat(key, stream=len(answers) % 2 == 0)).status_code)

        async with asyncio.TaskGroup() as load:
            for _ in range(4):
                load.create_task(ask(150))
            await until(lambda: len(answers) > 40)
            await asyncio.to_thread(postgres.kill)
            await until(lambda: not running.gateway.parts.ledger.is_connected)
            gone_at = len(answers)
            await until(lambda: len(answers) > gone_at + 10 or len(answers) >= 150)
            await until(lambda: "the keys can't be read again: the last ones stay valid" in caplog.messages)
            await asyncio.to_thread(postgres.start)
        assert set(answers) == {200}
        assert "the database is away: bills wait on disk" in caplog.messages
        await until(lambda: running.gateway.parts.ledger.journal.waiting_bytes == 0)
        assert running.gateway.parts.ledger.is_connected
        rows = ledger_rows(running.store.engine)
        assert len(rows) == len(answers)
        assert running.store.spent(f"{rows[0]['started_at']:%Y-%m}", without="") == {known.id: COST * len(rows)}
        metrics = (await running.client.get("/metrics")).text
        assert "spaceport_ledger_connected 1.0" in metrics


async def test_no_answer_is_given_without_room_for_its_bill(
    wire: WireServer, tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.new_database()
    async with gateway(wire, tmp_path, database_url=url, journal_mb=0.002) as running:
        key = await running.add_key()
        await asyncio.to_thread(postgres.kill)
        try:
            answers = [await running.chat(key) for _ in range(10)]
        finally:
            await asyncio.to_thread(postgres.start)
        statuses = [answer.status_code for answer in answers]
        assert statuses == sorted(statuses) and set(statuses) == {200, 503}
        assert "The ledger has no room" in answers[-1].json()["error"]["message"]
        assert int(answers[-1].headers["retry-after"]) > 0
        await until(lambda: running.gateway.parts.ledger.journal.waiting_bytes == 0)
        assert (await running.chat(key)).status_code == 200
        assert len(await running.rows(statuses.count(200) + 1)) == statuses.count(200) + 1


@asynccontextmanager
async def process(folder: Path, **environment: str | float) -> AsyncIterator[Server]:
    """A gateway as a process, which the test ends."""
    # Without a cache: these tests send the same question again.
    settings = {"SPACEPORT_DATA": str(folder / "data"), "SPACEPORT_CACHE_MB": 0, **environment}
    context = launch_server(folder, module="gateway", **settings)
    server = await asyncio.to_thread(context.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(exit_context, context, None, None, None)


async def test_a_gateway_that_is_killed_writes_its_bills_at_the_next_start(
    wire: WireServer, tmp_path: Path, postgres: Postgres
) -> None:
    wire.on(CHAT, ANSWER)
    url = postgres.new_database()
    store = open_store(tmp_path, url)
    key = add_key(store)
    catalog = str(write_catalog(tmp_path, wire.url))
    settings = {"SPACEPORT_CATALOG": catalog, "SPACEPORT_DATABASE_URL": url}
    await asyncio.to_thread(postgres.kill)
    try:
        async with process(tmp_path, **settings) as server:
            await asyncio.to_thread(wait_for_line, server, "waiting for the database")
            refusal = await asyncio.to_thread(server.get, "/ready")
            assert (refusal.status_code, refusal.json()) == (503, {"status": "waiting for the database"})
            await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(server.wait_ready)
            await asyncio.to_thread(postgres.kill)
            async with client(server) as caller:
                headers = {"authorization": f"Bearer {key}"}
                for _ in range(5):
                    assert (await caller.post(CHAT, json={"model": "paid", **question()}, headers=headers)).is_success
            os.kill(server.process.pid, signal.SIGKILL)
            await asyncio.to_thread(server.wait)
    finally:
        await asyncio.to_thread(postgres.start)
    async with process(tmp_path, **settings) as server:
        await asyncio.to_thread(server.wait_ready)
        assert len(ledger_rows(store.engine)) == 5  # before it is ready: budgets need them
        async with client(server) as caller:
            assert (await caller.post(CHAT, json={"model": "paid", **question()}, headers=headers)).is_success
        server.signal()
        assert await asyncio.to_thread(server.wait) == 0, server.output
    assert len(ledger_rows(store.engine)) == 6
    assert {row["cost"] for row in ledger_rows(store.engine)} == {COST}
    store.engine.dispose()


def wait_for_line(server: Server, message: str) -> None:
    wait_until(lambda: bool(server.log_lines(message=message)))
